/**
 * Says with the banner all that a server says in a whole session, and then nothing more: a client that takes a waiting reply
 * for the answer to its next command delivers its message to nobody.
 *
 * RFC 5321 §2.1, §4.2 (a reply answers a command), §4.1.1.4 (the receiver is responsible only after its answer to the final
 * dot).
 */
import { z } from 'zod'
import { after, defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { NOTHING, replyText, swallow } from '../wire/units.ts'

const parameters = z.strictObject({
  replies: z
    .array(z.tuple([z.int().min(200).max(599), z.string().regex(/^[^\r\n]*$/)]))
    .default([
      [250, '{host}'],
      [250, '2.1.0 Sender ok'],
      [250, '2.1.5 Recipient ok'],
      [354, 'End data with <CR><LF>.<CR><LF>'],
      [250, '2.0.0 Accepted'],
      [221, '2.0.0 Bye'],
    ])
    .describe('Code and text of each reply behind the banner; `{host}` stands for the name of the peer.'),
})

export const behaviour = defineBehaviour<z.infer<typeof parameters>>({
  id: 'answer-ahead',
  title: 'Sends the replies of a whole session with the banner',
  source: ['RFC 5321 §2.1', 'RFC 5321 §4.2'],
  plane: 'smtp',
  parameters,
  shapes: ['banner', 'ehlo-reply'],
  hides: after('ehlo-reply'),
  create({ replies }, { hostName }) {
    let said = false
    return {
      on(event) {
        if (event.type === 'reply' && event.id === 0) {
          said = true
          const ahead = replies.map(([code, text]) => replyText(code, [text.replaceAll('{host}', hostName)])).join('')
          return [
            { type: 'opportunity', detail: 'the banner was due' },
            { type: 'fired', detail: `sent ${replies.length} replies behind the banner` },
            { ...event, bytes: Buffer.concat([event.bytes, Buffer.from(ahead, 'latin1')]) },
          ]
        }
        if (!said || event.type === 'eof') return passUnits(event)
        if (event.type !== 'command') return NOTHING
        // Its answer has been given.
        return event.verb === 'QUIT' ? [{ type: 'close', end: 'client', how: 'fin' }] : [swallow(event)]
      },
    }
  },
})
