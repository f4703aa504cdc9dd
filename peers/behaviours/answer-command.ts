/**
 * Answers commands by itself, in place of the server, which never sees them: a server that wants TLS first, one that turns
 * mail away after TLS, a greylist. QUIT is answered only where it is named.
 *
 * RFC 5321 §4.2.1 (what 4yz and 5yz mean), §3.8 (421); RFC 3207 §4 (530 to what came too early).
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { NOTHING, replyTo } from '../wire/units.ts'
import { channelName, channelParameter, isInChannel } from './channel.ts'
import { isVisited, visitsParameter } from './visits.ts'

const parameters = z.strictObject({
  verbs: z
    .array(z.string().regex(/^([A-Z]+|\*)$/))
    .min(1)
    .default(['MAIL'])
    .describe('Commands that it answers, in upper case; `*` for every one but QUIT.'),
  code: z.int().min(200).max(599).default(530).describe('Reply code, 200 to 599.'),
  text: z
    .string()
    .regex(/^[^\r\n]*$/)
    .default('5.7.0 Must issue a STARTTLS command first')
    .describe('What follows the code.'),
  in: channelParameter,
  close: z.enum(['none', 'fin', 'rst']).default('none').describe('How the connection is ended after the first reply.'),
  visits: visitsParameter,
})

export const behaviour = defineBehaviour<z.infer<typeof parameters>>({
  id: 'answer-command',
  title: 'Answers commands with a reply of its own',
  source: ['RFC 5321 §4.2.1', 'RFC 3207 §4'],
  plane: 'smtp',
  parameters,
  shapes: ['mail', 'rcpt'],
  hides: [],
  create({ verbs, code, text, in: channel, close, visits }, context) {
    if (!isVisited(visits, context)) return { on: passUnits }
    const named = (verb: string): boolean => verbs.includes(verb) || (verbs.includes('*') && verb !== 'QUIT')
    let ended = false
    return {
      on(event) {
        if (ended) return event.type === 'command' || event.type === 'content' ? NOTHING : passUnits(event)
        if (event.type !== 'command' || !isInChannel(channel, event) || !named(event.verb)) return passUnits(event)
        ended = close !== 'none'
        const verb = event.verb.slice(0, 20)
        return [
          { type: 'opportunity', detail: `${verb} ${channelName(event)}` },
          { type: 'fired', detail: `answered ${verb} ${channelName(event)} with ${code}` },
          replyTo(event, code, text),
          ...(close === 'none' ? [] : ([{ type: 'close', end: 'client', how: close }] as const)),
        ]
      },
    }
  },
})
