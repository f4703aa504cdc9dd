/**
 * Refuses EHLO inside TLS. A client that sends MAIL after that has read the refusal as something else: the other half of the
 * proof that it kept a fragment of a line from before TLS. HELO, which RFC 5321 §3.2 lets it try next, is left alone.
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { replyTo } from '../wire/units.ts'

const parameters = z.strictObject({
  code: z.int().min(400).max(599).default(550).describe('The reply code, 400 to 599.'),
  text: z.string().default('5.7.1 Access denied').describe('What follows the code.'),
})

export const behaviour = defineBehaviour<z.infer<typeof parameters>>({
  id: 'refuse-ehlo-in-tls',
  title: 'Refuses EHLO inside TLS',
  source: ['RFC 5321 §3.2, §4.1.4', 'nodemailer PR 1835'],
  plane: 'smtp',
  parameters,
  shapes: ['ehlo-in-tls'],
  hides: [],
  create({ code, text }) {
    return {
      on(event) {
        if (event.type !== 'command' || event.verb !== 'EHLO' || !event.secured) return passUnits(event)
        return [
          { type: 'opportunity', detail: 'EHLO arrived inside TLS' },
          { type: 'fired', detail: `refused EHLO inside TLS with ${code}` },
          replyTo(event, code, text),
        ]
      },
    }
  },
})
