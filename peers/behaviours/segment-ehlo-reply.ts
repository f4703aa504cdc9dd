/**
 * Sends the EHLO reply in pieces, one TCP segment each, with a pause between them. Nothing is changed: a client that
 * takes a segment for a line, or a read for a reply, misses STARTTLS.
 *
 * The pause is scaled, so that the whole reply stays within the client's (equally scaled) time limits.
 *
 * RFC 9293 §3.8 (TCP is a stream; segments carry no boundaries).
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import type { Layer, Reply, WireOutput } from '../wire/units.ts'

const parameters = z.strictObject({
  octets: z.int().min(1).max(65_536).default(1).describe('Octets per piece, 1 to 65,536.'),
  gapMs: z.int().min(0).max(60_000).default(20).describe('Milliseconds between two pieces, 0 to 60,000, scaled.'),
})

export const behaviour = defineBehaviour({
  id: 'segment-ehlo-reply',
  title: 'Sends the EHLO reply in pieces with a pause between them',
  source: ['RFC 9293 §3.8'],
  plane: 'smtp',
  parameters,
  shapes: ['ehlo-reply'],
  hides: [],
  create({ octets, gapMs }) {
    return segmentEhloReply(octets, gapMs)
  },
})

function segmentEhloReply(octets: number, gapMs: number): Layer {
  const asked = new Set<number>()
  /** Replies that are on their way, oldest first, each without what has been sent of it. */
  const sending: Reply[] = []
  const nextPiece = (): readonly WireOutput[] => {
    const [reply] = sending
    if (reply === undefined) return []
    const rest = reply.bytes.subarray(octets)
    const piece: Reply = { ...reply, bytes: reply.bytes.subarray(0, octets), last: rest.length === 0 }
    if (rest.length === 0) sending.shift()
    else sending[0] = { ...reply, bytes: rest }
    return sending.length === 0
      ? [piece]
      : [piece, { type: 'wake-me', alarm: 'next piece', afterMs: gapMs, clock: 'scaled' }]
  }
  return {
    on(event) {
      if (event.type === 'command' && event.verb === 'EHLO' && !event.secured) asked.add(event.id)
      if (event.type === 'wake') return nextPiece()
      if (event.type !== 'reply' || event.id === null || !event.last || !asked.delete(event.id)) return passUnits(event)
      if (event.code !== 250) return [event]
      const pieces = Math.ceil(event.bytes.length / octets)
      const opportunity = { type: 'opportunity', detail: 'the reply to EHLO in clear' } as const
      if (pieces < 2) return [opportunity, event]
      const waiting = sending.push(event) > 1
      return [
        opportunity,
        { type: 'fired', detail: `sent ${event.bytes.length} octets in ${pieces} pieces, ${gapMs} ms apart` },
        ...(waiting ? [] : nextPiece()),
      ]
    },
  }
}
