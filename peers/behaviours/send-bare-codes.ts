/**
 * Ends replies with a line that is the code and nothing else, which the grammar allows: `250 CRLF` three octets long, or four
 * with the blank.
 *
 * RFC 5321 §4.2 (`Reply-line`: the text is optional, and so is its blank); CVE-2020-8794.
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import type { Reply } from '../wire/units.ts'
import { joinLines, parseLines } from './ehlo-reply.ts'

const parameters = z.strictObject({
  replies: z
    .enum(['multi-line', 'all'])
    .default('multi-line')
    .describe(
      '`multi-line`: only replies of several lines get one more; `all`: those of one line lose their text too.',
    ),
  blank: z.boolean().default(false).describe('A blank stays behind the code.'),
})

export const behaviour = defineBehaviour<z.infer<typeof parameters>>({
  id: 'send-bare-codes',
  title: 'Ends replies with a line that is the code alone',
  source: ['RFC 5321 §4.2', 'CVE-2020-8794', 'Postfix 3.11 (replies of the code only)'],
  plane: 'smtp',
  parameters,
  shapes: ['banner', 'ehlo-reply', 'starttls-reply', 'ehlo-in-tls', 'mail', 'rcpt', 'data'],
  hides: [],
  create({ replies, blank }) {
    const bare = (reply: Reply): Buffer => {
      const lines = parseLines(reply)
      const end = Buffer.from(`${reply.code}${blank ? ' ' : ''}\r\n`, 'latin1')
      if (lines.length === 1) return end
      const continued = joinLines([...lines, { code: String(reply.code), text: '', end: '' }])
      return Buffer.concat([continued.subarray(0, -`${reply.code} `.length), end])
    }
    return {
      on(event) {
        if (event.type !== 'reply' || event.code === 0) return passUnits(event)
        if (replies === 'multi-line' && parseLines(event).length === 1) return [event]
        return [
          { type: 'opportunity', detail: `a reply ${event.code}` },
          { type: 'fired', detail: 'ended it with the code alone', original: event.bytes },
          { ...event, bytes: bare(event) },
        ]
      },
    }
  },
})
