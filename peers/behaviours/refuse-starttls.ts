/**
 * Refuses STARTTLS: answers the command outside TLS by itself; the server never sees it. What makes hiding complete
 * against clients that send STARTTLS unasked, and a strip of its own where STARTTLS is offered.
 *
 * RFC 3207 §4 (501, 454), §6 (the request altered on its way).
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { replyTo, type WireOutput } from '../wire/units.ts'
import { isVisited, visitsParameter } from './visits.ts'

const parameters = z.strictObject({
  code: z.int().min(200).max(599).default(454).describe('Reply code, 200 to 599.'),
  text: z
    .string()
    .regex(/^[^\r\n]*$/)
    .default('4.7.0 TLS not available due to temporary reason')
    .describe('What follows the code.'),
  close: z.enum(['none', 'fin', 'rst']).default('none').describe('How the connection is ended after the reply.'),
  visits: visitsParameter,
})

export const behaviour = defineBehaviour({
  id: 'refuse-starttls',
  title: 'Answers STARTTLS with a refusal',
  source: ['RFC 3207 §4', 'RFC 3207 §6', 'NO STARTTLS, USENIX Security 2021'],
  plane: 'smtp',
  parameters,
  shapes: ['starttls-command', 'starttls-reply'],
  hides: ['after-220', 'handshake', 'ehlo-in-tls'],
  create({ code, text, close, visits }, context) {
    if (!isVisited(visits, context)) return { on: passUnits }
    return {
      on(event): readonly WireOutput[] {
        if (event.type !== 'command' || event.verb !== 'STARTTLS' || event.secured) return passUnits(event)
        const answer: readonly WireOutput[] = [
          { type: 'opportunity', detail: 'STARTTLS in clear' },
          { type: 'fired', detail: `answered STARTTLS with ${code}` },
          replyTo(event, code, text),
        ]
        return close === 'none' ? answer : [...answer, { type: 'close', end: 'client', how: close }]
      },
    }
  },
})
