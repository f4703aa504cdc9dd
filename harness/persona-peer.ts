/** From a persona to what a peer is told that is to be one. */
import type { PeerOptions } from '../peers/peer.ts'
import type { Persona } from '../peers/personas.ts'
import { type HostIssuer, tlsOptionsOf } from '../scenarios/host-tls.ts'
import { compact } from '../scenarios/scenario.ts'

/** The options of a peer with the stack of `persona`. `hostName` is `mx.` and its domain. */
export async function personaOptions(
  { certificate, extensions, tls: given, withoutServerName }: Persona,
  hostName: string,
  issuer: HostIssuer,
): Promise<PeerOptions> {
  const names = { host: hostName, domain: hostName.slice('mx.'.length) }
  const { on, min, max, ...settings } = given
  const tls = await tlsOptionsOf({ certificate, tls: { on, min, max, ...compact(settings) } }, names, issuer)
  if (tls === undefined) return { hostName, extensions }
  if (withoutServerName === undefined) return { hostName, extensions, tls }
  const other = {
    ...compact(withoutServerName),
    certificate: await issuer.issue(withoutServerName.certificate, names),
  }
  return { hostName, extensions, tls: { ...tls, withoutServerName: other } }
}
