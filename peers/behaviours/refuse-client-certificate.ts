/**
 * Refuses the certificate that a client presents in a TLS 1.2 handshake, where its Certificate message is in clear: with an
 * alert, FIN or RST in place of the server's Finished. A client that presents none (an empty list) is served.
 *
 * What always holds: after the refusal nothing passes in either direction. Expects a host that asks for a certificate and whose
 * highest version is TLS 1.2. RFC 5246 §7.2.2, §7.4.6.
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { NOTHING, type WireOutput } from '../wire/units.ts'
import { beginningOf } from './starttls/tls-records.ts'

const parameters = z.strictObject({
  how: z.enum(['alert', 'fin', 'rst']).default('alert').describe('A fatal alert and FIN; FIN alone; RST.'),
  alert: z.int().min(0).max(255).default(48).describe('Alert description, RFC 5246 §7.2; 48 is unknown_ca.'),
})

const CERTIFICATE = 11
const RECORD_HEADER = 5
/** Record header, message type and length, length of the list. */
const TO_FIRST = RECORD_HEADER + 4 + 3

export const behaviour = defineBehaviour<z.infer<typeof parameters>>({
  id: 'refuse-client-certificate',
  title: 'Refuses the certificate that the client presents, in a TLS 1.2 handshake',
  source: ['RFC 5246 §7.2.2, §7.4.6', 'Exchange Online (outlook.com, 2016)'],
  plane: 'record',
  parameters,
  shapes: ['handshake'],
  hides: ['ehlo-in-tls', 'auth', 'mail', 'rcpt', 'data', 'quit'],
  create({ how, alert }) {
    let state: 'before' | 'waiting' | 'over' | 'refused' = 'before'
    let held: Buffer = Buffer.alloc(0)

    const refuse = (): WireOutput[] => {
      state = 'refused'
      const record = Buffer.from([0x15, 3, 3, 0, 2, 2, alert])
      const told = how === 'alert' ? `alert ${alert}, then FIN` : how.toUpperCase()
      return [
        { type: 'opportunity', detail: 'the client presented a certificate' },
        { type: 'fired', detail: `refused the certificate of the client with ${told}` },
        ...(how === 'alert' ? [{ type: 'bytes', from: 'server', bytes: record } as const] : []),
        { type: 'close', end: 'client', how: how === 'rst' ? 'rst' : 'fin' },
      ]
    }
    /** Whole records of the client are read; the first that is no empty Certificate settles it. */
    const read = (): readonly WireOutput[] => {
      const beginning = beginningOf(held)
      if (beginning.kind === 'more') return NOTHING
      if (beginning.kind === 'record' && held.length < beginning.length) return NOTHING
      const message = beginning.kind === 'record' && beginning.hello ? held[RECORD_HEADER] : undefined
      if (message === CERTIFICATE && beginning.kind === 'record' && beginning.length > TO_FIRST) return refuse()
      state = 'over'
      const bytes = held
      held = Buffer.alloc(0)
      return [{ type: 'bytes', from: 'client', bytes }]
    }
    return {
      on(event) {
        if (event.type === 'tls' && event.end === 'client' && event.state === 'hello') {
          state = 'waiting'
          return NOTHING
        }
        if (event.type !== 'bytes') return passUnits(event)
        if (state === 'refused') return NOTHING
        if (event.from === 'server' || state !== 'waiting') return [event]
        held = Buffer.concat([held, event.bytes])
        return read()
      },
    }
  },
})
