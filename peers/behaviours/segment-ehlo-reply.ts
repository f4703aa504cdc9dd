/**
 * Sends the EHLO reply in pieces, one TCP segment each, with pauses between them. Nothing is changed: a client that
 * takes a segment for a line, or a read for a reply, misses STARTTLS.
 *
 * The pause is scaled, so that the whole reply stays within the client's (equally scaled) time limits. A pause costs at
 * least a turn of the event loop, which no scale makes shorter: the number of pauses is limited, for a busy machine must
 * not turn 150 of them into more seconds than a client may wait.
 *
 * RFC 9293 §3.8 (TCP is a stream; segments carry no boundaries).
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import type { Layer, Reply, WireOutput } from '../wire/units.ts'

const parameters = z.strictObject({
  octets: z.int().min(1).max(65_536).default(1).describe('Octets per piece, 1 to 65,536.'),
  gapMs: z.int().min(0).max(60_000).default(20).describe('Milliseconds of a pause, 0 to 60,000, scaled.'),
  pauses: z
    .int()
    .min(1)
    .max(1_000)
    .default(16)
    .describe('Pauses in a reply at most, 1 to 1,000, spread evenly; between them piece follows piece at once.'),
})

export const behaviour = defineBehaviour({
  id: 'segment-ehlo-reply',
  title: 'Sends the EHLO reply in pieces with pauses between them',
  source: ['RFC 9293 §3.8'],
  plane: 'smtp',
  parameters,
  shapes: ['ehlo-reply'],
  hides: [],
  create: segmentEhloReply,
})

interface Sending {
  readonly reply: Reply
  /** What has not been sent. */
  rest: Buffer
  /** Pieces that follow one another at once. */
  readonly burst: number
}

function segmentEhloReply({ octets, gapMs, pauses }: z.infer<typeof parameters>): Layer {
  const asked = new Set<number>()
  /** Replies that are on their way, oldest first. */
  const sending: Sending[] = []
  const nextBurst = (): readonly WireOutput[] => {
    const [now] = sending
    if (now === undefined) return []
    const outputs: WireOutput[] = []
    // The driver may join what is sent in answer to one event of the client: of that, one piece.
    const most = now.rest.length === now.reply.bytes.length ? 1 : now.burst
    for (let count = 0; count < most && now.rest.length > 0; count++) {
      const bytes = now.rest.subarray(0, octets)
      now.rest = now.rest.subarray(octets)
      outputs.push({ ...now.reply, bytes, last: now.rest.length === 0 })
    }
    if (now.rest.length === 0) sending.shift()
    if (sending.length > 0) outputs.push({ type: 'wake-me', alarm: 'next piece', afterMs: gapMs, clock: 'scaled' })
    return outputs
  }
  return {
    on(event) {
      if (event.type === 'command' && event.verb === 'EHLO' && !event.secured) asked.add(event.id)
      if (event.type === 'wake') return nextBurst()
      if (event.type !== 'reply' || event.id === null || !event.last || !asked.delete(event.id)) return passUnits(event)
      if (event.code !== 250) return [event]
      const pieces = Math.ceil(event.bytes.length / octets)
      const opportunity = { type: 'opportunity', detail: 'the reply to EHLO in clear' } as const
      if (pieces < 2) return [opportunity, event]
      const burst = Math.ceil((pieces - 1) / pauses)
      const waiting = sending.push({ reply: event, rest: event.bytes, burst }) > 1
      const paused = Math.ceil((pieces - 1) / burst)
      return [
        opportunity,
        {
          type: 'fired',
          detail: `sent ${event.bytes.length} octets in ${pieces} pieces, with ${paused} ${paused === 1 ? 'pause' : 'pauses'} of ${gapMs} ms`,
        },
        ...(waiting ? [] : nextBurst()),
      ]
    },
  }
}
