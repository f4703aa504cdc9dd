/**
 * Plays the first half of a SCRAM server that does not know the password: it challenges the client, takes its proof and
 * refuses it. The proof is what a listener needs to guess passwords off line, and what may not cross in clear.
 *
 * RFC 5802 §3, §5 (messages), §9 (what an eavesdropper learns); RFC 7677 (SCRAM-SHA-256); RFC 4954 §4.
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { type Reply, replyTo, type WireOutput } from '../wire/units.ts'

const parameters = z.strictObject({
  iterations: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(4096)
    .describe('The iteration count of the challenge, 1 to 1,000,000.'),
})

/** Of no account to a peer that cannot check what comes back. */
const SALT = Buffer.from('badmx salt 16 oc').toString('base64')
const SERVER_NONCE = 'badmx-server-nonce'

export const behaviour = defineBehaviour({
  id: 'challenge-scram',
  title: 'Challenges a client that uses SCRAM, takes its proof and refuses it',
  source: ['RFC 5802 §5, §9', 'RFC 7677 §3'],
  plane: 'smtp',
  parameters,
  shapes: ['auth'],
  hides: ['mail', 'rcpt', 'data'],
  create({ iterations }) {
    let exchange: { readonly id: number; step: 'first' | 'final' } | undefined

    const challenge = (from: { id: number; secured: boolean }, text: string): Reply => ({
      ...replyTo(from, 334, text),
      last: false,
    })
    const answer = (from: { id: number; secured: boolean }, message: string): WireOutput[] => {
      if (exchange === undefined) return []
      if (exchange.step === 'final') {
        exchange = undefined
        return [
          { type: 'fired', detail: 'took the proof of SCRAM' },
          replyTo(from, 535, '5.7.8 Authentication credentials invalid'),
        ]
      }
      const nonce = /(?:^|,)r=([^,]+)/.exec(Buffer.from(message, 'base64').toString('latin1'))?.[1]
      if (nonce === undefined) {
        exchange = undefined
        return [replyTo(from, 501, '5.5.2 No SCRAM message')]
      }
      exchange.step = 'final'
      const first = `r=${nonce}${SERVER_NONCE},s=${SALT},i=${iterations}`
      return [challenge(from, Buffer.from(first, 'latin1').toString('base64'))]
    }
    return {
      on(event) {
        if (event.type === 'content' && event.id === exchange?.id) return answer(event, text(event.bytes))
        if (event.type !== 'command' || event.verb !== 'AUTH') return passUnits(event)
        const [mechanism = '', initial] = event.argument.split(/\s+/)
        if (!/^SCRAM-/i.test(mechanism)) return [event]
        exchange = { id: event.id, step: 'first' }
        const opportunity = { type: 'opportunity', detail: `AUTH ${mechanism.toUpperCase()}` } as const
        return [opportunity, ...(initial === undefined ? [challenge(event, '')] : answer(event, initial))]
      },
    }
  },
})

function text(line: Buffer): string {
  return line.toString('latin1').trim()
}
