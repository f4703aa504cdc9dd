/** What a failed build says to a person: the cause where it is a known one, the last lines, and what to do. */
import { statfs } from 'node:fs/promises'
import { UserError } from '../user-error.ts'
import { CACHE_VARIABLE } from './cache.ts'
import { EXPIRED_VARIABLE, MIRROR_VARIABLE } from './releases.ts'

interface Cause {
  readonly pattern: RegExp
  readonly message: (found: RegExpExecArray) => string
  readonly next: string
}

const CAUSES: readonly Cause[] = [
  {
    pattern: /no space left on device|not enough free disk space|cannot allocate disk space/i,
    message: () => 'the disk of the cache is full',
    next: `\`badmx lab prune\` removes what is not used; ${CACHE_VARIABLE}=FOLDER names another place`,
  },
  {
    pattern: /Unable to locate package (\S+)|Package '?(\S+?)'? has no installation candidate/,
    message: (found) => `this release has no package ${found[1] ?? found[2]}`,
    next: 'another release may have it: CLIENT@RELEASE',
  },
  {
    pattern: /Release file for (\S+) is (?:expired|not valid yet)/,
    message: (found) => `the archive is out of date: ${found[0]}`,
    next: `a snapshot of the archive has that by its nature: ${EXPIRED_VARIABLE}=1 takes it`,
  },
  {
    pattern: /(?:NO_PUBKEY|not signed|BADSIG|EXPKEYSIG|The following signatures).*/,
    message: (found) => `the archive's signature is not good: ${found[0]}`,
    next: 'a newer debian-archive-keyring may know the key; an archive without a good signature is not used',
  },
  {
    pattern:
      /(?:Could not resolve|Temporary failure resolving|Could not connect to|Connection failed|Unable to connect|Failed to fetch) ?.*/,
    message: (found) => `the package archive cannot be reached: ${found[0]}`,
    next: `${MIRROR_VARIABLE}=http://HOST/debian names another mirror; what has been built works without any`,
  },
  {
    pattern: /(?:wrong fs type|bad option|overlay).*/,
    message: (found) => `the file system of the cache takes no overlay: ${found[0]}`,
    next: `in a container, ${CACHE_VARIABLE}=FOLDER on a volume helps`,
  },
]

/** The error for a build that failed with these last lines. */
export async function buildError(what: string, cache: string, lines: readonly string[]): Promise<UserError> {
  const text = lines.join('\n')
  const { bavail, bsize } = await statfs(cache)
  const full = bavail * bsize < 2 ** 20
  for (const { pattern, message, next } of CAUSES) {
    const found = pattern.exec(text) ?? (full ? /^/.exec('') : null)
    if (found !== null) return new UserError(`building ${what} failed: ${message(found)}`, next, 3)
  }
  return new UserError(
    `building ${what} failed; its last lines:\n${lines
      .slice(-15)
      .map((line) => `  ${line}`)
      .join('\n')}`,
    undefined,
    3,
  )
}
