/**
 * Alters or breaks off what the server sends in a TLS 1.2 handshake, whose messages are in clear (RFC 5246 §7.4): a field of
 * the ServerHello, the signature of the ServerKeyExchange, a record that does not belong there, or an end in its middle.
 *
 * What always holds: at most one thing is altered; handshakes of TLS 1.3, and messages that the server does not send (a
 * resumed session has no Certificate), pass as they are and without a firing. Expects a host whose highest version is TLS
 * 1.2, with one handshake message to a record, as OpenSSL writes them.
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { type Bytes, NOTHING, type WireOutput } from '../wire/units.ts'
import { octets, octetsOf } from './starttls/octets.ts'
import { beginningOf } from './starttls/tls-records.ts'

const MESSAGES = { 'server-hello': 2, certificate: 11, 'server-key-exchange': 12, 'server-hello-done': 14 } as const

const parameters = z.strictObject({
  message: z
    .enum(['server-hello', 'certificate', 'server-key-exchange', 'server-hello-done'])
    .default('server-hello')
    .describe('The handshake message of the server that it is about, RFC 5246 §7.4.'),
  how: z
    .enum(['version', 'cipher', 'compression', 'extension', 'flip', 'insert-before', 'insert-after', 'cut'])
    .default('flip')
    .describe(
      'Of the ServerHello: set its version, cipher suite or compression method to `value`, or add an empty extension of type ' +
        '`value`. Of any: flip a bit of its last octet; send `octets` before or behind it; send half of it and then `then`.',
    ),
  value: z.int().min(0).max(65535).default(0).describe('A code point of the registry that `how` is about.'),
  octets: octets(
    '\x14\x03\x03\x00\x01\x01',
    'What `insert-before` and `insert-after` send; the default is ChangeCipherSpec.',
  ),
  then: z.enum(['fin', 'rst', 'stall']).default('fin').describe('For `cut`: FIN, RST, or silence.'),
  whole: z.boolean().default(false).describe('For `cut`: send all of the message and not half.'),
})
type Parameters = z.infer<typeof parameters>

const RECORD_HEADER = 5
const fromServer = (bytes: Buffer): Bytes => ({ type: 'bytes', from: 'server', bytes })

/** The ServerHello's record with one field changed. Offsets as in RFC 5246 §7.4.1.3: type, length, version, random, session. */
function changedHello(record: Buffer, { how, value }: Parameters): Buffer {
  const changed = Buffer.from(record)
  const session = RECORD_HEADER + 4 + 2 + 32
  const suite = session + 1 + (changed[session] ?? 0)
  if (how === 'version') changed.writeUInt16BE(value, RECORD_HEADER + 4)
  else if (how === 'cipher') changed.writeUInt16BE(value, suite)
  else if (how === 'compression') changed[suite + 2] = value
  else return withExtension(changed, suite + 3, value)
  return changed
}

function withExtension(record: Buffer, lengthAt: number, type: number): Buffer {
  const bare = record.length === lengthAt
  const longer = Buffer.concat([record, Buffer.alloc(bare ? 6 : 4)])
  const added = longer.length - record.length
  longer.writeUInt16BE(type, longer.length - 4)
  longer.writeUInt16BE((bare ? 0 : record.readUInt16BE(lengthAt)) + 4, lengthAt)
  longer.writeUIntBE(record.readUIntBE(RECORD_HEADER + 1, 3) + added, RECORD_HEADER + 1, 3)
  longer.writeUInt16BE(record.readUInt16BE(3) + added, 3)
  return longer
}

export const behaviour = defineBehaviour<Parameters>({
  id: 'alter-handshake',
  title: 'Alters or breaks off the part of the server in a TLS 1.2 handshake',
  source: ['RFC 5246 §7.4', 'RFC 8446 §4.1.3', 'CVE-2014-0224', 'RFC 7435 §4'],
  plane: 'record',
  parameters,
  shapes: ['handshake'],
  hides: [],
  create(given) {
    const { message, how, then, whole } = given
    let state: 'clear' | 'handshake' | 'over' | 'mute' = 'clear'
    let held: Buffer = Buffer.alloc(0)

    const alter = (record: Buffer): WireOutput[] => {
      const name = message.replaceAll('-', ' ')
      if (how === 'cut') {
        state = 'mute'
        const end = then === 'stall' ? 'silence' : then.toUpperCase()
        return [
          { type: 'fired', detail: `${whole ? 'all' : 'half'} of the ${name}, then ${end}`, original: record },
          fromServer(whole ? record : record.subarray(0, record.length >> 1)),
          ...(then === 'stall' ? [] : [{ type: 'close', end: 'client', how: then } as const]),
        ]
      }
      state = 'over'
      if (how === 'insert-before' || how === 'insert-after') {
        const extra = octetsOf(given.octets)
        const sides = how === 'insert-before' ? [extra, record] : [record, extra]
        const where = how === 'insert-before' ? 'before' : 'behind'
        return [{ type: 'fired', detail: `${extra.length} octets ${where} the ${name}` }, ...sides.map(fromServer)]
      }
      if (how !== 'flip') {
        const detail = `set the ${how} of the ${name} to 0x${given.value.toString(16).padStart(4, '0')}`
        return [{ type: 'fired', detail, original: record }, fromServer(changedHello(record, given))]
      }
      const flipped = Buffer.from(record)
      const last = flipped.length - 1
      flipped[last] = (flipped[last] ?? 0) ^ 1
      return [{ type: 'fired', detail: `flipped a bit of the ${name}`, original: record }, fromServer(flipped)]
    }

    const records = (): WireOutput[] => {
      const outputs: WireOutput[] = []
      while (state === 'handshake') {
        const beginning = beginningOf(held)
        if (beginning.kind === 'text') state = 'over'
        if (beginning.kind !== 'record' || held.length < beginning.length) break
        const record = held.subarray(0, beginning.length)
        held = held.subarray(beginning.length)
        if (!beginning.hello) state = 'over'
        const ours = beginning.hello && record[RECORD_HEADER] === MESSAGES[message]
        outputs.push(...(ours ? alter(record) : [fromServer(record)]))
      }
      if (state === 'over' && held.length > 0) outputs.push(fromServer(held))
      if (state !== 'handshake') held = Buffer.alloc(0)
      return outputs
    }
    return {
      on(event) {
        if (event.type === 'tls' && event.end === 'client' && event.state === 'hello') {
          state = 'handshake'
          return [{ type: 'opportunity', detail: 'a ClientHello arrived' }]
        }
        if (event.type !== 'bytes' || event.from === 'client') return passUnits(event)
        if (state === 'mute') return NOTHING
        if (state !== 'handshake') return [event]
        held = Buffer.concat([held, event.bytes])
        return records()
      },
    }
  },
})
