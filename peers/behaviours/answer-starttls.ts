/**
 * Answers STARTTLS in place of the server, with any octets, and plays a server that knows no TLS from there on: commands in
 * clear go on to the real server, the records of a client that starts a handshake get the answer that is asked for. What
 * comes after it has ended the connection goes nowhere.
 *
 * RFC 3207 §4: 220 lets TLS begin, 501 and 454 refuse; nothing else is a go. RFC 5321 §4.2 for what a reply is.
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { type Close, type Command, NOTHING, type Reply, type WireOutput } from '../wire/units.ts'
import { ClearCommands } from './starttls/clear-commands.ts'
import { codeOf, octets, octetsOf, quoted } from './starttls/octets.ts'

const parameters = z.strictObject({
  reply: octets('454 4.7.0 TLS not available due to temporary reason\r\n', 'The answer; empty for none at all.'),
  toHello: octets(
    '500 5.5.2 Syntax error, command unrecognized\r\n',
    'The answer, in clear, to the first TLS record of a client that starts a handshake anyway; empty for silence.',
  ),
  close: z.enum(['none', 'fin', 'rst']).default('none').describe('Whether and how the connection is ended.'),
  closeAfter: z.enum(['reply', 'hello']).default('reply').describe('After which of the two answers it is ended.'),
})
type Parameters = z.infer<typeof parameters>

export const behaviour = defineBehaviour<Parameters>({
  id: 'answer-starttls',
  title: 'Answers STARTTLS with the given octets and no TLS',
  source: ['RFC 3207 §4, §6', 'RFC 5321 §4.2', 'NO STARTTLS (USENIX Security 2021): O_1 to O_4, D_1'],
  plane: 'smtp',
  parameters,
  shapes: ['starttls-reply', 'after-220'],
  hides: ['handshake', 'ehlo-in-tls'],
  create(given) {
    let clear: ClearCommands | undefined
    let greeted = false
    let ended = false
    const closing = (after: Parameters['closeAfter']): Close[] => {
      if (given.close === 'none' || given.closeAfter !== after) return []
      ended = true
      return [{ type: 'close', end: 'client', how: given.close }]
    }

    const answer = (command: Command): WireOutput[] => {
      const reply = octetsOf(given.reply)
      return [
        { type: 'opportunity', detail: 'STARTTLS arrived' },
        { type: 'opaque' },
        {
          type: 'fired',
          detail: reply.length === 0 ? 'gave STARTTLS no reply' : `answered STARTTLS with ${quoted(given.reply)}`,
        },
        { type: 'reply', id: command.id, code: codeOf(given.reply), bytes: reply, last: true, secured: false },
        ...closing('reply'),
      ]
    }
    const answerHello = (): WireOutput[] => {
      if (greeted) return []
      greeted = true
      if (given.toHello === '')
        return [{ type: 'fired', detail: 'gave the ClientHello no answer' }, ...closing('hello')]
      const bytes = octetsOf(given.toHello)
      const text: Reply = { type: 'reply', id: null, code: codeOf(given.toHello), bytes, last: true, secured: false }
      return [
        { type: 'fired', detail: `answered the ClientHello with ${quoted(given.toHello)}` },
        text,
        ...closing('hello'),
      ]
    }
    return {
      on(event) {
        if (clear === undefined) {
          if (event.type !== 'command' || event.verb !== 'STARTTLS' || event.secured) return passUnits(event)
          clear = new ClearCommands(event.id)
          return answer(event)
        }
        if (event.type === 'bytes' && event.from === 'client') {
          if (ended) return NOTHING
          const { records, units } = clear.push(event.bytes)
          const answered = records.some(({ hello }) => hello) ? answerHello() : []
          return ended ? answered : [...answered, ...units]
        }
        if (event.type === 'reply') return [event, ...clear.settle(event)]
        return passUnits(event)
      },
    }
  },
})
