/**
 * Ends the connection at a moment of the mail session, with FIN or RST, in clear or inside TLS: at a command instead of its
 * reply, at the 354, at the final dot, or right behind the reply to the final dot. What the client sends from the trigger on
 * goes nowhere, so that no later acceptance can undo the loss.
 *
 * RFC 5321 §4.5.3.2.6, §6.1 (who is responsible for a message whose acceptance was lost); RFC 8446 §6.1 (close_notify; an end
 * without it is a truncation).
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { NOTHING, type WireEvent, type WireOutput } from '../wire/units.ts'
import { channelName, channelParameter, isInChannel } from './channel.ts'

const parameters = z.strictObject({
  at: z
    .enum(['tls-up', 'ehlo', 'mail', 'rcpt', 'data', 'after-354', 'dot', 'after-delivery', 'quit'])
    .default('mail')
    .describe(
      'The moment: TLS has come up; a command came (no reply to it); the 354 has left; the final dot came (no reply to ' +
        'it); the reply to the final dot has left.',
    ),
  how: z.enum(['fin', 'rst']).default('fin').describe('How the TCP connection ends.'),
  notify: z.boolean().default(true).describe('With `fin` inside TLS: whether close_notify is sent before.'),
  in: channelParameter,
})
type At = z.infer<typeof parameters>['at']

const VERBS: Readonly<Partial<Record<At, readonly string[]>>> = {
  ehlo: ['EHLO', 'HELO', 'LHLO'],
  mail: ['MAIL'],
  rcpt: ['RCPT'],
  data: ['DATA', 'BDAT'],
  quit: ['QUIT'],
}

const TOLD: Readonly<Record<At, string>> = {
  'tls-up': 'when TLS had come up',
  ehlo: 'instead of the reply to EHLO',
  mail: 'instead of the reply to MAIL',
  rcpt: 'instead of the reply to RCPT',
  data: 'instead of the reply to DATA',
  'after-354': 'behind the 354',
  dot: 'instead of the reply to the final dot',
  'after-delivery': 'behind the reply to the final dot',
  quit: 'instead of the reply to QUIT',
}

export const behaviour = defineBehaviour<z.infer<typeof parameters>>({
  id: 'close-at',
  title: 'Ends the connection at a moment of the session',
  source: ['RFC 5321 §4.5.3.2.6, §6.1', 'RFC 8446 §6.1', 'RFC 7672 §2.2'],
  plane: 'smtp',
  parameters,
  underTls: true,
  shapes: ['mail', 'rcpt', 'data'],
  hides: [],
  create({ at, how, notify, in: channel }) {
    /** Commands whose final reply has not passed yet. */
    const open = new Set<number>()
    /** `waiting`: the trigger came while earlier commands wanted their replies, which go out first. */
    let state: 'before' | 'waiting' | 'ended' = 'before'
    let body: number | undefined
    let secured = false

    const end = (): WireOutput[] => {
      state = 'ended'
      const truncated = how === 'fin' && secured && !notify
      const detail = `${how === 'fin' ? 'FIN' : 'RST'}${truncated ? ' without close_notify' : ''} ${TOLD[at]}`
      return [
        { type: 'fired', detail },
        { type: 'close', end: 'client', how, ...(truncated ? { withoutNotify: true } : {}) },
      ]
    }
    const trigger = (): WireOutput[] => {
      state = 'waiting'
      return [
        { type: 'opportunity', detail: `${at.replaceAll('-', ' ')} ${channelName({ secured })}` },
        ...(open.size === 0 ? end() : []),
      ]
    }
    const fromClient = (event: Extract<WireEvent, { type: 'command' | 'content' }>): readonly WireOutput[] => {
      secured = event.secured
      if (state !== 'before') return NOTHING
      if (event.type === 'content') {
        if (at !== 'dot' || event.of === 'AUTH' || !isInChannel(channel, event)) return [event]
        open.delete(event.id)
        return event.last ? trigger() : NOTHING
      }
      if (isInChannel(channel, event) && VERBS[at]?.includes(event.verb)) return trigger()
      open.add(event.id)
      if (event.verb === 'DATA') body = event.id
      return [event]
    }
    return {
      on(event) {
        if (event.type === 'command' || event.type === 'content') return fromClient(event)
        if (event.type === 'tls' && event.end === 'client' && event.state === 'up') {
          secured = true
          open.clear()
          return at === 'tls-up' && state === 'before' ? trigger() : NOTHING
        }
        if (event.type !== 'reply') return passUnits(event)
        if (state === 'ended') return NOTHING
        if (event.last && event.id !== null) open.delete(event.id)
        if (state === 'waiting') return open.size === 0 ? [event, ...end()] : [event]
        const ours = event.id !== null && event.id === body && isInChannel(channel, event)
        if (ours && at === 'after-354' && event.code === 354) {
          open.delete(event.id)
          return [event, ...trigger()]
        }
        return ours && at === 'after-delivery' && event.last && event.code === 250 ? [event, ...trigger()] : [event]
      },
    }
  },
})
