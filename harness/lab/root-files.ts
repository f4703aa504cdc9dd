/**
 * Files of a root, read and written from outside of it. Symbolic links mean what they mean to a program of the root: an
 * absolute one starts at the root's own folder, and no path leads out.
 */
import { chmod, chown, lstat, mkdir, readFile, readlink, rename, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

export interface FileOptions {
  /** Default 0644. */
  readonly mode?: number
  /** `postfix`, `root:smmsp`: names of the root's passwd and group. */
  readonly owner?: string
  /** Seconds before now that it was last changed, for programs that let a fresh file rest. */
  readonly ageSeconds?: number
  /** Readers see the old content or the new, never half of it. */
  readonly atomic?: boolean
}

/** As the kernel: symbolic links that are followed for one path. */
const MOST_LINKS = 40

/** Where a path of the root is, its last part followed too; parts that do not exist are as they are written. */
export async function placeIn(root: string, file: string): Promise<string> {
  let links = 0
  let found: string[] = []
  const left = file.split('/').reverse()
  for (let part = left.pop(); part !== undefined; part = left.pop()) {
    if (part === '' || part === '.') continue
    if (part === '..') {
      found.pop()
      continue
    }
    const here = join(root, ...found, part)
    const target = await readlink(here).catch(() => undefined)
    if (target === undefined) {
      found.push(part)
      continue
    }
    links += 1
    if (links > MOST_LINKS) throw new Error(`too many symbolic links in ${file}`)
    if (target.startsWith('/')) found = []
    left.push(...target.split('/').reverse())
  }
  return join(root, ...found)
}

export async function readIn(root: string, file: string): Promise<string> {
  return readFile(await placeIn(root, file), 'utf8')
}

export async function writeIn(
  root: string,
  file: string,
  content: string | Buffer,
  { mode = 0o644, owner, ageSeconds, atomic }: FileOptions = {},
): Promise<void> {
  const place = await placeIn(root, file)
  await mkdir(dirname(place), { recursive: true })
  const written = atomic === true ? `${place}.new` : place
  await writeFile(written, content)
  await chmod(written, mode)
  if (owner !== undefined) await chown(written, ...(await idsIn(root, owner)))
  if (ageSeconds !== undefined) {
    const then = (await lstat(written)).mtimeMs / 1000 - ageSeconds
    await utimes(written, then, then)
  }
  if (written !== place) await rename(written, place)
}

/** User and group numbers of `user` (with its own group) or `user:group`. */
async function idsIn(root: string, owner: string): Promise<[number, number]> {
  const [user = '', group] = owner.split(':')
  const found = async (file: string, name: string): Promise<string[]> => {
    const lines = (await readIn(root, file)).split('\n').map((line) => line.split(':'))
    const line = lines.find(([own]) => own === name)
    if (line === undefined) throw new Error(`${file} of the root has no "${name}"`)
    return line
  }
  const [, , uid, ownGroup] = await found('/etc/passwd', user)
  const gid = group === undefined ? ownGroup : (await found('/etc/group', group))[2]
  return [Number(uid), Number(gid)]
}
