/**
 * Cuts a reply short: its first octets leave, and then the connection ends, inside TLS without close_notify: a truncation
 * (RFC 8446 §6.1). RFC 5321 §4.2: a line that has not ended is no reply, whatever its code says.
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { NOTHING } from '../wire/units.ts'
import { channelName, channelParameter, isInChannel } from './channel.ts'

const parameters = z.strictObject({
  to: z
    .enum(['EHLO', 'MAIL', 'RCPT', 'DATA', 'dot'])
    .default('dot')
    .describe('The reply that is cut: to this command, or to the final dot.'),
  keep: z.int().min(0).max(512).default(7).describe('Octets of it that leave; its line end never does. 0 to 512.'),
  in: channelParameter,
})

export const behaviour = defineBehaviour<z.infer<typeof parameters>>({
  id: 'cut-reply',
  title: 'Cuts a reply short and ends the connection',
  source: ['RFC 8446 §6.1', 'RFC 5321 §4.2'],
  plane: 'smtp',
  parameters,
  underTls: true,
  shapes: ['mail', 'rcpt', 'data'],
  hides: [],
  create({ to, keep, in: channel }) {
    const verbs = new Map<number, string>()
    let ended = false
    return {
      on(event) {
        if (ended && (event.type === 'command' || event.type === 'content' || event.type === 'reply')) return NOTHING
        if (event.type === 'command' && isInChannel(channel, event)) verbs.set(event.id, event.verb)
        if (event.type !== 'reply' || event.id === null || !isInChannel(channel, event)) return passUnits(event)
        const verb = verbs.get(event.id)
        const meant = to === 'dot' ? verb === 'DATA' && event.last && event.code !== 354 : verb === to
        if (!meant) return [event]
        ended = true
        const bytes = event.bytes.subarray(0, Math.min(keep, event.bytes.length - '\r\n'.length))
        const what = to === 'dot' ? 'the final dot' : to
        return [
          { type: 'opportunity', detail: `${what} ${channelName(event)}` },
          {
            type: 'fired',
            detail: `cut the reply to ${what} after ${bytes.length} of ${event.bytes.length} octets`,
            original: event.bytes,
          },
          { ...event, bytes, last: true },
          { type: 'close', end: 'client', how: 'fin', ...(event.secured ? { withoutNotify: true } : {}) },
        ]
      },
    }
  },
})
