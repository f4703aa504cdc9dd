/**
 * Offers STARTTLS again inside TLS, which RFC 3207 §4.2 forbids the server as it forbids the client to ask for it there; and
 * answers a client that does, with a refusal or, as a server that would go on for ever, with another 220.
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits, withKeyword } from '../wire/termination.ts'
import { replyTo } from '../wire/units.ts'

const parameters = z.strictObject({
  accept: z.boolean().default(false).describe('Answer STARTTLS inside TLS with 220 instead of 503; no TLS follows.'),
})

export const behaviour = defineBehaviour<z.infer<typeof parameters>>({
  id: 'offer-starttls-in-tls',
  title: 'Offers STARTTLS again inside TLS',
  source: ['RFC 3207 §4.2'],
  plane: 'smtp',
  parameters,
  shapes: ['ehlo-in-tls'],
  hides: [],
  create({ accept }) {
    const greetings = new Set<number>()
    return {
      on(event) {
        if (event.type === 'command' && event.secured) {
          if (event.verb === 'EHLO') greetings.add(event.id)
          if (event.verb === 'STARTTLS')
            return [
              { type: 'fired', detail: `answered STARTTLS inside TLS with ${accept ? 220 : 503}` },
              accept ? replyTo(event, 220, '2.0.0 Ready to start TLS') : replyTo(event, 503, '5.5.1 TLS is active'),
            ]
        }
        if (event.type !== 'reply' || event.id === null || event.code !== 250 || !greetings.delete(event.id))
          return passUnits(event)
        return [
          { type: 'opportunity', detail: 'the EHLO reply passed inside TLS' },
          { type: 'fired', detail: 'offered STARTTLS inside TLS', original: event.bytes },
          withKeyword(event, 'STARTTLS'),
        ]
      },
    }
  },
})
