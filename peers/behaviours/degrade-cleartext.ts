/**
 * Degrades the service in clear by degrees: MAIL outside TLS gets a 4yz with a probability that rises (or falls) from one
 * such MAIL to the next; sessions inside TLS are left alone. V. Dukhovni, ietf-smtp, 2020-04-26: "Random 4XX for "MAIL
 * FROM:" outside TLS, with probability rising over the next decade might do the trick."
 *
 * The decade is counted in MAIL commands, over all connections of the peer. What is drawn is the connection's own seeded
 * randomness: the same seed and order of arrival, the same refusals.
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { replyTo } from '../wire/units.ts'

const probability = z.number().min(0).max(1)

const parameters = z.strictObject({
  from: probability.default(0).describe('Probability of a refusal of the first MAIL in clear, 0 to 1.'),
  to: probability.default(1).describe('Probability from the last MAIL of the schedule on, 0 to 1.'),
  over: z
    .int()
    .min(1)
    .max(100_000)
    .default(10)
    .describe('Length of the schedule in MAIL commands in clear, 1 to 100000.'),
  code: z.int().min(400).max(499).default(451).describe('Reply code, 400 to 499.'),
  text: z
    .string()
    .regex(/^[^\r\n]*$/)
    .default('4.7.1 Cleartext service is degraded, use STARTTLS')
    .describe('What follows the code.'),
})

export const behaviour = defineBehaviour<z.infer<typeof parameters>>({
  id: 'degrade-cleartext',
  title: 'Answers MAIL in clear with 4yz at random, by a schedule',
  source: ['ietf-smtp, 2020-04-26, "MTA-MTA SMTP and TLS-on-connect"', 'RFC 5321 §4.2.1, §4.5.4.1'],
  plane: 'smtp',
  parameters,
  shapes: ['mail'],
  hides: [],
  create({ from, to, over, code, text }, { memory, random }) {
    return {
      on(event) {
        if (event.type !== 'command' || event.verb !== 'MAIL' || event.secured) return passUnits(event)
        const earlier = Number(memory.get('mails') ?? 0)
        memory.set('mails', earlier + 1)
        const progress = over === 1 ? 1 : Math.min(1, earlier / (over - 1))
        const chance = from + (to - from) * progress
        const detail = `MAIL ${earlier + 1} in clear, refused with probability ${chance.toFixed(2)}`
        if (random() >= chance) return [{ type: 'opportunity', detail }, event]
        return [
          { type: 'opportunity', detail },
          { type: 'fired', detail: `answered MAIL in clear with ${code}` },
          replyTo(event, code, text),
        ]
      },
    }
  },
})
