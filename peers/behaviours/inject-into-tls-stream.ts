/**
 * Writes cleartext into the stream of TLS records that goes to the client. RFC 8446 §5.1: octets that are no record, where a
 * record must be, end the connection with an alert; they are never text.
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { type Bytes, NOTHING, type WireOutput } from '../wire/units.ts'
import { octets, octetsOf, quoted } from './starttls/octets.ts'
import { StarttlsWatch } from './starttls/starttls-watch.ts'
import { beginningOf } from './starttls/tls-records.ts'

const parameters = z.strictObject({
  at: z
    .enum(['before-server-hello', 'after-server-hello', 'after-handshake'])
    .default('before-server-hello')
    .describe('In a segment of its own behind the 220; behind the first record of the server; or when TLS is up.'),
  bytes: octets('250 2.0.0 injected\r\n', 'What is written.'),
  delayMs: z
    .int()
    .min(0)
    .max(10_000)
    .default(150)
    .describe(
      'For `before-server-hello`: milliseconds of the wall clock behind the 220, 0 to 10000; the server waits so long.',
    ),
})
type Parameters = z.infer<typeof parameters>

/** Application data (RFC 8446 §5.1): in TLS 1.3 also what follows the ServerHello, but TLS is up by then. */
const APPLICATION_DATA = 23

/** What a client has to do first. */
const CHANCE: Partial<Record<Parameters['at'], { readonly state: 'hello' | 'up'; readonly detail: string }>> = {
  'after-server-hello': { state: 'hello', detail: 'a ClientHello arrived' },
  'after-handshake': { state: 'up', detail: 'TLS is up' },
}

const NONE = Buffer.alloc(0)

const fromServer = (bytes: Buffer): Bytes => ({ type: 'bytes', from: 'server', bytes })

export const behaviour = defineBehaviour<Parameters>({
  id: 'inject-into-tls-stream',
  title: 'Writes cleartext between the TLS records to the client',
  source: ['RFC 8446 §5, §5.1', 'RFC 3207 §6'],
  plane: 'record',
  parameters,
  shapes: ['handshake'],
  hides: ['ehlo-in-tls', 'auth', 'mail', 'rcpt', 'data'],
  create({ at, bytes, delayMs }) {
    const watch = new StarttlsWatch()
    const text = octetsOf(bytes)
    let up = false
    let done = false
    /** Octets for the client that have to wait. */
    let held: Buffer = NONE

    const inject = (before: Buffer, after: Buffer): WireOutput[] => {
      done = true
      held = NONE
      return [
        ...(before.length > 0 ? [fromServer(before)] : []),
        { type: 'fired', detail: `wrote ${quoted(bytes)} in clear ${at.replaceAll('-', ' ')}` },
        fromServer(text),
        ...(after.length > 0 ? [fromServer(after)] : []),
      ]
    }
    /** The server refuses the handshake with an alert: there is no ServerHello to write behind. */
    const giveUp = (): WireOutput[] => {
      done = true
      return [fromServer(held)]
    }
    const whileTls = (octetsSeen: Buffer): readonly WireOutput[] => {
      if (at === 'after-handshake')
        return up && octetsSeen[0] === APPLICATION_DATA ? inject(NONE, octetsSeen) : [fromServer(octetsSeen)]
      held = Buffer.concat([held, octetsSeen])
      if (at === 'before-server-hello') return NOTHING
      const record = beginningOf(held)
      if (record.kind === 'more' || (record.kind === 'record' && held.length < record.length)) return NOTHING
      if (record.kind === 'text' || !record.hello) return giveUp()
      return inject(held.subarray(0, record.length), held.subarray(record.length))
    }
    return {
      on(event) {
        if (event.type === 'tls' && event.end === 'client') {
          if (event.state === 'up') up = true
          const chance = CHANCE[at]
          return event.state === chance?.state ? [{ type: 'opportunity', detail: chance.detail }] : NOTHING
        }
        if (event.type === 'wake') return done ? NOTHING : inject(NONE, held)
        if (event.type !== 'bytes' || done) return passUnits(event)
        if (event.from === 'client') {
          watch.client(event.bytes)
          return up && at === 'after-handshake' ? [event, ...inject(NONE, NONE)] : [event]
        }
        if (watch.granted) return whileTls(event.bytes)
        if (!watch.server(event.bytes) || at !== 'before-server-hello') return [event]
        return [
          event,
          { type: 'opportunity', detail: 'the 220 to STARTTLS has left' },
          { type: 'wake-me', alarm: 'inject', afterMs: delayMs, clock: 'wall' },
        ]
      },
    }
  },
})
