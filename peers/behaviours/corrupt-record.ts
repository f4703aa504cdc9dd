/**
 * Falsifies what the server sends under TLS, from the first record after the handshake on: one octet of it flipped, so that
 * its authentication fails (RFC 8446 §5.2: bad_record_mac); the record cut and the connection ended without close_notify
 * (§6.1); or cleartext in its place, as if the server went on without TLS (RFC 3207 §4.2). With TLS 1.3 the first record may
 * be a session ticket: to the client it is the same.
 *
 * What always holds: nothing that the server sends after that reaches the client, so that no reply inside TLS can.
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { type Bytes, NOTHING, type WireOutput } from '../wire/units.ts'
import { octets, octetsOf, quoted } from './starttls/octets.ts'
import { beginningOf } from './starttls/tls-records.ts'

const parameters = z.strictObject({
  how: z
    .enum(['flip', 'cut', 'clear'])
    .default('flip')
    .describe('Flip one octet; send half of the record and FIN; send cleartext instead.'),
  text: octets('250-mx.badmx.test\r\n250 SIZE 10485760\r\n', 'The cleartext.'),
})

const fromServer = (bytes: Buffer): Bytes => ({ type: 'bytes', from: 'server', bytes })

export const behaviour = defineBehaviour<z.infer<typeof parameters>>({
  id: 'corrupt-record',
  title: 'Falsifies the first record of the server after the handshake',
  source: ['RFC 8446 §5.2, §6.1', 'RFC 3207 §4.2'],
  plane: 'record',
  parameters,
  underTls: true,
  shapes: ['ehlo-in-tls'],
  hides: ['auth', 'mail', 'rcpt', 'data'],
  create({ how, text }) {
    let state: 'handshake' | 'up' | 'done' = 'handshake'
    let held: Buffer = Buffer.alloc(0)

    const falsified = (record: Buffer): WireOutput[] => {
      state = 'done'
      if (how === 'clear')
        return [
          { type: 'fired', detail: `sent ${quoted(text)} in clear instead of a TLS record`, original: record },
          fromServer(octetsOf(text)),
        ]
      if (how === 'cut')
        return [
          { type: 'fired', detail: `sent half of a TLS record of ${record.length} octets, then FIN`, original: record },
          fromServer(record.subarray(0, record.length >> 1)),
          { type: 'close', end: 'client', how: 'fin', withoutNotify: true },
        ]
      const flipped = Buffer.from(record)
      const last = flipped.length - 1
      flipped[last] = (flipped[last] ?? 0) ^ 1
      return [
        { type: 'fired', detail: `flipped an octet of a TLS record of ${record.length}`, original: record },
        fromServer(flipped),
      ]
    }
    return {
      on(event) {
        if (event.type === 'tls' && event.end === 'client' && event.state === 'up') {
          state = 'up'
          return [{ type: 'opportunity', detail: 'TLS is up' }]
        }
        if (event.type !== 'bytes' || event.from === 'client' || state === 'handshake') return passUnits(event)
        if (state === 'done') return NOTHING
        held = Buffer.concat([held, event.bytes])
        const record = beginningOf(held)
        if (record.kind !== 'record' || held.length < record.length) return NOTHING
        return falsified(held.subarray(0, record.length))
      },
    }
  },
})
