/**
 * From a host of a scenario to what its peer is told: its TLS, and which of its settings are to prove themselves.
 */
import type { IssuedChain } from '../peers/certificates/authority.ts'
import type { TlsOptions } from '../peers/peer.ts'
import type { Setting } from '../peers/wire/settings/settings.ts'
import type { Family } from './families.ts'
import type { Host } from './scenario.ts'

/** What is needed of a certificate authority. */
export interface HostIssuer {
  /** @param at the present, by default the run's clock */
  issue(fault: string, names: { readonly host: string; readonly domain: string }, at?: Date): Promise<IssuedChain>
  /** PEM of so many authorities with names of their own. */
  namedAuthorities(count: number): readonly string[]
}

/** The TLS of a host; undefined where it has none. @param at see {@link HostIssuer.issue} */
export async function tlsOptionsOf(
  host: Pick<Host, 'certificate' | 'tls'>,
  names: { readonly host: string; readonly domain: string },
  issuer: HostIssuer,
  at?: Date,
): Promise<TlsOptions | undefined> {
  const { on, authorities, sharedTickets: _, withoutServerName, ...settings } = host.tls
  if (on === 'none') return undefined
  const common = {
    ...settings,
    ...(authorities === undefined ? {} : { authorities: issuer.namedAuthorities(authorities) }),
  }
  const chain = (id: string): Promise<IssuedChain> => issuer.issue(id, names, at)
  return {
    ...common,
    on,
    certificate: await chain(host.certificate),
    ...(withoutServerName === undefined
      ? {}
      : { withoutServerName: { ...common, certificate: await chain(withoutServerName) } }),
  }
}

/**
 * The settings of a host that a verdict needs the proof of: those that are not the default, where no behaviour is what is under
 * test. Beside a behaviour that must fire they are the ground that it stands on, and it may well end the handshake before
 * they come to bear; so may a certificate end it before the EHLO inside. A control is judged whatever its client does.
 */
export function provenSettings(family: Family, { stack, certificate, tls, extensions }: Host): readonly Setting[] {
  if (family === 'control' || stack.some(({ fires }) => fires === 'must')) return []
  const before = extensions.beforeTls !== undefined
  const after = extensions.afterTls !== undefined
  const offered: Setting = before && after ? 'extensions' : before ? 'extensions:before-tls' : 'extensions:after-tls'
  return [
    ...(tls.on === 'none' ? [] : tlsSettings(tls)),
    ...((before || after) && certificate === 'good' ? [offered] : []),
  ]
}

function tlsSettings({ legacy, ...tls }: Host['tls']): readonly Setting[] {
  const set: Readonly<Record<Extract<Setting, `tls:${string}`>, boolean>> = {
    'tls:version': tls.min !== 'TLSv1.2' || tls.max !== 'TLSv1.3' || legacy !== undefined,
    'tls:ciphers': tls.ciphers !== undefined || legacy?.suites !== undefined,
    'tls:extended-master-secret': tls.extendedMasterSecret === false,
    'tls:client-certificate': tls.clientCertificate !== undefined,
    'tls:server-name': tls.withoutServerName !== undefined,
    'tls:diffie-hellman': tls.diffieHellman !== undefined || (legacy !== undefined && legacy.dhBits < 2048),
    'tls:secure-renegotiation': legacy?.secureRenegotiation === false,
  }
  return (Object.keys(set) as (keyof typeof set)[]).filter((setting) => set[setting])
}
