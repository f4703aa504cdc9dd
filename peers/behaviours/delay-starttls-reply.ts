/**
 * Keeps the server's reply to STARTTLS back for a while and then lets it go unchanged. RFC 5321 §4.5.3.2 grants a server
 * minutes for any reply; none of its limits is shorter than two.
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { NOTHING, type Reply } from '../wire/units.ts'

const parameters = z.strictObject({
  seconds: z.number().min(0).max(3600).default(100).describe('How long, in seconds of the scaled clock, 0 to 3600.'),
})

export const behaviour = defineBehaviour<z.infer<typeof parameters>>({
  id: 'delay-starttls-reply',
  title: 'Delays the reply to STARTTLS',
  source: ['RFC 5321 §4.5.3.2'],
  plane: 'smtp',
  parameters,
  shapes: ['starttls-reply'],
  hides: [],
  create({ seconds }) {
    let asked: number | undefined
    let kept: Reply | undefined
    return {
      on(event) {
        if (event.type === 'command' && event.verb === 'STARTTLS' && !event.secured) {
          asked = event.id
          return [{ type: 'opportunity', detail: 'STARTTLS arrived' }, event]
        }
        if (event.type === 'reply' && event.id === asked && event.last && kept === undefined) {
          kept = event
          return [
            { type: 'fired', detail: `kept the reply to STARTTLS back for ${seconds} s`, original: event.bytes },
            { type: 'wake-me', alarm: 'release', afterMs: seconds * 1000, clock: 'scaled' },
          ]
        }
        if (event.type === 'wake') return kept === undefined ? NOTHING : [kept]
        return passUnits(event)
      },
    }
  },
})
