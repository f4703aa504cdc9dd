/**
 * Never answers certain commands: the server goes on listening, says nothing, and ends the connection when its own time is
 * over. RFC 5321 §4.1.1.10 wants 221 for QUIT; §4.5.3.2.7 has a server wait five minutes for the next command.
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import type { WireEvent } from '../wire/units.ts'
import { channelName, channelParameter, isInChannel } from './channel.ts'

const parameters = z.strictObject({
  verbs: z
    .array(z.string().regex(/^([A-Z]+|\.)$/))
    .min(1)
    .default(['QUIT'])
    .describe('Commands that get no answer, in upper case; `.` for the end of the content of a message.'),
  closeAfterMs: z
    .int()
    .min(0)
    .max(3_600_000)
    .default(300_000)
    .describe('When the connection is ended with FIN, in milliseconds after the command, scaled; 0 to 3600000.'),
  in: channelParameter,
})

export const behaviour = defineBehaviour<z.infer<typeof parameters>>({
  id: 'ignore-command',
  title: 'Never answers certain commands',
  source: ['RFC 5321 §4.1.1.10, §4.5.3.2.7'],
  plane: 'smtp',
  parameters,
  shapes: ['quit'],
  hides: [],
  create({ verbs, closeAfterMs, in: channel }) {
    return {
      on(event) {
        if (event.type === 'wake') return [{ type: 'close', end: 'client', how: 'fin' }]
        const what = nameOf(event)
        if (what === undefined || !verbs.includes(what.verb) || !isInChannel(channel, what)) return passUnits(event)
        const told = what.verb === '.' ? 'the end of the content' : what.verb
        return [
          { type: 'opportunity', detail: `${told} ${channelName(what)}` },
          { type: 'fired', detail: `gave ${told} ${channelName(what)} no answer` },
          { type: 'wake-me', alarm: 'give up', afterMs: closeAfterMs, clock: 'scaled' },
        ]
      },
    }
  },
})

/** What wants an answer: a command, or the last of the content (RFC 5321 §4.1.1.4). */
function nameOf(event: WireEvent): { readonly verb: string; readonly secured: boolean } | undefined {
  if (event.type === 'command') return event
  if (event.type !== 'content' || event.of === 'AUTH' || !event.last) return undefined
  return { verb: '.', secured: event.secured }
}
