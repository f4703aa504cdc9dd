/**
 * Lets STARTTLS and its 220 pass and then drops whatever the client sends, as a filter does that knows TLS by its records
 * and drops the packets: to the client it looks like a path on which the ClientHello is lost for ever.
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { NOTHING } from '../wire/units.ts'
import { StarttlsWatch } from './starttls/starttls-watch.ts'

export const behaviour = defineBehaviour<Record<string, never>>({
  id: 'swallow-client-hello',
  title: 'drops everything that the client sends after the 220',
  source: ['RFC 3207 §4', 'RFC 5321 §4.5.3.2'],
  plane: 'record',
  parameters: z.object({}) as z.ZodType<Record<string, never>>,
  shapes: ['after-220'],
  hides: ['handshake', 'ehlo-in-tls'],
  create() {
    const watch = new StarttlsWatch()
    let dropped = false
    return {
      on(event) {
        if (event.type !== 'bytes') return passUnits(event)
        if (event.from === 'server') {
          if (watch.server(event.bytes) === undefined) return [event]
          return [event, { type: 'opportunity', detail: 'the 220 to STARTTLS has left' }]
        }
        watch.client(event.bytes)
        if (!watch.granted) return [event]
        if (dropped) return NOTHING
        dropped = true
        return [{ type: 'fired', detail: 'dropped what the client sent after the 220', original: event.bytes }]
      },
    }
  },
})
