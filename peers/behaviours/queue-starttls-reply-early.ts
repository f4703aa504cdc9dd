/**
 * Appends a 220 to the EHLO reply in clear, in the same write, so that it is there before STARTTLS is sent; the real 220
 * comes later, after a pause in which a client that took the early one shows its ClientHello. RFC 5321 §4.2: one reply for
 * each command, sent after it.
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { NOTHING, type Reply } from '../wire/units.ts'
import { octets, octetsOf, quoted } from './starttls/octets.ts'

const parameters = z.strictObject({
  bytes: octets('220 2.0.0 Ready to start TLS\r\n', 'What follows the EHLO reply.'),
  withholdMs: z
    .int()
    .min(0)
    .max(60_000)
    .default(1000)
    .describe('How long the real reply to STARTTLS is kept back, in milliseconds of the wall clock, 0 to 60000.'),
})

export const behaviour = defineBehaviour<z.infer<typeof parameters>>({
  id: 'queue-starttls-reply-early',
  title: 'Sends a 220 with the EHLO reply, before STARTTLS',
  source: ['RFC 5321 §4.2', 'RFC 3207 §4, §6'],
  plane: 'smtp',
  parameters,
  shapes: ['ehlo-reply', 'starttls-reply'],
  hides: ['handshake', 'ehlo-in-tls'],
  create({ bytes, withholdMs }) {
    const greetings = new Set<number>()
    let asked: number | undefined
    let kept: Reply | undefined
    return {
      on(event) {
        if (event.type === 'command' && !event.secured) {
          if (event.verb === 'EHLO') greetings.add(event.id)
          if (event.verb === 'STARTTLS') asked = event.id
          return [event]
        }
        if (
          event.type === 'reply' &&
          event.id !== null &&
          event.last &&
          greetings.delete(event.id) &&
          event.code === 250
        ) {
          return [
            { type: 'opportunity', detail: 'the EHLO reply passed in clear' },
            { type: 'fired', detail: `added ${quoted(bytes)} to the EHLO reply` },
            { ...event, bytes: Buffer.concat([event.bytes, octetsOf(bytes)]) },
          ]
        }
        if (event.type === 'reply' && event.id === asked && event.last && kept === undefined) {
          kept = event
          return [{ type: 'wake-me', alarm: 'release', afterMs: withholdMs, clock: 'wall' }]
        }
        if (event.type === 'wake') return kept === undefined ? NOTHING : [kept]
        return passUnits(event)
      },
    }
  },
})
