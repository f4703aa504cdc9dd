/**
 * Sends octets right behind a reply, in the same segment and, inside TLS, in the same stretch of records: what broken
 * padding leaves behind. Exchange 2003's 3DES answered EHLO with trailing garbage inside TLS, and the session broke after
 * MAIL (V. Dukhovni, "IETF mail server and SSLv3", 2016-02). RFC 5321 §4.2: a reply is lines; what is none is no reply.
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { channelName, channelParameter, isInChannel } from './channel.ts'
import { octets, octetsOf, quoted } from './starttls/octets.ts'

const parameters = z.strictObject({
  to: z.enum(['EHLO', 'MAIL', 'RCPT', 'DATA']).default('EHLO').describe('The command whose reply it is.'),
  bytes: octets('\u0000\u0000\u0003\u0003\u0000\u00a7\u00f1\u001b', 'What is sent behind it.'),
  in: channelParameter,
})

export const behaviour = defineBehaviour<z.infer<typeof parameters>>({
  id: 'append-to-reply',
  title: 'Sends octets right behind a reply',
  source: ['RFC 5321 §4.2', '"IETF mail server and SSLv3", 2016-02, on SChannel in Exchange 2003'],
  plane: 'smtp',
  parameters,
  shapes: ['ehlo-in-tls'],
  hides: [],
  create({ to, bytes, in: channel }) {
    const asked = new Set<number>()
    return {
      on(event) {
        if (event.type === 'command' && event.verb === to && isInChannel(channel, event)) asked.add(event.id)
        if (event.type !== 'reply' || event.id === null || !event.last || !asked.delete(event.id))
          return passUnits(event)
        return [
          { type: 'opportunity', detail: `the reply to ${to} passed ${channelName(event)}` },
          { type: 'fired', detail: `sent ${quoted(bytes)} behind it`, original: event.bytes },
          { ...event, bytes: Buffer.concat([event.bytes, octetsOf(bytes)]) },
        ]
      },
    }
  },
})
