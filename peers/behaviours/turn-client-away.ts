/**
 * Turns an unwanted client away before anything else, by its address: a banner of 554 instead of 220, then 503 to whatever
 * it says, and 221 to QUIT. RFC 5321 §3.1: after 554 the server still waits for QUIT. No TLS has to be set up for it
 * (V. Dukhovni, ietf-smtp, 2020-04-26: "a server can politely tell an unwanted client to go away, before engaging in a TLS
 * handshake").
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { replyText, replyTo } from '../wire/units.ts'

const parameters = z.strictObject({
  addresses: z
    .array(z.string())
    .min(1)
    .default([''])
    .describe('Clients that it turns away: beginnings of their addresses as text; the empty one is everybody.'),
  code: z.int().min(400).max(599).default(554).describe('Reply code of the banner, 400 to 599.'),
  text: z
    .string()
    .regex(/^[^\r\n]*$/)
    .default('5.7.1 Your address has a poor reputation here; go away')
    .describe('What follows the code.'),
})

export const behaviour = defineBehaviour<z.infer<typeof parameters>>({
  id: 'turn-client-away',
  title: 'Turns a client away with its banner, by address',
  source: ['RFC 5321 §3.1, §4.3.2', 'ietf-smtp, 2020-04-26, "MTA-MTA SMTP and TLS-on-connect"'],
  plane: 'smtp',
  parameters,
  shapes: ['banner'],
  hides: ['ehlo-command', 'ehlo-reply', 'starttls-command', 'starttls-reply', 'after-220', 'handshake', 'ehlo-in-tls'],
  create({ addresses, code, text }, { clientAddress }) {
    if (!addresses.some((beginning) => clientAddress.startsWith(beginning))) return { on: passUnits }
    return {
      on(event) {
        if (event.type === 'command' && event.verb !== 'QUIT')
          return [replyTo(event, 503, '5.5.1 Bad sequence of commands')]
        if (event.type !== 'reply' || event.id !== 0) return passUnits(event)
        return [
          { type: 'opportunity', detail: `a connection from ${clientAddress}` },
          { type: 'fired', detail: `turned ${clientAddress} away with ${code}`, original: event.bytes },
          { ...event, code, bytes: Buffer.from(replyText(code, [text]), 'latin1') },
        ]
      },
    }
  },
})
