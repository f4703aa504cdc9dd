/**
 * Answers EHLO outside TLS with another code. A refusal (4yz, 5yz) is the answer of a server that does not know EHLO or will
 * not have it: the real one never hears of it. Any other code stands in the place of the server's own reply: it has been
 * greeted, and takes mail from a client that does not mind. HELO goes on in any case.
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
    const refuses = code >= 400
    /** Of EHLO commands that the server is answering. */
    const asked = new Set<number>()
    const answer = (to: { readonly id: number; readonly secured: boolean }, original?: Buffer): WireOutput[] => [
      { type: 'fired', detail: `answered EHLO with ${code}`, ...(original === undefined ? {} : { original }) },
      replyTo(to, code, text),
      ...(close === 'none' ? [] : [{ type: 'close', end: 'client', how: close } as const]),
    ]
    return {
      on(event): readonly WireOutput[] {
        if (event.type === 'command' && event.verb === 'EHLO' && !event.secured) {
          if (!refuses) asked.add(event.id)
          return [{ type: 'opportunity', detail: 'EHLO in clear' }, ...(refuses ? answer(event) : [event])]
        }
        if (event.type !== 'reply' || event.id === null || !event.last || !asked.delete(event.id))
          return passUnits(event)
        return answer({ id: event.id, secured: event.secured }, event.bytes)
      },
    }
  },
})
