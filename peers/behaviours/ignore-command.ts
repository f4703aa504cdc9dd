/**
 * Never answers certain commands: the server goes on listening and says nothing. RFC 5321 §4.1.1.10 wants 221 for QUIT, and
 * §4.5.3.2 bounds how long a client waits for anything.
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { channelName, channelParameter, isInChannel } from './channel.ts'

const parameters = z.strictObject({
  verbs: z
    .array(z.string().regex(/^[A-Z]+$/))
    .min(1)
    .default(['QUIT'])
    .describe('Commands that get no answer, in upper case.'),
  in: channelParameter,
})

export const behaviour = defineBehaviour<z.infer<typeof parameters>>({
  id: 'ignore-command',
  title: 'Never answers certain commands',
  source: ['RFC 5321 §4.1.1.10, §4.5.3.2'],
  plane: 'smtp',
  parameters,
  shapes: ['quit'],
  hides: [],
  create({ verbs, in: channel }) {
    return {
      on(event) {
        if (event.type !== 'command' || !isInChannel(channel, event) || !verbs.includes(event.verb))
          return passUnits(event)
        return [
          { type: 'opportunity', detail: `${event.verb} ${channelName(event)}` },
          { type: 'fired', detail: `gave ${event.verb} ${channelName(event)} no answer` },
        ]
      },
    }
  },
})
