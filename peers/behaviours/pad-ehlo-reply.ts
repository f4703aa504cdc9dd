/**
 * Puts unknown keywords in front of the STARTTLS line of the EHLO reply: many, or one beyond the limit of a line.
 *
 * RFC 5321 §4.1.1.1 (unknown keywords are ignored), §4.2.1 (a reply has any number of lines), §4.5.3.1.5 (512 octets).
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { joinLines, type ReplyLine, rewriteEhloReply } from './ehlo-reply.ts'

const parameters = z.strictObject({
  lines: z
    .int()
    .min(1)
    .max(10_000)
    .default(1)
    .describe('How many lines, 1 to 10,000; STARTTLS becomes line `lines` + 2.'),
  octets: z
    .int()
    .min(24)
    .max(65_536)
    .default(4096)
    .describe('Length of each in octets, 24 to 65,536, code and line end included.'),
})

export const behaviour = defineBehaviour({
  id: 'pad-ehlo-reply',
  title: 'Puts unknown keywords in front of the STARTTLS line of the EHLO reply',
  source: ['RFC 5321 §4.2.1', 'RFC 5321 §4.5.3.1.5'],
  plane: 'smtp',
  parameters,
  shapes: ['ehlo-reply'],
  hides: [],
  create({ lines: count, octets }) {
    return rewriteEhloReply(({ lines, starttls }) => {
      const [greeting, ...rest] = lines.filter((_, at) => at !== starttls)
      const line = lines[starttls]
      if (greeting === undefined || line === undefined) return undefined
      const padding = Array.from({ length: count }, (_, at) => padLine(greeting, at + 1, octets))
      return {
        bytes: joinLines([greeting, ...padding, line, ...rest]),
        detail: `put ${count} lines of ${octets} octets in front of STARTTLS`,
      }
    })
  },
})

/** `250-XPAD-00001-xxxx…`, a keyword by the grammar, `octets` long with its line end. */
function padLine(like: ReplyLine, number: number, octets: number): ReplyLine {
  const text = `XPAD-${String(number).padStart(5, '0')}-`
  return { ...like, text: text.padEnd(octets - like.end.length - 4, 'x') }
}
