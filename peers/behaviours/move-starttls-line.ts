/**
 * Moves the STARTTLS line of the EHLO reply to where clients do not look, or to where it breaks the reply.
 *
 * RFC 5321 §4.1.1.1 (greeting first, then keywords), §4.2 (one reply per command), §4.2.1 (only the last line of a
 * reply has a space after its code).
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { type EhloReply, joinLines, lineBytes, quoteLine, type ReplyLine, rewriteEhloReply } from './ehlo-reply.ts'

const PLACES = ['last', 'second', 'first', 'greeting', 'alone', 'after-final', 'early-final'] as const

const parameters = z.strictObject({
  to: z
    .enum(PLACES)
    .default('last')
    .describe(
      'Where it goes: `last` line; `second` line, right after the greeting; `first` line, before the greeting; ' +
        'into the text of the `greeting`; `alone`, as the only line; `after-final`, as a stray line after the end; ' +
        '`early-final`, ended like a last line with one more after it.',
    ),
})

export const behaviour = defineBehaviour({
  id: 'move-starttls-line',
  title: 'Moves the STARTTLS line of the EHLO reply',
  source: ['RFC 5321 §4.1.1.1', 'RFC 5321 §4.2.1'],
  plane: 'smtp',
  parameters,
  shapes: ['ehlo-reply'],
  hides: [],
  create({ to }) {
    return rewriteEhloReply((offer) => {
      const bytes = place(offer, to)
      return bytes && { bytes, detail: `moved ${quoteLine(offer.lines, offer.starttls)}: ${to}` }
    })
  },
})

function place({ lines, starttls }: EhloReply, to: (typeof PLACES)[number]): Buffer | undefined {
  const [greeting, line] = [lines[0], lines[starttls]]
  const rest = lines.filter((_, at) => at !== starttls)
  const last = rest.at(-1)
  if (greeting === undefined || line === undefined || last === undefined) return undefined
  switch (to) {
    case 'last':
      return joinLines([...rest, line])
    case 'second':
      return joinLines([greeting, line, ...rest.slice(1)])
    case 'first':
      return joinLines([line, ...rest])
    case 'greeting':
      return joinLines([inGreeting(greeting), ...rest.slice(1)])
    case 'alone':
      return joinLines([line])
    case 'after-final':
      return Buffer.concat([joinLines(rest), lineBytes(line, ' ')])
    case 'early-final':
      // A reply of greeting and STARTTLS alone has no keyword that could follow.
      return rest.length < 2
        ? undefined
        : Buffer.concat([joinLines([...rest.slice(0, -1), line]), lineBytes(last, ' ')])
  }
}

/** The domain of the greeting, and the keyword where free text may stand (`ehlo-greet`). */
function inGreeting(greeting: ReplyLine): ReplyLine {
  return { ...greeting, text: `${greeting.text.split(' ')[0] ?? ''} STARTTLS` }
}
