/**
 * Hides STARTTLS: takes its line out of the EHLO reply and ends the reply properly, wherever the line stood. The
 * command itself still works; `refuse-starttls` beside it makes the strip complete.
 *
 * RFC 3207 §6 ("the '250 STARTTLS' response could be deleted"); RFC 7672 §1.3.1.
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { type EhloReply, isKeyword, joinLines, quoteLine, type Rewriting, rewriteEhloReply } from './ehlo-reply.ts'
import { isVisited, visitsParameter } from './visits.ts'

const parameters = z.strictObject({
  remove: z
    .enum(['starttls', 'every-extension'])
    .default('starttls')
    .describe('What goes: the STARTTLS line, or every line after the greeting.'),
  ehlo: z
    .enum(['every', 'first'])
    .default('every')
    .describe('Replies that it acts on: to every EHLO in clear, or to the first of a connection only.'),
  spare: z.array(z.string()).default([]).describe('EHLO names (any case) that get the untouched reply.'),
  visits: visitsParameter,
})

export const behaviour = defineBehaviour({
  id: 'hide-starttls',
  title: 'Takes the STARTTLS line out of the EHLO reply',
  source: [
    'RFC 3207 §6',
    'RFC 7672 §1.3.1',
    'NO STARTTLS, USENIX Security 2021',
    'striptls SMTP.StripFromCapabilities',
  ],
  plane: 'smtp',
  parameters,
  shapes: ['ehlo-reply'],
  hides: [],
  create({ remove, ehlo, spare, visits }, context) {
    if (!isVisited(visits, context)) return { on: passUnits }
    const spared = new Set(spare.map((name) => name.toLowerCase()))
    return rewriteEhloReply(remove === 'starttls' ? withoutStarttls : withoutExtensions, (command, ordinal) => {
      return (ehlo === 'every' || ordinal === 1) && !spared.has(command.argument.trim().toLowerCase())
    })
  },
})

function withoutStarttls({ lines, starttls }: EhloReply): Rewriting {
  const kept = lines.filter((line, at) => at === 0 || !isKeyword(line, 'STARTTLS'))
  return { bytes: joinLines(kept), detail: `removed ${quoteLine(lines, starttls)}` }
}

function withoutExtensions({ lines }: EhloReply): Rewriting {
  return {
    bytes: joinLines(lines.slice(0, 1)),
    detail: `removed all ${lines.length - 1} extensions, STARTTLS among them`,
  }
}
