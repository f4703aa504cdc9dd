/**
 * Ends TLS with close_notify when the client sends its EHLO in it, keeps the TCP connection, and goes on in clear: the EHLO
 * gets its reply there, without STARTTLS, and so does whatever a client says that follows. RFC 8446 §6.1: after close_notify
 * nothing more is read from that connection; RFC 3207 §4.2: the session is the one inside TLS.
 *
 * What a client still sends inside TLS is thrown away, so that nothing is accepted there; what it sends in clear is
 * accepted, and the transcript shows it.
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits, withoutKeyword } from '../wire/termination.ts'
import { type Command, NOTHING, replyTo, swallow } from '../wire/units.ts'

/** Milliseconds between close_notify and the first octet in clear: the one has to be on its way before the other. */
const PAUSE_MS = 100

export const behaviour = defineBehaviour<Record<string, never>>({
  id: 'end-tls-continue-clear',
  title: 'Ends TLS with close_notify at the EHLO inside it and goes on in clear',
  source: ['RFC 3207 §4.2', 'RFC 8446 §6.1'],
  plane: 'smtp',
  parameters: z.strictObject({}) as z.ZodType<Record<string, never>>,
  underTls: true,
  shapes: ['ehlo-in-tls'],
  hides: [],
  create() {
    let greeting: Command | undefined
    const greetings = new Set<number>()
    return {
      on(event) {
        if (event.type === 'command' && event.secured && greeting !== undefined) return [swallow(event)]
        if (event.type === 'content' && event.secured && greeting !== undefined) return NOTHING
        if (event.type === 'command' && event.verb === 'EHLO') greetings.add(event.id)
        if (event.type === 'command' && event.secured && (event.verb === 'EHLO' || event.verb === 'HELO')) {
          greeting = { ...event, secured: false }
          return [
            { type: 'opportunity', detail: `${event.verb} arrived inside TLS` },
            { type: 'fired', detail: 'ended TLS with close_notify; the session goes on in clear' },
            { type: 'close', end: 'client', how: 'fin', keepTcp: true },
            { type: 'wake-me', alarm: 'continue', afterMs: PAUSE_MS, clock: 'wall' },
          ]
        }
        if (event.type === 'wake') return greeting === undefined ? NOTHING : [greeting]
        if (greeting === undefined) return passUnits(event)
        if (event.type === 'command' && event.verb === 'STARTTLS')
          return [replyTo(event, 502, '5.5.1 Command not implemented')]
        if (event.type !== 'reply') return passUnits(event)
        const reply = { ...event, secured: false }
        return [
          event.id !== null && event.code === 250 && greetings.delete(event.id)
            ? withoutKeyword(reply, 'STARTTLS')
            : reply,
        ]
      },
    }
  },
})
