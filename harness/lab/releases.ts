/** The releases of Debian that layers are made from, and where this machine gets them. */
import { spawnSync } from 'node:child_process'

export const RELEASES = ['bullseye', 'bookworm', 'bookworm-backports', 'trixie', 'sid'] as const

export type Release = (typeof RELEASES)[number]

/** The releases that a base is made of; backports are laid over theirs. */
export type BaseRelease = Exclude<Release, 'bookworm-backports'>

export function isRelease(word: string): word is Release {
  return (RELEASES as readonly string[]).includes(word)
}

export function baseRelease(release: Release): BaseRelease {
  return release === 'bookworm-backports' ? 'bookworm' : release
}

/** Where packages come from. */
export interface Archive {
  /** `http://deb.debian.org/debian`, without a slash at the end. */
  readonly mirror: string
  /** The one for security updates. */
  readonly security: string
  /** Options for apt, as the machine's own has them: proxies, and whether an old archive will do. */
  readonly options: readonly string[]
}

/** Environment variable that names another mirror; security updates are then looked for at the same, with `-security`. */
export const MIRROR_VARIABLE = 'BADMX_DEBIAN_MIRROR'

/** Environment variable for archives whose Release file has expired, as every snapshot's has: `1` takes them. */
export const EXPIRED_VARIABLE = 'BADMX_EXPIRED_ARCHIVE'

/** The settings of the machine's apt that reaching an archive can depend on. */
const KEPT = ['Acquire::http::Proxy', 'Acquire::https::Proxy', 'Acquire::Check-Valid-Until']

/** The machine's own mirror where it is Debian, otherwise the public one; its signatures are Debian's in any case. */
export function archive(environment: NodeJS.ProcessEnv = process.env): Archive {
  const options = KEPT.flatMap((name) => {
    const value = aptOutput('apt-config', ['shell', 'VALUE', name]).match(/^VALUE='([^']*)'/)?.[1]
    return value === undefined ? [] : [`${name}=${value}`]
  })
  if (environment[EXPIRED_VARIABLE] === '1') options.push('Acquire::Check-Valid-Until=false')
  const own = environment[MIRROR_VARIABLE]?.replace(/\/+$/, '')
  if (own) return { mirror: own, security: `${own}-security`, options }
  const format = '$(REPO_URI) $(ORIGIN) $(LABEL)'
  const targets = aptOutput('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']).split('\n')
  const find = (kind: string): string | undefined => {
    const target = targets.find((line) => /^https?:\/\//.test(line) && line.endsWith(` Debian ${kind}`))
    return target?.split(' ')[0]?.replace(/\/+$/, '')
  }
  const mirror = find('Debian') ?? 'http://deb.debian.org/debian'
  return { mirror, security: find('Debian-Security') ?? 'http://deb.debian.org/debian-security', options }
}

/** The lines of sources.list for a release. */
export function sources(release: Release, { mirror, security }: Archive): readonly string[] {
  const base = baseRelease(release)
  if (base === 'sid') return [`deb ${mirror} sid main`]
  return [
    `deb ${mirror} ${base} main`,
    `deb ${mirror} ${base}-updates main`,
    `deb ${security} ${base}-security main`,
    ...(release === base ? [] : [`deb ${mirror} ${release} main`]),
  ]
}

/** Standard output; empty where the machine has no apt. */
function aptOutput(program: string, words: readonly string[]): string {
  return spawnSync(program, words, { encoding: 'utf8' }).stdout ?? ''
}
