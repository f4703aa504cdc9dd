/**
 * Answers AUTH with a challenge, and each answer with the next one, many times over; then ends the connection. A mechanism
 * has a known number of steps: PLAIN one, CRAM-MD5 one, LOGIN two, SCRAM two or three.
 *
 * RFC 4954 §4 (334, and `*` to cancel); RFC 4422 §3.5 (the mechanism defines when it ends).
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { type Reply, replyTo, type WireOutput } from '../wire/units.ts'

const parameters = z.strictObject({
  challenge: z
    .string()
    .regex(/^[A-Za-z0-9+/=]*$/, 'base64')
    .default('VXNlcm5hbWU6')
    .describe('The challenge in base64; by default that of LOGIN, "Username:".'),
  rounds: z.int().min(1).max(100_000).default(100).describe('How many challenges, 1 to 100,000.'),
})

export const behaviour = defineBehaviour({
  id: 'repeat-challenge',
  title: 'Answers AUTH, and whatever is said to it, with one challenge after the other',
  source: ['RFC 4954 §4', 'CPython smtplib _MAXCHALLENGE'],
  plane: 'smtp',
  parameters,
  shapes: ['auth'],
  hides: ['mail', 'rcpt', 'data'],
  create({ challenge, rounds }) {
    let asked: number | undefined
    let sent = 0

    const next = (from: { id: number; secured: boolean }): Reply => {
      sent += 1
      return { ...replyTo(from, 334, challenge), last: false }
    }
    const answer = (line: { id: number; secured: boolean; bytes: Buffer }): WireOutput[] => {
      if (line.bytes.toString('latin1').trim() === '*') {
        asked = undefined
        return [replyTo(line, 501, '5.7.0 Authentication cancelled')]
      }
      if (sent < rounds) return [next(line)]
      return [
        { type: 'fired', detail: `ended the connection after ${sent} challenges` },
        replyTo(line, 421, '4.7.0 Too many challenges'),
        { type: 'close', end: 'client', how: 'fin' },
      ]
    }
    return {
      on(event) {
        if (event.type === 'content' && event.id === asked) return answer(event)
        if (event.type !== 'command' || event.verb !== 'AUTH') return passUnits(event)
        asked = event.id
        return [
          { type: 'opportunity', detail: 'AUTH arrived' },
          { type: 'fired', detail: 'began to challenge without end' },
          next(event),
        ]
      },
    }
  },
})
