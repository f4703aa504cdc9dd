/**
 * The clients of the lab, and what else runs in it, as packages of the Debian archive: what is installed, and the answers
 * that the packages' questions get.
 */
import { nearestName } from '../../peers/nearest-name.ts'
import { UserError } from '../user-error.ts'
import { isRelease, RELEASES, type Release } from './releases.ts'

export interface LayerSpec {
  /** What the layer is called. */
  readonly client: string
  readonly release: Release
  /** Debian packages; the version of the first is the layer's. Recommended ones are not installed. */
  readonly packages: readonly string[]
  /** Lines for debconf-set-selections. */
  readonly preseed?: readonly string[]
  /**
   * Packages from npm with exact versions, installed in /opt/CLIENT as the registry was on that day; the version of the
   * first is then the layer's.
   */
  readonly npm?: { readonly packages: readonly string[]; readonly before: string }
  /** Shell, run as root in the root when all is installed. */
  readonly afterInstall?: string
}

type Packages = Omit<LayerSpec, 'client' | 'release'>

/** By name, in any release. */
export const PACKAGES: Readonly<Record<string, Packages>> = {
  postfix: {
    packages: ['postfix'],
    preseed: ['postfix postfix/main_mailer_type select No configuration'],
  },
  exim: {
    packages: ['exim4-daemon-light'],
    preseed: [
      'exim4-config exim4/dc_eximconfig_configtype select internet site; mail is sent and received directly using SMTP',
    ],
  },
  sendmail: { packages: ['sendmail-bin', 'sendmail-cf', 'sensible-mda', 'm4', 'make'] },
  opensmtpd: { packages: ['opensmtpd'] },
  chasquid: { packages: ['chasquid'] },
  nullmailer: { packages: ['nullmailer'], preseed: ['nullmailer nullmailer/relayhost string mx.badmx.test'] },
  dma: { packages: ['dma'] },
  // Newer ones want a dependency that does not install.
  haraka: { packages: ['nodejs'], npm: { packages: ['Haraka@3.1.1'], before: '2026-01-01' } },
  msmtp: { packages: ['msmtp'] },
  curl: { packages: ['curl'] },
  swaks: { packages: ['swaks', 'libnet-ssleay-perl', 'libauthen-sasl-perl', 'libnet-dns-perl'] },
  smtplib: { packages: ['python3'] },
  unbound: { packages: ['unbound', 'unbound-anchor'] },
  // Name servers for the tests, beside ours.
  bind: { packages: ['bind9'] },
  knot: { packages: ['knot'] },
  nsd: { packages: ['nsd'] },
  powerdns: { packages: ['pdns-server', 'pdns-backend-sqlite3', 'sqlite3'] },
}

/** Where no release is named. */
export const DEFAULT_RELEASE: Release = 'bookworm'

/** `postfix`, `postfix@trixie`. @throws {UserError} for a name or a release that is none */
export function layerSpec(name: string): LayerSpec {
  const [client = '', release = DEFAULT_RELEASE, ...rest] = name.split('@')
  const packages = Object.hasOwn(PACKAGES, client) ? PACKAGES[client] : undefined
  if (packages === undefined) throw unknown('client', client, Object.keys(PACKAGES))
  if (!isRelease(release) || rest.length > 0) throw unknown('release', [release, ...rest].join('@'), RELEASES)
  return { client, release, ...packages }
}

/** How a layer is called: `postfix@trixie`. */
export function layerName({ client, release }: Pick<LayerSpec, 'client' | 'release'>): string {
  return `${client}@${release}`
}

function unknown(what: string, word: string, names: readonly string[]): UserError {
  const nearest = nearestName(word, names)
  const meant = nearest === undefined ? '' : `; did you mean "${nearest}"?`
  return new UserError(`the lab has no ${what} "${word}"${meant}`, `there are: ${names.join(', ')}`)
}
