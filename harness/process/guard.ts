/**
 * A guard against orphans: when this process dies without a chance to end what it started (SIGKILL, a crash), a small
 * shell kills the process groups that were still running.
 *
 * The guard reads `+ PID` and `- PID` from a pipe that only this process holds; the end of the pipe is our death. It is in
 * a session of its own, so that what kills our group does not kill it, and it never keeps this process alive.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'

const SCRIPT = `
trap '' HUP INT TERM
groups=' '
while read -r what group; do
  case $what in
    +) groups="$groups$group " ;;
    -) groups="\${groups%% $group *} \${groups#* $group }" ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group"; done`

let guard: ChildProcess | undefined

/** Tells the guard of a group that was started. */
export function watchGroup(pid: number): void {
  guard ??= startGuard()
  guard.stdin?.write(`+ ${pid}\n`)
}

/** Tells the guard that a group which it watches is gone; once for each {@link watchGroup}. */
export function unwatchGroup(pid: number): void {
  guard?.stdin?.write(`- ${pid}\n`)
}

function startGuard(): ChildProcess {
  const child = spawn('/bin/sh', ['-c', SCRIPT], {
    cwd: '/',
    env: {},
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  // without a guard everything works as well; only a sudden death leaves orphans then
  child.on('error', () => undefined)
  child.stdin?.on('error', () => undefined)
  child.unref()
  ;(child.stdin as Socket | null)?.unref()
  return child
}
