/**
 * Breaks in at a message of the TLS handshake, the server's or the client's, before or behind it: an alert, octets, a flipped
 * bit or nothing, and then an end or going on. Encrypted messages too: what is altered is encrypted as it should be.
 *
 * What always holds: it acts once, at the first such message of the connection; the transcript has what left, so that a client
 * that completes a handshake with a flipped bit has not looked at that message. RFC 5246 §7.3, §7.4.
 */
import { z } from 'zod'
import { defineTlsBehaviour } from '../behaviour.ts'
import { type MessageUnit, passTls, type TlsOutput } from '../tls/legacy/layer.ts'
import { octets, octetsOf } from './starttls/octets.ts'

const parameters = z.strictObject({
  from: z.enum(['server', 'client']).default('server').describe('Whose message it is.'),
  message: z
    .enum([
      'client-hello',
      'server-hello',
      'certificate',
      'server-key-exchange',
      'certificate-request',
      'server-hello-done',
      'client-key-exchange',
      'certificate-verify',
      'new-session-ticket',
      'change-cipher-spec',
      'finished',
    ])
    .default('server-hello')
    .describe(
      'Which message. Behind the Finished of the client both sides have finished, where no session is resumed.',
    ),
  when: z
    .enum(['before', 'behind'])
    .default('before')
    .describe('Before the message leaves or is read, which then does not happen unless it goes on; or behind it.'),
  send: z
    .enum(['nothing', 'alert', 'octets', 'flip', 'empty'])
    .default('nothing')
    .describe(
      'Nothing; an alert; `octets` as they are; instead of a message of the server the same with a bit of its last octet ' +
        'flipped, or with an empty list for its body, and then it goes on (`when` and `then` do not matter).',
    ),
  alert: z.int().min(0).max(255).default(40).describe('Alert description, RFC 5246 §7.2; 40 is handshake_failure.'),
  level: z.enum(['warning', 'fatal']).default('fatal').describe('Alert level.'),
  octets: octets('\x14\x03\x03\x00\x01\x01', 'What `octets` sends; the default is ChangeCipherSpec.'),
  then: z
    .enum(['go-on', 'fin', 'rst', 'stall'])
    .default('fin')
    .describe('Go on as if nothing had happened; FIN; RST; silence on an open connection.'),
})
type Parameters = z.infer<typeof parameters>

/** The message with its bit flipped, or with an empty list where its body was (RFC 5246 §7.4.2). */
function altered({ bytes }: MessageUnit, send: 'flip' | 'empty'): Buffer {
  if (send === 'empty') return Buffer.concat([bytes.subarray(0, 1), Buffer.from([0, 0, 3, 0, 0, 0])])
  const flipped = Buffer.from(bytes)
  const last = flipped.length - 1
  flipped[last] = (flipped[last] as number) ^ 1
  return flipped
}

function outputsOf({ send, alert, level, octets: text }: Parameters): TlsOutput[] {
  if (send === 'alert') return [{ type: 'alert', level, alert }]
  return send === 'octets' ? [{ type: 'octets', bytes: octetsOf(text) }] : []
}

const ENDS = { fin: 'FIN', rst: 'RST', stall: 'silence' } as const

function told({ send, alert, level, octets: text, then }: Parameters): string {
  const what = { nothing: 'nothing', alert: `alert ${alert} (${level})`, octets: `${text.length} octets` }
  if (send === 'flip' || send === 'empty') return send === 'flip' ? 'a flipped bit' : 'an empty list'
  const thing = what[send]
  return then === 'go-on' ? thing : `${thing}, then ${ENDS[then]}`
}

export const behaviour = defineTlsBehaviour<Parameters>({
  id: 'break-handshake',
  title: 'Breaks in at any message of the TLS handshake: an alert, octets, a flipped bit, an end',
  source: ['RFC 5246 §7.3, §7.4', 'RFC 8446 §4.4.4', 'CVE-2014-0224', 'RFC 7435 §4'],
  plane: 'tls',
  parameters,
  shapes: ['handshake'],
  hides: [],
  create(given) {
    const { from, message, when, send, then } = given
    let done = false
    const end: TlsOutput[] = then === 'go-on' ? [] : [{ type: 'end', how: then }]
    const act = (passing: readonly TlsOutput[]): readonly TlsOutput[] => {
      done = true
      const name = `${message} of the ${from}`
      return [
        { type: 'opportunity', detail: `the ${name} was due` },
        { type: 'fired', detail: `${told(given)} ${when} the ${name}` },
        ...outputsOf(given),
        ...(then === 'go-on' || when === 'behind' ? passing : []),
        ...end,
      ]
    }
    return {
      on(event) {
        if (done || !('from' in event) || event.from !== from || event.name !== message) return passTls(event)
        if (event.type === 'past') return when === 'behind' ? act([]) : []
        if (send === 'flip' || send === 'empty') {
          done = true
          return [
            { type: 'opportunity', detail: `the ${message} of the server was due` },
            { type: 'fired', detail: `${told(given)} in the ${message} of the server` },
            { ...event, bytes: altered(event, send) },
          ]
        }
        return when === 'before' ? act([event]) : [event]
      },
    }
  },
})
