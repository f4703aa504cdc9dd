/**
 * Ends the lines of the EHLO reply with a bare LF or a bare CR instead of CRLF.
 *
 * RFC 5321 §2.3.8: a line ends with CRLF and with nothing else; neither side may take anything else for a line end.
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { joinLines, rewriteEhloReply } from './ehlo-reply.ts'

const parameters = z.strictObject({
  to: z.enum(['lf', 'cr']).default('lf').describe('What ends each line: a bare LF or a bare CR.'),
})

export const behaviour = defineBehaviour({
  id: 'rewrite-ehlo-line-ends',
  title: 'Ends the lines of the EHLO reply with a bare LF or CR',
  source: ['RFC 5321 §2.3.8'],
  plane: 'smtp',
  parameters,
  shapes: ['ehlo-reply'],
  hides: [],
  create({ to }) {
    const end = to === 'lf' ? '\n' : '\r'
    return rewriteEhloReply(({ lines }) => ({
      bytes: joinLines(lines.map((line) => ({ ...line, end }))),
      detail: `ended ${lines.length} lines with a bare ${to.toUpperCase()}`,
    }))
  },
})
