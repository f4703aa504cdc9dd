/**
 * Turns the client's STARTTLS into another command on its way to the server, whose own reply comes back. Where that is no
 * 220 the client is spoken to in clear from there on, as {@link ./answer-starttls.ts} does.
 *
 * RFC 3207 §6: an attacker who alters the request; Cisco firewalls write the command over with X.
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { type Command, replyTo, type WireOutput } from '../wire/units.ts'
import { ClearCommands } from './starttls/clear-commands.ts'

const parameters = z.strictObject({
  to: z
    .string()
    .regex(/^[\u0020-\u007e]+$/, 'one line of printable ASCII')
    .default('XXXXXXXX')
    .describe('The command line that the server gets, without its line end.'),
})

/** What a server that knows no TLS says to a ClientHello. */
const NO_TLS = { ...replyTo({ id: 0, secured: false }, 500, '5.5.2 Syntax error, command unrecognized'), id: null }

export const behaviour = defineBehaviour<z.infer<typeof parameters>>({
  id: 'rewrite-starttls-command',
  title: 'Turns STARTTLS into another command on its way to the server',
  source: ['RFC 3207 §6', 'Cisco PIX/ASA: inspect esmtp'],
  plane: 'smtp',
  parameters,
  shapes: ['starttls-command'],
  hides: ['after-220', 'handshake', 'ehlo-in-tls'],
  create({ to }) {
    let asked: Command | undefined
    let clear: ClearCommands | undefined
    return {
      on(event) {
        if (asked === undefined && event.type === 'command' && event.verb === 'STARTTLS' && !event.secured) {
          asked = event
          const [verb = ''] = to.split(' ')
          const argument = to.slice(verb.length).trim()
          return [
            { type: 'opportunity', detail: 'STARTTLS arrived' },
            { type: 'fired', detail: `turned STARTTLS into ${JSON.stringify(to)}`, original: event.bytes },
            { ...event, verb: verb.toUpperCase(), argument, bytes: Buffer.from(`${to}\r\n`, 'latin1') },
          ]
        }
        if (event.type === 'reply') {
          const settled: readonly WireOutput[] = clear?.settle(event) ?? []
          if (asked === undefined || event.id !== asked.id || !event.last || event.code === 220)
            return [event, ...settled]
          clear = new ClearCommands(asked.id)
          return [{ type: 'opaque' }, event]
        }
        if (clear !== undefined && event.type === 'bytes' && event.from === 'client') {
          const { records, units } = clear.push(event.bytes)
          return [...(records.some(({ hello }) => hello) ? [NO_TLS] : []), ...units]
        }
        return passUnits(event)
      },
    }
  },
})
