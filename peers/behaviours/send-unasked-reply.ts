/**
 * Sends a reply that nobody asked for: the banner once more when TLS has come up (RFC 3207 §4.2 resets the session to the
 * state after the 220, so that the client speaks first), or 421 behind the acceptance of a message (RFC 5321 §3.8: a server
 * that must shut down says so at any time).
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { type Close, NOTHING, type Reply, type WireOutput } from '../wire/units.ts'
import { channelName } from './channel.ts'
import { codeOf, octets, octetsOf, quoted } from './starttls/octets.ts'

const parameters = z.strictObject({
  when: z
    .enum(['tls-up', 'after-delivery'])
    .default('tls-up')
    .describe('When TLS has come up after STARTTLS, or right behind the 250 to the final dot.'),
  reply: octets('220 {host} ESMTP\r\n', 'The reply; `{host}` stands for the name of the peer.'),
  close: z.enum(['none', 'fin', 'rst']).default('none').describe('How the connection is ended after it.'),
})

export const behaviour = defineBehaviour<z.infer<typeof parameters>>({
  id: 'send-unasked-reply',
  title: 'Sends a reply that nobody asked for',
  source: ['RFC 5321 §3.8, §4.2', 'RFC 3207 §4.2'],
  plane: 'smtp',
  parameters,
  shapes: ['ehlo-in-tls', 'quit'],
  hides: [],
  create({ when, reply, close }, { hostName }) {
    const text = reply.replaceAll('{host}', hostName)
    let ended = false
    let asked = false
    let body: number | undefined

    const unasked = (secured: boolean): WireOutput[] => {
      ended = close !== 'none'
      const sent: Reply = { type: 'reply', id: null, code: codeOf(text), bytes: octetsOf(text), last: true, secured }
      const end: Close[] = close === 'none' ? [] : [{ type: 'close', end: 'client', how: close }]
      return [{ type: 'fired', detail: `sent ${quoted(text)} unasked` }, sent, ...end]
    }
    return {
      on(event) {
        if (ended && (event.type === 'command' || event.type === 'content' || event.type === 'reply')) return NOTHING
        if (event.type === 'command') {
          if (event.verb === 'STARTTLS') asked = true
          if (event.verb === 'DATA') body = event.id
        }
        if (event.type === 'tls' && event.end === 'client' && event.state === 'up') {
          if (when !== 'tls-up' || !asked) return NOTHING
          return [{ type: 'opportunity', detail: 'TLS is up' }, ...unasked(true)]
        }
        if (event.type !== 'reply' || when !== 'after-delivery') return passUnits(event)
        if (event.id === null || event.id !== body || !event.last || event.code !== 250) return [event]
        const detail = `a message was accepted ${channelName(event)}`
        return [event, { type: 'opportunity', detail }, ...unasked(event.secured)]
      },
    }
  },
})
