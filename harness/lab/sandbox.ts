/**
 * Runs a shell script as root of mount, process, host name and IPC namespaces of its own, with the machine's network: what
 * a build needs. Whatever it starts and mounts goes with it.
 */
import { createInterface } from 'node:readline'
import { ended, killGroup, spawnGroup } from '../process/program.ts'
import { namespaceArguments, type Support } from './support.ts'

export interface SandboxJob {
  readonly support: Support
  /** POSIX shell; ends at the first command that fails. */
  readonly script: string
  /** `$1`, `$2`, … */
  readonly arguments: readonly string[]
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  /** Takes each line of its output. */
  onLine(line: string): void
}

/** The lines at the end of an output that tell why something failed. */
const KEPT_LINES = 40

export interface SandboxResult {
  readonly ok: boolean
  /** Its last lines. */
  readonly lines: readonly string[]
}

/**
 * Runs it to its end.
 *
 * @throws the signal's reason where it is aborted, when nothing of it runs any more
 */
export async function runInSandbox(job: SandboxJob): Promise<SandboxResult> {
  job.signal.throwIfAborted()
  const argv = [...namespaceArguments(job.support), 'sh', '-euc', `exec 2>&1\n${job.script}`, 'sh', ...job.arguments]
  const env = {
    PATH: searchPath(),
    HOME: '/root',
    LC_ALL: 'C.UTF-8',
    DEBIAN_FRONTEND: 'noninteractive',
    ...reaching(),
    ...job.env,
  }
  const child = spawnGroup(argv, env, job.cwd, 'ignore')
  const lines: string[] = []
  const take = (line: string): void => {
    lines.push(line)
    if (lines.length > KEPT_LINES) lines.shift()
    job.onLine(line)
  }
  for (const stream of [child.stdout, child.stderr])
    if (stream !== null) createInterface({ input: stream }).on('line', take)
  const onAbort = (): void => killGroup(child)
  job.signal.addEventListener('abort', onAbort, { once: true })
  try {
    const { code } = await ended(child)
    job.signal.throwIfAborted()
    return { ok: code === 0, lines }
  } finally {
    job.signal.removeEventListener('abort', onAbort)
  }
}

/** Programs of the administrator too: chroot, mmdebstrap's dpkg and ldconfig. */
export function searchPath(): string {
  return [process.env['PATH'], '/usr/sbin', '/usr/bin', '/sbin', '/bin'].filter((part) => part).join(':')
}

/** How the world is reached from this machine: the proxies and authorities that the environment names. */
function reaching(): Record<string, string> {
  const wanted = /^((https?|no|all)_proxy|node_extra_ca_certs|npm_config_\w+)$/i
  const named = Object.entries(process.env).filter(([name]) => wanted.test(name))
  return Object.fromEntries(named) as Record<string, string>
}

/** Shell: `private_dev FOLDER` makes a /dev of a root that has the harmless devices and nothing of the machine. */
export const PRIVATE_DEV = `
private_dev() {
  mkdir -p "$1"
  mount -t tmpfs -o mode=755,size=64k lab-dev "$1"
  for device in null zero full random urandom tty; do
    : >"$1/$device"
    mount --bind "/dev/$device" "$1/$device"
  done
  mkdir "$1/pts" "$1/shm"
  mount -t devpts -o newinstance,ptmxmode=666,mode=620 lab-pts "$1/pts"
  mount -t tmpfs -o mode=1777 lab-shm "$1/shm"
  ln -s pts/ptmx "$1/ptmx"
  ln -s /proc/self/fd "$1/fd"
  ln -s /proc/self/fd/0 "$1/stdin"
  ln -s /proc/self/fd/1 "$1/stdout"
  ln -s /proc/self/fd/2 "$1/stderr"
}
`
