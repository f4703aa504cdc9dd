/**
 * Replaces the text of the server's 220 to STARTTLS; TLS begins after it all the same. For forms that RFC 5321 §4.2 allows
 * and clients trip over: several lines, the code alone.
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { octets, octetsOf, quoted } from './starttls/octets.ts'

const parameters = z.strictObject({
  reply: octets('220-2.0.0 Ready\r\n220 2.0.0 to start TLS\r\n', 'The octets in place of the 220.'),
})

export const behaviour = defineBehaviour<z.infer<typeof parameters>>({
  id: 'rewrite-220-reply',
  title: 'Writes the 220 to STARTTLS in another form',
  source: ['RFC 3207 §4', 'RFC 5321 §4.2, §4.2.1'],
  plane: 'smtp',
  parameters,
  shapes: ['starttls-reply'],
  hides: [],
  create({ reply }) {
    let asked: number | undefined
    return {
      on(event) {
        if (event.type === 'command' && event.verb === 'STARTTLS' && !event.secured) {
          asked = event.id
          return [{ type: 'opportunity', detail: 'STARTTLS arrived' }, event]
        }
        if (event.type === 'reply' && event.id === asked && event.code === 220) {
          return [
            { type: 'fired', detail: `wrote the 220 as ${quoted(reply)}`, original: event.bytes },
            { ...event, bytes: octetsOf(reply) },
          ]
        }
        return passUnits(event)
      },
    }
  },
})
