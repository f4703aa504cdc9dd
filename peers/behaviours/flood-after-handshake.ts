/**
 * Floods a client with messages that TLS 1.3 allows after a handshake (RFC 8446 §4.6): tickets, so many and then the session goes on;
 * or KeyUpdates without end, each under the keys that the one before it led to.
 *
 * What always holds: nothing of the server's leaves between the client's Finished and the flood, so that the flood is the first
 * under the application keys; what follows is sealed anew, with the numbers that the client expects. No message is made before
 * the client's end has taken those before it. A session that is not of TLS 1.3 is left alone.
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { HandshakeReader } from '../tls/handshake.ts'
import { TrafficKeys } from '../tls/traffic-keys.ts'
import { passUnits } from '../wire/termination.ts'
import { type Bytes, NOTHING, type TlsSession, type WireOutput } from '../wire/units.ts'
import { LeadingRecords } from './starttls/tls-records.ts'

const parameters = z.strictObject({
  with: z
    .enum(['tickets', 'key-updates'])
    .default('tickets')
    .describe('NewSessionTickets, `count` of them; or KeyUpdates without end.'),
  count: z.int().min(1).max(1_000_000).default(1000).describe('How many tickets, 1 to 1,000,000.'),
})

const HANDSHAKE = 22
/** Tickets that are made at a time. */
const BATCH = 200

/**
 * A flood without end is a thousand a second, ten at a time. OpenSSL's SSL_read comes back only when it has read all that is there:
 * a client that reads more slowly than this machine writes would never look at its clock, whatever its limits are, and the verdict
 * would be about the machine.
 */
const ENDLESS = { batch: 10, breathMs: 10 } as const

/** NewSessionTicket, RFC 8446 §4.6.1: two hours, a nonce that counts, and a ticket that opens nothing. */
function ticket(number: number): Buffer {
  const body = Buffer.alloc(4 + 4 + 1 + 4 + 2 + 32 + 2, number & 255)
  body.writeUInt32BE(7200, 0)
  body[8] = 4
  body.writeUInt32BE(number, 9)
  body.writeUInt16BE(32, 13)
  body.writeUInt16BE(0, 47)
  return Buffer.concat([Buffer.from([4, 0, 0, body.length]), body])
}

/** KeyUpdate that asks for none in return, RFC 8446 §4.6.3. */
const KEY_UPDATE: Buffer = Buffer.from([24, 0, 0, 1, 0])

export const behaviour = defineBehaviour<z.infer<typeof parameters>>({
  id: 'flood-after-handshake',
  title: 'Floods the client with tickets or KeyUpdates when a handshake of TLS 1.3 is over',
  source: ['RFC 8446 §4.6.1, §4.6.3'],
  plane: 'record',
  parameters,
  shapes: ['ehlo-in-tls'],
  hides: [],
  create({ with: what, count }) {
    let state: 'before' | 'reading' | 'encrypted' | 'flood' | 'again' | 'over' = 'before'
    let reader = new HandshakeReader()
    let held: Bytes[] = []
    let cipher = ''
    let sealing: TrafficKeys | undefined
    let opening: TrafficKeys | undefined
    const records = new LeadingRecords()
    let sent = 0
    const { batch: size, breathMs } = what === 'tickets' ? { batch: BATCH, breathMs: 0 } : ENDLESS

    const fromServer = (bytes: Buffer): Bytes => ({ type: 'bytes', from: 'server', bytes })
    const release = (): readonly WireOutput[] => {
      state = 'over'
      const outputs = held
      held = []
      return outputs
    }
    /** What the server has sent, under the numbers that follow the flood. */
    const resealed = (bytes: Buffer): WireOutput[] =>
      records.push(bytes).records.flatMap(({ bytes: record }) => {
        const inner = opening?.open(record)
        return inner === undefined || sealing === undefined ? [] : [fromServer(sealing.seal(inner.type, inner.content))]
      })
    const message = (): Buffer => {
      if (sealing === undefined) return Buffer.alloc(0)
      if (what === 'tickets') return sealing.seal(HANDSHAKE, ticket(sent))
      const record = sealing.seal(HANDSHAKE, KEY_UPDATE)
      sealing = new TrafficKeys(cipher, sealing.updatedSecret)
      return record
    }
    const flood = (): WireOutput[] => {
      const wanted = what === 'tickets' ? Math.min(size, count - sent) : size
      const batch: Buffer[] = []
      for (let number = 0; number < wanted; number++, sent++) batch.push(message())
      const more = what === 'key-updates' || sent < count
      if (!more) state = 'again'
      return [
        ...(batch.length === 0 ? [] : [fromServer(Buffer.concat(batch))]),
        ...(more
          ? [{ type: 'wake-me', alarm: 'more', afterMs: breathMs, clock: 'wall', drained: true } as const]
          : held.splice(0).flatMap(({ bytes }) => resealed(bytes))),
      ]
    }
    const up = (session: TlsSession | undefined): readonly WireOutput[] => {
      if (session?.serverSecret === undefined) return release()
      state = 'flood'
      cipher = session.cipher
      sealing = new TrafficKeys(cipher, session.serverSecret)
      opening = new TrafficKeys(cipher, session.serverSecret)
      const told = what === 'tickets' ? `${count} NewSessionTickets` : 'KeyUpdates without end'
      return [
        { type: 'opportunity', detail: 'a handshake of TLS 1.3 is over' },
        { type: 'fired', detail: told },
        ...flood(),
      ]
    }
    return {
      on(event) {
        if (event.type === 'wake') return state === 'flood' ? flood() : NOTHING
        if (event.type === 'tls' && event.end === 'client') {
          if (event.state === 'hello') {
            state = 'reading'
            reader = new HandshakeReader()
          } else if (event.state !== 'presented' && state === 'encrypted') return up(event.session)
          return NOTHING
        }
        if (event.type !== 'bytes') return passUnits(event)
        if (event.from === 'client') {
          // The client's second flight is encrypted with TLS 1.3 from its first octet on.
          if (state === 'reading' && reader.push(event.bytes).some(({ kind }) => kind === 'encrypted'))
            state = 'encrypted'
          return [event]
        }
        if (state === 'again') return resealed(event.bytes)
        if (state !== 'encrypted' && state !== 'flood') return [event]
        held.push(event)
        return NOTHING
      },
    }
  },
})
