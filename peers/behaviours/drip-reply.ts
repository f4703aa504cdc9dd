/**
 * Lets a reply of the server out one octet at a time. Each octet comes well within any time limit between octets; the whole
 * takes longer than any limit for a reply.
 *
 * RFC 5321 §4.5.3.2: the limits are for the reply to a command, not for the silence between two octets.
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { NOTHING, type Reply, type WireOutput } from '../wire/units.ts'

const parameters = z.strictObject({
  at: z.enum(['banner', 'ehlo']).default('banner').describe('Which reply: the banner, or that to EHLO in clear.'),
  seconds: z.number().min(0.1).max(3600).default(30).describe('Between two octets, scaled clock, 0.1 to 3600.'),
  padTo: z
    .int()
    .min(0)
    .max(512)
    .default(400)
    .describe(
      'The first line is filled with dots until the reply has this many octets, 0 to 512 (RFC 5321 §4.5.3.1.5).',
    ),
})

export const behaviour = defineBehaviour<z.infer<typeof parameters>>({
  id: 'drip-reply',
  title: 'Sends a reply one octet at a time',
  source: ['RFC 5321 §4.5.3.2'],
  plane: 'smtp',
  parameters,
  shapes: ['banner', 'ehlo-reply'],
  hides: [],
  create({ at, seconds, padTo }) {
    const asked = new Set<number>(at === 'banner' ? [0] : [])
    let whole: Reply | undefined
    let sent = 0

    const next = (): WireOutput[] => {
      if (whole === undefined) return []
      const bytes = whole.bytes.subarray(sent, sent + 1)
      sent += 1
      const last = sent === whole.bytes.length
      const { upgrade: _, ...rest } = whole
      const octet: Reply = last ? { ...whole, bytes } : { ...rest, bytes, last: false }
      if (last) whole = undefined
      return last ? [octet] : [octet, { type: 'wake-me', alarm: 'next', afterMs: seconds * 1000, clock: 'scaled' }]
    }
    return {
      on(event) {
        if (event.type === 'wake') return next()
        if (event.type === 'command' && at === 'ehlo' && event.verb === 'EHLO' && !event.secured) asked.add(event.id)
        if (event.type !== 'reply' || event.id === null || event.secured || !asked.delete(event.id))
          return passUnits(event)
        if (whole !== undefined) return NOTHING
        whole = { ...event, bytes: padded(event.bytes, padTo) }
        sent = 0
        return [
          { type: 'opportunity', detail: at === 'banner' ? 'the banner was due' : 'EHLO was answered' },
          {
            type: 'fired',
            detail: `began to send ${whole.bytes.length} octets, one every ${seconds} s`,
            original: event.bytes,
          },
          ...next(),
        ]
      },
    }
  },
})

/** With dots before the end of the first line. */
function padded(bytes: Buffer, length: number): Buffer {
  const end = bytes.indexOf('\r\n')
  const missing = length - bytes.length
  if (end === -1 || missing <= 1) return bytes
  return Buffer.concat([bytes.subarray(0, end), Buffer.from(` ${'.'.repeat(missing - 1)}`), bytes.subarray(end)])
}
