/**
 * Refuses the certificates that a client presents: any, or a chain with an MD5 signature anywhere in it, or one whose leaf
 * wants a stapled response. What counts is what crossed the wire, roots included. A client that presents none, or none that is
 * meant, is served.
 *
 * At TLS 1.2 and below the Certificate message is in clear, and the refusal comes in the middle of the handshake, in place of
 * the server's Finished (RFC 5246 §7.4.6). At TLS 1.3 it is encrypted, and the client takes the handshake for done when it
 * has sent it: the refusal is what it meets at its first read (RFC 8446 §4.4.2.4, appendix E.1).
 *
 * What always holds: after the refusal nothing passes in either direction; at TLS 1.3 nothing of the server's leaves between
 * the client's Finished and the decision. Expects a host that asks for a certificate.
 */
import { z } from 'zod'
import { after, defineBehaviour } from '../behaviour.ts'
import { oid } from '../certificates/der.ts'
import { DerError } from '../certificates/der-reader.ts'
import { readCertificate } from '../certificates/presented.ts'
import { HANDSHAKE, HandshakeReader, readCertificateList } from '../tls/handshake.ts'
import { sealedAlert } from '../tls/sealed-alert.ts'
import { passUnits } from '../wire/termination.ts'
import { type Bytes, NOTHING, type TlsSession, type WireOutput } from '../wire/units.ts'

const parameters = z.strictObject({
  of: z
    .enum(['any', 'md5-signature', 'must-staple'])
    .default('any')
    .describe('Which chains: any; one with a certificate that is signed with MD5; one whose leaf wants a staple.'),
  how: z.enum(['alert', 'fin', 'rst']).default('alert').describe('A fatal alert and FIN; FIN alone; RST.'),
  alert: z.int().min(0).max(255).default(48).describe('Alert description, RFC 8446 §6; 48 is unknown_ca.'),
})
type Parameters = z.infer<typeof parameters>

/** md5WithRSAEncryption, RFC 3279 §2.2.1. */
const MD5 = '1.2.840.113549.1.1.4'
/** RFC 7633 §4. */
const TLS_FEATURE = oid('1.3.6.1.5.5.7.1.24')

/** Why a chain is refused, or undefined. */
function refusalOf(chain: readonly Buffer[], { of }: Parameters): string | undefined {
  const [leaf] = chain
  if (leaf === undefined) return undefined
  if (of === 'any') return `a chain of ${chain.length}`
  if (of === 'must-staple') return leaf.includes(TLS_FEATURE) ? 'a leaf that wants a stapled response' : undefined
  const place = chain.findIndex((certificate) => signatureOf(certificate) === MD5)
  return place === -1 ? undefined : `certificate ${place + 1} of ${chain.length} is signed with MD5`
}

function signatureOf(certificate: Buffer): string | undefined {
  try {
    return readCertificate(certificate).signatureAlgorithm
  } catch (error) {
    if (error instanceof DerError) return undefined
    throw error
  }
}

export const behaviour = defineBehaviour<Parameters>({
  id: 'refuse-client-certificate',
  title: 'Refuses the certificates that the client presents, in the handshake or, at TLS 1.3, right after it',
  source: [
    'RFC 5246 §7.2.2, §7.4.6',
    'RFC 8446 §4.4.2.4',
    'Exchange Online (outlook.com, 2016)',
    'CAcert class 1 root',
  ],
  plane: 'record',
  parameters,
  shapes: ['handshake'],
  hides: after('handshake'),
  create(given) {
    let state: 'before' | 'reading' | 'encrypted' | 'over' | 'refused' = 'before'
    let reader = new HandshakeReader()
    /** What is kept back until it is decided: of the client at TLS 1.2, of the server at TLS 1.3. */
    let held: Bytes[] = []

    const release = (next: typeof state = 'over'): readonly WireOutput[] => {
      state = next
      const outputs = held
      held = []
      return outputs
    }
    const refuse = (why: string, alert: () => Buffer): readonly WireOutput[] => {
      state = 'refused'
      held = []
      const { how } = given
      const told = how === 'alert' ? `alert ${given.alert}, then FIN` : how.toUpperCase()
      return [
        { type: 'opportunity', detail: `the client presented ${why}` },
        { type: 'fired', detail: `refused the client's certificate with ${told}: ${why}` },
        ...(how === 'alert' ? [{ type: 'bytes', from: 'server', bytes: alert() } as const] : []),
        how === 'rst'
          ? { type: 'close', end: 'client', how: 'rst' }
          : { type: 'close', end: 'client', how: 'fin', withoutNotify: true },
      ]
    }
    /** The client's second flight: its Certificate comes first, where it was asked for one. */
    const fromClient = (event: Bytes): readonly WireOutput[] => {
      held.push(event)
      const [part] = reader.push(event.bytes)
      if (part === undefined) return NOTHING
      if (part.kind === 'encrypted') return release('encrypted')
      if (part.kind !== 'message') return release()
      // The second hello that a HelloRetryRequest brings.
      if (part.type === HANDSHAKE.clientHello) return release('reading')
      if (part.type !== HANDSHAKE.certificate) return release()
      const why = refusalOf(readCertificateList(part.body), given)
      if (why === undefined) return release()
      return refuse(why, () => Buffer.from([0x15, 3, 3, 0, 2, 2, given.alert]))
    }
    const up = ({ clientChain, cipher, serverSecret }: TlsSession): readonly WireOutput[] => {
      const why = serverSecret === undefined ? undefined : refusalOf(clientChain, given)
      if (serverSecret === undefined || why === undefined) return release()
      return refuse(why, () => sealedAlert(cipher, serverSecret, given.alert))
    }
    return {
      on(event) {
        if (event.type === 'tls' && event.end === 'client') {
          if (event.state === 'hello') {
            state = 'reading'
            reader = new HandshakeReader()
            return NOTHING
          }
          if (state !== 'encrypted' || event.state === 'presented') return NOTHING
          return event.session === undefined ? release() : up(event.session)
        }
        if (event.type !== 'bytes') return passUnits(event)
        if (state === 'refused') return NOTHING
        if (event.from === 'client') return state === 'reading' ? fromClient(event) : [event]
        if (state !== 'encrypted') return [event]
        held.push(event)
        return NOTHING
      },
    }
  },
})
