/**
 * Replaces the extensions of the EHLO reply, in clear and inside TLS each with a list of its own. RFC 3207 §4.2: the client
 * must discard what the server said before TLS, such as the list of extensions.
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { replyLines, replyTo } from '../wire/units.ts'

const keywords = z.array(z.string().regex(/^[\u0021-\u007e][\u0020-\u007e]*$/, 'one line of printable ASCII'))

const parameters = z.strictObject({
  beforeTls: keywords
    .default(['SIZE 1'])
    .describe('Keywords with their parameters in clear; STARTTLS stays where it is offered.'),
  afterTls: keywords.default(['SIZE 10485760']).describe('Keywords with their parameters inside TLS.'),
})

export const behaviour = defineBehaviour<z.infer<typeof parameters>>({
  id: 'replace-extensions',
  title: 'Offers other extensions in clear than inside TLS',
  source: ['RFC 3207 §4.2, §6', 'RFC 5321 §4.1.1.1'],
  plane: 'smtp',
  parameters,
  shapes: ['ehlo-reply', 'ehlo-in-tls'],
  hides: [],
  create({ beforeTls, afterTls }) {
    const greetings = new Set<number>()
    return {
      on(event) {
        if (event.type === 'command' && event.verb === 'EHLO') greetings.add(event.id)
        if (event.type !== 'reply' || event.id === null || event.code !== 250 || !greetings.delete(event.id))
          return passUnits(event)
        const [greeting = '', ...offered] = replyLines(event)
        const starttls = offered.filter((line) => !event.secured && /^starttls$/i.test(line.trim()))
        const list = event.secured ? afterTls : beforeTls
        const where = event.secured ? 'inside TLS' : 'in clear'
        return [
          { type: 'opportunity', detail: `the EHLO reply passed ${where}` },
          { type: 'fired', detail: `offered ${list.join(', ') || 'nothing'} ${where}`, original: event.bytes },
          replyTo({ id: event.id, secured: event.secured }, 250, greeting, ...list, ...starttls),
        ]
      },
    }
  },
})
