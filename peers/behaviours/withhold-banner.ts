/**
 * Takes the connection and never says a word: no banner, and no answer to what an impatient client says. What a client
 * meets when a load balancer accepts for a server that is dead.
 *
 * RFC 5321 §3.1 (the server speaks first), §4.5.3.2.1 (five minutes for it).
 */
import { z } from 'zod'
import { after, defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { NOTHING } from '../wire/units.ts'

export const behaviour = defineBehaviour({
  id: 'withhold-banner',
  title: 'Takes the connection and stays silent',
  source: ['RFC 5321 §4.5.3.2.1', 'Postfix smtp_connect_timeout, smtp_helo_timeout'],
  plane: 'smtp',
  parameters: z.strictObject({}),
  shapes: ['banner'],
  hides: after('banner'),
  create() {
    return {
      on(event) {
        if (event.type === 'reply' && event.id === 0) {
          return [
            { type: 'opportunity', detail: 'the banner was due' },
            { type: 'fired', detail: 'kept the banner back', original: event.bytes },
          ]
        }
        // A client that goes is let go.
        return event.type === 'eof' ? passUnits(event) : NOTHING
      },
    }
  },
})
