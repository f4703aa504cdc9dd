/**
 * Answers RCPT by itself: a greylist, a mailbox that is gone. In clear and inside TLS.
 *
 * RFC 5321 §3.3, §4.2.1; RFC 6647 §2 (greylisting by 4yz on the first visit).
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { replyTo } from '../wire/units.ts'
import { isVisited, visitsParameter } from './visits.ts'

const parameters = z.strictObject({
  code: z.int().min(200).max(599).default(451).describe('Reply code, 200 to 599.'),
  text: z
    .string()
    .regex(/^[^\r\n]*$/)
    .default('4.7.1 Greylisted, try again later')
    .describe('What follows the code.'),
  visits: visitsParameter,
})

export const behaviour = defineBehaviour({
  id: 'answer-rcpt',
  title: 'Answers RCPT with a refusal',
  source: ['RFC 5321 §4.2.1', 'RFC 6647 §2'],
  plane: 'smtp',
  parameters,
  shapes: ['rcpt'],
  hides: ['data'],
  create({ code, text, visits }, context) {
    if (!isVisited(visits, context)) return { on: passUnits }
    return {
      on(event) {
        if (event.type !== 'command' || event.verb !== 'RCPT') return passUnits(event)
        return [
          { type: 'opportunity', detail: 'RCPT' },
          { type: 'fired', detail: `answered RCPT with ${code}` },
          replyTo(event, code, text),
        ]
      },
    }
  },
})
