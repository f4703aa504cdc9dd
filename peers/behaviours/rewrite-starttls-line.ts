/**
 * Writes something else in place of the STARTTLS line of the EHLO reply: masks of the same length, a flipped bit,
 * another case, spaces where the grammar has none.
 *
 * RFC 3207 §6; Cisco PIX/ASA `inspect esmtp` (XXXXXXXX, XXXXXXXA); RFC 5321 §4.1.1.1 (the grammar), §2.4 (case).
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { joinLines, quoteLine, type ReplyLine, rewriteEhloReply } from './ehlo-reply.ts'

const parameters = z.strictObject({
  to: z
    .array(z.string().regex(/^[^\r\n]*$/))
    .min(1)
    .default(['XXXXXXXX'])
    .describe('What stands in its place after the code and the hyphen, UTF-8; several become a line each.'),
  code: z.int().min(200).max(299).optional().describe('Code of these lines, 200 to 299; default: that of the reply.'),
})

export const behaviour = defineBehaviour({
  id: 'rewrite-starttls-line',
  title: 'Writes something else in place of the STARTTLS line of the EHLO reply',
  source: ['RFC 3207 §6', 'Cisco ASA documents 118550 and 212587', 'RFC 5321 §4.1.1.1'],
  plane: 'smtp',
  parameters,
  shapes: ['ehlo-reply'],
  hides: [],
  create({ to, code }) {
    return rewriteEhloReply(({ lines, starttls }) => {
      const replaced = lines.flatMap((line, at): readonly ReplyLine[] =>
        at === starttls ? to.map((text) => ({ ...line, code: String(code ?? line.code), text: octets(text) })) : [line],
      )
      const written = to.map((_, at) => quoteLine(replaced, starttls + at)).join(', ')
      return { bytes: joinLines(replaced), detail: `wrote ${written} for ${quoteLine(lines, starttls)}` }
    })
  },
})

/** UTF-8 as a string of octets. */
function octets(text: string): string {
  return Buffer.from(text).toString('latin1')
}
