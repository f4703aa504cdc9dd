/**
 * Keeps the banner back for a while and then lets it go unchanged. RFC 5321 §4.5.3.2.1 grants a server five minutes for it:
 * a busy one, or one that makes spammers wait (postscreen, greet pause).
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { NOTHING, type Reply } from '../wire/units.ts'

const parameters = z.strictObject({
  seconds: z.number().min(0).max(3600).default(240).describe('How long, in seconds of the scaled clock, 0 to 3600.'),
})

export const behaviour = defineBehaviour<z.infer<typeof parameters>>({
  id: 'delay-banner',
  title: 'Delays the banner',
  source: ['RFC 5321 §4.5.3.2.1'],
  plane: 'smtp',
  parameters,
  shapes: ['banner'],
  hides: [],
  create({ seconds }) {
    let kept: Reply | undefined
    return {
      on(event) {
        if (event.type === 'reply' && event.id === 0 && kept === undefined) {
          kept = event
          return [
            { type: 'opportunity', detail: 'the banner was due' },
            { type: 'fired', detail: `kept the banner back for ${seconds} s`, original: event.bytes },
            { type: 'wake-me', alarm: 'release', afterMs: seconds * 1000, clock: 'scaled' },
          ]
        }
        if (event.type === 'wake') return kept === undefined ? NOTHING : [kept]
        return passUnits(event)
      },
    }
  },
})
