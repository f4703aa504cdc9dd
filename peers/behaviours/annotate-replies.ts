/**
 * Puts a text of its own behind the last line of replies: format strings, terminal escapes, line ends that are none. Codes and
 * keywords stay right, so that a client that minds no text notices nothing.
 *
 * RFC 5321 §4.2 (a client acts on the code, the text is for people), §4.2 `textstring` (printable ASCII and tabs).
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { octets, octetsOf, quoted } from './starttls/octets.ts'

const parameters = z.strictObject({
  text: octets(
    ' %n%s%x',
    'What is put behind the replies to all commands but EHLO and HELO, and the banner; empty for none.',
  ),
  mail: octets('', 'What is put behind the reply to MAIL instead; empty for `text`.'),
})

export const behaviour = defineBehaviour<z.infer<typeof parameters>>({
  id: 'annotate-replies',
  title: 'Puts hostile text into replies',
  source: ['RFC 5321 §4.2'],
  plane: 'smtp',
  parameters,
  shapes: ['banner', 'starttls-reply', 'auth', 'mail', 'rcpt', 'data'],
  hides: [],
  create({ text, mail }) {
    const own = new Map<number, string>([[0, text]])
    return {
      on(event) {
        if (event.type === 'command' && event.verb !== 'EHLO' && event.verb !== 'HELO' && event.verb !== 'AUTH')
          own.set(event.id, event.verb === 'MAIL' && mail !== '' ? mail : text)
        const added = event.type === 'reply' && event.id !== null ? own.get(event.id) : undefined
        if (event.type !== 'reply' || added === undefined || added === '') return passUnits(event)
        const end = /\r?\n$/.exec(event.bytes.toString('latin1'))?.[0].length ?? 0
        const at = event.bytes.length - end
        return [
          { type: 'opportunity', detail: `a reply ${event.code}` },
          { type: 'fired', detail: `added ${quoted(added)}`, original: event.bytes },
          { ...event, bytes: Buffer.concat([event.bytes.subarray(0, at), octetsOf(added), event.bytes.subarray(at)]) },
        ]
      },
    }
  },
})
