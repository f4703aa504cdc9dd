/**
 * Lets STARTTLS and its 220 pass and then drops the client's TLS records, as a filter does that knows TLS by its records: to
 * the client it is a path on which the ClientHello is lost for ever. What it says in clear instead goes through, so that
 * nothing of it escapes the transcript.
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import type { WireOutput } from '../wire/units.ts'
import { StarttlsWatch } from './starttls/starttls-watch.ts'
import { LeadingRecords } from './starttls/tls-records.ts'

export const behaviour = defineBehaviour<Record<string, never>>({
  id: 'swallow-client-hello',
  title: 'Drops the TLS records that the client sends after the 220',
  source: ['RFC 3207 §4', 'RFC 5321 §4.5.3.2'],
  plane: 'record',
  parameters: z.strictObject({}) as z.ZodType<Record<string, never>>,
  shapes: ['after-220'],
  hides: ['handshake', 'ehlo-in-tls'],
  create() {
    const watch = new StarttlsWatch()
    const client = new LeadingRecords()
    return {
      on(event) {
        if (event.type !== 'bytes') return passUnits(event)
        if (event.from === 'server') {
          watch.server(event.bytes)
          return [event]
        }
        watch.client(event.bytes)
        if (!watch.granted) return [event]
        const { records, text } = client.push(event.bytes)
        const outputs = records.flatMap(({ hello, bytes }): WireOutput[] => [
          ...(hello ? [{ type: 'opportunity', detail: 'a ClientHello arrived' } as const] : []),
          { type: 'fired', detail: `dropped a TLS record of ${bytes.length} octets`, original: bytes },
        ])
        return text.length === 0 ? outputs : [...outputs, { ...event, bytes: text }]
      },
    }
  },
})
