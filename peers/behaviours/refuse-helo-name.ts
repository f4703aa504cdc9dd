/**
 * Refuses a client by the name that it gives in EHLO, HELO or LHLO, before TLS or inside it; the server never hears of it, so
 * that MAIL is answered 503 (RFC 5321 §4.1.4). Which names a list has is the operator's affair; RFC 5321 §4.1.4 forbids only
 * to refuse for a name that does not match the address.
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { replyTo } from '../wire/units.ts'
import { channelName, channelParameter, isInChannel } from './channel.ts'

const parameters = z.strictObject({
  names: z
    .array(z.string().min(1))
    .min(1)
    .default(['*'])
    .describe('Names that are refused, in any case; `*.example.com` for all below a name, `*` for every name.'),
  code: z.int().min(400).max(599).default(550).describe('Reply code, 400 to 599.'),
  text: z
    .string()
    .regex(/^[^\r\n]*$/)
    .default('5.7.1 Access denied: your name is on our list')
    .describe('What follows the code.'),
  in: channelParameter,
})

const GREETINGS: readonly string[] = ['EHLO', 'HELO', 'LHLO']

export const behaviour = defineBehaviour<z.infer<typeof parameters>>({
  id: 'refuse-helo-name',
  title: 'Refuses a client by the name in its EHLO or HELO',
  source: ['RFC 5321 §4.1.1.1, §4.1.4', 'ietf-smtp, 2020-04-26, "MTA-MTA SMTP and TLS-on-connect"'],
  plane: 'smtp',
  parameters,
  shapes: ['ehlo-command', 'ehlo-reply'],
  hides: [],
  create({ names, code, text, in: channel }) {
    return {
      on(event) {
        if (event.type !== 'command' || !GREETINGS.includes(event.verb) || !isInChannel(channel, event))
          return passUnits(event)
        const name = event.argument.trim().split(/\s/)[0] ?? ''
        if (!names.some((pattern) => covers(pattern, name))) return passUnits(event)
        return [
          { type: 'opportunity', detail: `${event.verb} ${JSON.stringify(name.slice(0, 60))} ${channelName(event)}` },
          { type: 'fired', detail: `refused the name with ${code}` },
          replyTo(event, code, text),
        ]
      },
    }
  },
})

function covers(pattern: string, name: string): boolean {
  const [wanted, got] = [pattern.toLowerCase(), name.toLowerCase()]
  return wanted === '*' || (wanted.startsWith('*.') ? got.endsWith(wanted.slice(1)) : got === wanted)
}
