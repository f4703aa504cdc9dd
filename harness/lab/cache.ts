/**
 * Where the lab keeps what it built, and how it gets there whole: everything is made in a temporary folder under one lock,
 * and renamed into its place when it is complete.
 *
 * The lock is held by a small shell (flock), which holds it as long as this process lives and then removes what is left in
 * the temporary folder: a build that is killed leaves nothing, whatever killed it, and the next one cannot start before.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, statfs, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { UserError } from '../user-error.ts'
import { mappingArguments, type Support } from './support.ts'

/** Environment variable that names another folder for the cache. */
export const CACHE_VARIABLE = 'BADMX_CACHE'

/** The lab's folder: `$BADMX_CACHE/lab`, `$XDG_CACHE_HOME/badmx/lab` or `~/.cache/badmx/lab`. */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const own = environment[CACHE_VARIABLE]
  if (own) return join(resolve(own), 'lab')
  return join(environment['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'badmx', 'lab')
}

/** The folders of a cache. Programs that mount run in it and use these names, which need no quoting in mount options. */
export const FOLDERS = {
  bases: 'bases',
  layers: 'layers',
  /** Packages and lists of the archive, by release. */
  archive: 'archive',
  /** Programs that building needs and the machine has not. */
  tools: 'tools',
  /** What is being built; belongs to who holds the lock. */
  building: 'building',
  /** A mount point: what is mounted here is seen by the lab alone and goes with it. */
  mount: 'mount',
} as const

/** Makes the folders where they are missing. @throws {UserError} where that is not possible */
export async function openCache(cache = cacheFolder()): Promise<string> {
  try {
    for (const name of Object.values(FOLDERS)) await mkdir(join(cache, name), { recursive: true })
    // Labs only read it: they may use a cache that another user has built.
    if (!existsSync(join(cache, IN_USE))) await writeFile(join(cache, IN_USE), '', { flag: 'a' })
  } catch (error) {
    throw new UserError(
      `the lab's cache cannot be made: ${(error as Error).message}`,
      `${CACHE_VARIABLE}=FOLDER names another place`,
      3,
    )
  }
  return cache
}

/** @throws {UserError} where the file system of the cache has less than this to spare */
export async function requireRoom(cache: string, what: string, leastMiB: number): Promise<void> {
  const { bavail, bsize } = await statfs(cache)
  const free = Math.floor((bavail * bsize) / 2 ** 20)
  if (free >= leastMiB) return
  throw new UserError(
    `building ${what} wants ${leastMiB} MiB, and ${cache} has ${free} MiB free`,
    `\`badmx lab prune\` removes what is not used; ${CACHE_VARIABLE}=FOLDER names another place`,
    3,
  )
}

export interface Lock {
  /** Resolves when what is left of the build is gone and the lock is free. */
  release(): Promise<void>
}

/** Held, shared, by the first process of every lab as long as it lives: what it uses must not be removed. */
export const IN_USE = 'in-use'

const IN_USE_CODE = 7

/**
 * Arguments: the lock's file, the folder to empty, and for who needs the cache alone the file that labs hold. A process that
 * is being killed may still write into the folder.
 */
const HOLDER = `
exec 9>>"$1"
[ -z "$3" ] || { exec 8>>"$3"; flock --nonblock 8 || exit ${IN_USE_CODE}; }
flock --nonblock 9 || { echo waiting; flock 9; }
echo locked
read -r end
tries=0
until rm -rf -- "$2" 2>/dev/null && mkdir -p -- "$2"; do
  tries=$((tries + 1))
  [ $tries -lt 100 ] || exit 1
  sleep 0.1
done`

export interface LockOptions {
  readonly support: Support
  readonly signal: AbortSignal
  /** Called where another one builds, which is waited for. */
  readonly onWait?: () => void
  /** No lab may run either. */
  readonly alone?: boolean
}

/** Waits until this process alone may change the cache. @throws {UserError} where a lab runs and none may */
export function lockCache(cache: string, { support, signal, onWait, alone }: LockOptions): Promise<Lock> {
  return new Promise((resolveLock, reject) => {
    signal.throwIfAborted()
    const arguments_ = [join(cache, 'lock'), join(cache, FOLDERS.building), alone === true ? join(cache, IN_USE) : '']
    // What was built without root belongs to subordinate users, so who removes it needs them too.
    const [program = '', ...words] = [...mappingArguments(support), 'sh', '-c', HOLDER, 'sh', ...arguments_]
    // A session of its own: Ctrl-C ends us, and it still has to tidy up.
    const holder = spawn(program, words, { cwd: cache, detached: true, stdio: ['pipe', 'pipe', 'ignore'] })
    const ended = new Promise<void>((resolveEnd) => holder.once('close', () => resolveEnd()))
    const onAbort = (): void => {
      if (holder.pid !== undefined) process.kill(-holder.pid, 'SIGKILL')
      reject(signal.reason)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    holder.once('error', (error) => reject(new UserError(`cannot lock the cache: ${error.message}`, undefined, 3)))
    createInterface({ input: holder.stdout }).on('line', (line) => {
      if (line === 'waiting') onWait?.()
      else {
        signal.removeEventListener('abort', onAbort)
        resolveLock({
          release() {
            holder.stdin.end()
            return ended
          },
        })
      }
    })
    holder.once('close', (code) =>
      reject(
        code === IN_USE_CODE
          ? new UserError('a lab is running, and what it uses cannot be removed', 'end it, then again', 3)
          : new UserError(`cannot lock ${cache}`, 'flock of util-linux is needed', 3),
      ),
    )
  })
}
