/**
 * Breaks the proof that comes with a TLS 1.3 session: a bit of every PSK binder in the ClientHello is flipped on its way to
 * the server, which must then abort the handshake with an alert (RFC 8446 §4.2.11.2), as a server does whose ticket holds
 * another key than the client's.
 *
 * What always holds: a ClientHello without a pre-shared key, and all that follows the first ClientHello, pass as they are. One
 * that is split over records passes unmarked: no client's is that long.
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { readClientHello } from '../tls/client-hello.ts'
import { passUnits } from '../wire/termination.ts'
import { type Bytes, NOTHING, type WireOutput } from '../wire/units.ts'
import { StarttlsWatch } from './starttls/starttls-watch.ts'
import { beginningOf } from './starttls/tls-records.ts'

const parameters = z.strictObject({})

const RECORD_HEADER = 5
const HANDSHAKE_HEADER = 4
const PRE_SHARED_KEY = 41

const fromClient = (bytes: Buffer): Bytes => ({ type: 'bytes', from: 'client', bytes })

/**
 * Where the binders of a ClientHello are, by their last octets; pre_shared_key is the last extension (RFC 8446 §4.2.11).
 * Empty where its lengths lead astray.
 */
function binderEnds(record: Buffer): readonly number[] {
  const ends: number[] = []
  try {
    let at = RECORD_HEADER + HANDSHAKE_HEADER + 2 + 32
    at += 1 + record.readUInt8(at)
    at += 2 + record.readUInt16BE(at)
    at += 1 + record.readUInt8(at) + 2
    while (record.readUInt16BE(at) !== PRE_SHARED_KEY) at += 4 + record.readUInt16BE(at + 2)
    const end = at + 4 + record.readUInt16BE(at + 2)
    at += 4
    at += 2 + record.readUInt16BE(at) + 2
    while (at < end) {
      at += 1 + record.readUInt8(at)
      ends.push(at - 1)
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return []
  }
  return ends.every((end) => end < record.length) ? ends : []
}

export const behaviour = defineBehaviour<z.infer<typeof parameters>>({
  id: 'break-binder',
  title: 'Flips a bit of the PSK binders of a ClientHello that offers a TLS 1.3 session',
  source: ['RFC 8446 §4.2.11, §4.2.11.2'],
  plane: 'record',
  parameters,
  shapes: ['handshake'],
  hides: ['ehlo-in-tls', 'auth', 'mail', 'rcpt', 'data'],
  create() {
    const watch = new StarttlsWatch()
    /** Nothing has come yet: TLS may begin with the connection. */
    let first = true
    let state: 'clear' | 'hello' | 'over' = 'clear'
    let held: Buffer = Buffer.alloc(0)

    const broken = (record: Buffer): WireOutput[] => {
      const changed = Buffer.from(record)
      const ends = binderEnds(record)
      if (ends.length === 0) return [fromClient(record)]
      for (const end of ends) changed[end] = (changed[end] ?? 0) ^ 1
      return [
        { type: 'opportunity', detail: 'the ClientHello offers a session (psk)' },
        { type: 'fired', detail: `flipped a bit of ${ends.length} PSK binder${ends.length === 1 ? '' : 's'}` },
        fromClient(changed),
      ]
    }
    const read = (): readonly WireOutput[] => {
      const beginning = beginningOf(held)
      if (beginning.kind === 'more' || (beginning.kind === 'record' && held.length < beginning.length)) return NOTHING
      state = 'over'
      const size = beginning.kind === 'record' ? beginning.length : 0
      const reading = readClientHello(held.subarray(0, size))
      if (reading.state !== 'hello' || reading.hello.session !== 'psk') return [fromClient(held)]
      const rest = held.subarray(size)
      return [...broken(held.subarray(0, size)), ...(rest.length > 0 ? [fromClient(rest)] : [])]
    }
    return {
      on(event) {
        if (event.type === 'eof' && held.length > 0 && state === 'hello') return [fromClient(held), event]
        if (event.type !== 'bytes' || state === 'over') return passUnits(event)
        if (event.from === 'server') {
          first = false
          if (state === 'clear' && watch.server(event.bytes)) state = 'hello'
          return [event]
        }
        if (state === 'clear') {
          const onConnect = first && beginningOf(event.bytes).kind !== 'text'
          first = false
          if (!onConnect) {
            watch.client(event.bytes)
            return [event]
          }
          state = 'hello'
        }
        held = Buffer.concat([held, event.bytes])
        return read()
      },
    }
  },
})
