/**
 * The TLSA records that DNS has for a host. What is published does not change with what the host presents later, and of a
 * host that is an impostor's it is for the genuine key.
 */
import { tlsaText } from '../peers/dns/dane.ts'
import { associationOf } from '../peers/dns/tlsa.ts'
import type { HostIssuer } from './host-tls.ts'
import { compact, type Host, type TlsaSpec } from './scenario.ts'
import type { PublishedTlsa } from './zones.ts'

/** RFC 7672 §3.1.1: what hosts are advised to publish. */
const USUAL_TLSA: TlsaSpec = { parameters: { usage: 3, selector: 1, matchingType: 1 }, of: 'leaf' }

/**
 * @param items what the scenario says of the host; without a word the usual record
 * @param at see {@link HostIssuer.issue}
 * @throws where the chain of the host has no certificate of the kind that a record is of
 */
export function publishedTlsa(
  items: readonly TlsaSpec[] = [USUAL_TLSA],
  host: Pick<Host, 'certificate'>,
  names: { readonly host: string; readonly domain: string },
  issuer: HostIssuer & { readonly rootDer: Buffer },
  at?: Date,
): Promise<readonly PublishedTlsa[]> {
  return Promise.all(
    items.map(async ({ parameters, of, certificate, data, base, alias }) => {
      const presented = await issuer.issue(host.certificate, names, at)
      const genuine = presented.impostor === true ? 'good' : presented.id
      const { chain } = await issuer.issue(certificate ?? genuine, names, at)
      const source = { leaf: chain[0], issuer: chain[1], root: issuer.rootDer }[of]
      if (source === undefined) throw new Error(`${names.host}: the chain of ${host.certificate} has no ${of}`)
      const association = data === undefined ? associationOf(source, parameters) : Buffer.from(data, 'hex')
      return { text: tlsaText({ ...parameters, association }), ...compact({ base, alias }) }
    }),
  )
}
