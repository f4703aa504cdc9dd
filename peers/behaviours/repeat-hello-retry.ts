/**
 * Answers every ClientHello of TLS 1.3 with a HelloRetryRequest that asks for a share of a group of the client's: once is allowed,
 * the second must end the handshake with unexpected_message (RFC 8446 §4.1.4). No server stands behind it.
 *
 * What always holds: a client without TLS 1.3, or with no group to be asked for, is left alone. It has fired with the second
 * request.
 */
import { z } from 'zod'
import { after, defineBehaviour } from '../behaviour.ts'
import type { HelloSeen } from '../events.ts'
import { readClientHello } from '../tls/client-hello.ts'
import { passUnits } from '../wire/termination.ts'
import { type Bytes, NOTHING, type WireOutput } from '../wire/units.ts'
import { LeadingRecords } from './starttls/tls-records.ts'

const parameters = z.strictObject({
  requests: z.int().min(2).max(1000).default(2).describe('How many are sent; then silence on an open connection.'),
})

const TLS13 = 0x0304
const HANDSHAKE = 22
/** The random that makes a ServerHello a HelloRetryRequest, RFC 8446 §4.1.3. */
const RETRY: Buffer = Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex')

const uint16 = (number: number): Buffer => Buffer.from([number >> 8, number & 255])

/** The request: the hello's session id, a suite of its own, and the group. */
function helloRetryRequest(sessionId: Buffer, suite: number, group: number): Buffer {
  const extensions = Buffer.concat([Buffer.from([0, 43, 0, 2, 3, 4]), Buffer.from([0, 51, 0, 2]), uint16(group)])
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    RETRY,
    Buffer.from([sessionId.length]),
    sessionId,
    uint16(suite),
    Buffer.from([0]),
    uint16(extensions.length),
    extensions,
  ])
  const message = Buffer.concat([Buffer.from([2, 0]), uint16(body.length), body])
  return Buffer.concat([Buffer.from([HANDSHAKE, 3, 3]), uint16(message.length), message])
}

/** What to ask for: a suite of TLS 1.3, and the client's last group, of which it sends no share by itself. */
function wishOf(hello: HelloSeen): { readonly suite: number; readonly group: number } | undefined {
  const suite = hello.cipherSuites.find((id) => id >> 8 === 0x13)
  const group = hello.groups.at(-1)
  return suite === undefined || group === undefined || !hello.versions.includes(TLS13) ? undefined : { suite, group }
}

/** Record header, message header, version, random, and the length of the session id. */
const TO_SESSION_ID = 5 + 4 + 2 + 32

export const behaviour = defineBehaviour<z.infer<typeof parameters>>({
  id: 'repeat-hello-retry',
  title: 'Answers every ClientHello of TLS 1.3 with a HelloRetryRequest',
  source: ['RFC 8446 §4.1.4'],
  plane: 'record',
  parameters,
  shapes: ['handshake'],
  hides: after('handshake'),
  create({ requests }) {
    /** What the client has sent since the server last spoke: when a hello is announced, that hello. */
    let latest: Buffer = Buffer.alloc(0)
    let request: Buffer | undefined
    let records = new LeadingRecords()
    let sent = 0

    const send = (): WireOutput[] => {
      if (request === undefined || sent === requests) return []
      sent += 1
      const bytes: Bytes = { type: 'bytes', from: 'server', bytes: request }
      return [...(sent === 2 ? [{ type: 'fired', detail: 'a second HelloRetryRequest' } as const] : []), bytes]
    }
    const begin = (): readonly WireOutput[] => {
      const reading = readClientHello(latest)
      const wish = reading.state === 'hello' ? wishOf(reading.hello) : undefined
      if (wish === undefined) return NOTHING
      const sessionId = latest.subarray(TO_SESSION_ID + 1, TO_SESSION_ID + 1 + (latest[TO_SESSION_ID] ?? 0))
      request = helloRetryRequest(sessionId, wish.suite, wish.group)
      records = new LeadingRecords()
      return [{ type: 'opportunity', detail: 'a ClientHello of TLS 1.3 arrived' }, { type: 'no-tls' }, ...send()]
    }
    return {
      on(event) {
        if (event.type === 'tls' && event.end === 'client' && event.state === 'hello') return begin()
        if (event.type !== 'bytes') return passUnits(event)
        if (event.from === 'server') {
          latest = Buffer.alloc(0)
          return [event]
        }
        if (request === undefined) {
          latest = Buffer.concat([latest, event.bytes])
          return [event]
        }
        // An alert or a ChangeCipherSpec of the client is no hello.
        return [...records.push(event.bytes).records.flatMap(({ hello }) => (hello ? send() : [])), event]
      },
    }
  },
})
