/**
 * Takes the connection and ends it at once with RST, before any banner. What a client meets where the port is closed, as
 * far as it can be told: its connect() fails, or the first thing that it reads does (RFC 9293 §3.10.7.1). A closed port
 * would leave no trace of who knocked.
 */
import { z } from 'zod'
import { after, defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { NOTHING } from '../wire/units.ts'
import { isVisited, visitsParameter } from './visits.ts'

const parameters = z.strictObject({ visits: visitsParameter })

export const behaviour = defineBehaviour<z.infer<typeof parameters>>({
  id: 'reset-connection',
  title: 'Resets the connection before the banner',
  source: ['RFC 5321 §5.1', 'RFC 9293 §3.10.7.1'],
  plane: 'smtp',
  parameters,
  shapes: ['banner'],
  hides: after('banner'),
  create({ visits }, context) {
    if (!isVisited(visits, context)) return { on: passUnits }
    return {
      on(event) {
        if (event.type !== 'open') return NOTHING
        return [
          { type: 'opportunity', detail: 'a client connected' },
          { type: 'fired', detail: 'reset the connection before the banner' },
          { type: 'close', end: 'client', how: 'rst' },
        ]
      },
    }
  },
})
