/**
 * Lets the server's part of the TLS handshake out one octet at a time, under TLS.
 *
 * RFC 5321 §4.5.3.2 names no limit for the handshake; a client needs one all the same, for the whole and not for the silence
 * between two octets. RFC 8446 §4 for what would have come.
 */
import { z } from 'zod'
import { after, defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import type { WireOutput } from '../wire/units.ts'

const parameters = z.strictObject({
  seconds: z.number().min(0.1).max(3600).default(30).describe('Between two octets, scaled clock, 0.1 to 3600.'),
})

export const behaviour = defineBehaviour<z.infer<typeof parameters>>({
  id: 'drip-handshake',
  title: 'Sends the TLS handshake one octet at a time',
  source: ['RFC 5321 §4.5.3.2', 'RFC 8446 §4'],
  plane: 'record',
  parameters,
  shapes: ['handshake'],
  hides: after('handshake'),
  create({ seconds }) {
    let begun = false
    let queue: Buffer = Buffer.alloc(0)
    let waiting = false

    const next = (): WireOutput[] => {
      waiting = queue.length > 0
      if (!waiting) return []
      const bytes = queue.subarray(0, 1)
      queue = queue.subarray(1)
      return [
        { type: 'bytes', from: 'server', bytes },
        { type: 'wake-me', alarm: 'next', afterMs: seconds * 1000, clock: 'scaled' },
      ]
    }
    return {
      on(event) {
        if (event.type === 'wake') return next()
        if (event.type === 'tls' && event.end === 'client' && event.state === 'hello') {
          begun = true
          return [{ type: 'opportunity', detail: 'the ClientHello arrived' }]
        }
        if (!begun || event.type !== 'bytes' || event.from !== 'server') return passUnits(event)
        const first = queue.length === 0 && !waiting
        queue = Buffer.concat([queue, event.bytes])
        if (!first) return []
        return [{ type: 'fired', detail: `began to send the handshake, one octet every ${seconds} s` }, ...next()]
      },
    }
  },
})
