/**
 * Answers AUTH in place of the server: a refusal, or a challenge that nothing asked for. What the client sends in answer to
 * a challenge is refused with 535 and goes nowhere.
 *
 * RFC 4954 §4 (AUTH, 334), §6 (530, 534, 535, 538); RFC 3207 §4 (530 Must issue a STARTTLS command first).
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { replyTo } from '../wire/units.ts'
import { isVisited, visitsParameter } from './visits.ts'

const parameters = z.strictObject({
  code: z.int().min(200).max(599).default(535).describe('Reply code, 200 to 599; 334 is a challenge.'),
  text: z
    .string()
    .regex(/^[^\r\n]*$/)
    .default('5.7.8 Authentication credentials invalid')
    .describe('What follows the code.'),
  mechanisms: z
    .array(z.string().regex(/^[A-Z0-9_-]{1,20}$/, 'the name of a SASL mechanism, RFC 4422 §3.1'))
    .default([])
    .describe('Only AUTH with one of these mechanisms is answered; the others go on. Empty for all.'),
  where: z.enum(['both', 'clear', 'tls']).default('both').describe('Whether in clear, inside TLS, or both.'),
  visits: visitsParameter,
})

export const behaviour = defineBehaviour({
  id: 'answer-auth',
  title: 'Answers AUTH with a refusal or a stray challenge',
  source: ['RFC 4954 §4, §6', 'RFC 3207 §4'],
  plane: 'smtp',
  parameters,
  shapes: ['auth'],
  hides: ['mail', 'rcpt', 'data'],
  create({ code, text, mechanisms, where, visits }, context) {
    if (!isVisited(visits, context)) return { on: passUnits }
    const answered = new Set<number>()
    return {
      on(event) {
        if (event.type === 'content' && answered.has(event.id)) {
          return [replyTo(event, 535, '5.7.8 Authentication credentials invalid')]
        }
        if (event.type !== 'command' || event.verb !== 'AUTH') return passUnits(event)
        if (where !== 'both' && event.secured !== (where === 'tls')) return [event]
        const mechanism = event.argument.split(/\s/)[0]?.toUpperCase() ?? ''
        if (mechanisms.length > 0 && !mechanisms.includes(mechanism)) return [event]
        answered.add(event.id)
        return [
          { type: 'opportunity', detail: `AUTH ${mechanism}${event.secured ? ' inside TLS' : ' in clear'}` },
          { type: 'fired', detail: `answered AUTH ${mechanism} with ${code}` },
          { ...replyTo(event, code, text), last: code !== 334 },
        ]
      },
    }
  },
})
