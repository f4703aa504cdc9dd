/**
 * Answers EHLO outside TLS by itself, as a server that does not know it or will not have it; HELO goes on.
 *
 * RFC 5321 §3.2 (fall back to HELO), §4.1.1.1, §4.2.1; NO STARTTLS (ehlo/501, 504, 354).
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { replyTo, type WireOutput } from '../wire/units.ts'

const parameters = z.strictObject({
  code: z.int().min(200).max(599).default(500).describe('Reply code, 200 to 599.'),
  text: z
    .string()
    .regex(/^[^\r\n]*$/)
    .default('5.5.1 Command unrecognized')
    .describe('What follows the code.'),
  close: z.enum(['none', 'fin', 'rst']).default('none').describe('How the connection is ended after the reply.'),
})

export const behaviour = defineBehaviour({
  id: 'answer-ehlo',
  title: 'Answers EHLO with a refusal or a wrong code; HELO works',
  source: [
    'RFC 5321 §3.2',
    'RFC 5321 §4.2.1',
    'striptls SMTP.ProtocolDowngradeStripExtendedMode',
    'NO STARTTLS, USENIX Security 2021',
  ],
  plane: 'smtp',
  parameters,
  shapes: ['ehlo-command', 'ehlo-reply'],
  hides: [],
  create({ code, text, close }) {
    return {
      on(event): readonly WireOutput[] {
        if (event.type !== 'command' || event.verb !== 'EHLO' || event.secured) return passUnits(event)
        const answer: readonly WireOutput[] = [
          { type: 'opportunity', detail: 'EHLO in clear' },
          { type: 'fired', detail: `answered EHLO with ${code}` },
          replyTo(event, code, text),
        ]
        return close === 'none' ? answer : [...answer, { type: 'close', end: 'client', how: close }]
      },
    }
  },
})
