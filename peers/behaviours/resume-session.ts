/**
 * The server goes on with the TLS session that a client offers: the handshake is short, and no certificate is shown
 * (RFC 8446 §2.2, RFC 5246 §7.3). That it can is the work of its ticket keys; this says when it had the chance and did.
 *
 * What always holds: a client that offers no session passes unmarked; it has fired when the short handshake is complete.
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { NOTHING } from '../wire/units.ts'

const parameters = z.strictObject({})

export const behaviour = defineBehaviour<z.infer<typeof parameters>>({
  id: 'resume-session',
  title: 'Goes on with the TLS session that the client offers',
  source: ['RFC 8446 §2.2, §4.2.11', 'RFC 5077 §3'],
  plane: 'smtp',
  parameters,
  shapes: ['handshake'],
  hides: [],
  create() {
    return {
      on(event) {
        if (event.type !== 'tls' || event.end !== 'client') return passUnits(event)
        if (event.state === 'hello' && event.offer !== undefined)
          return [{ type: 'opportunity', detail: `the ClientHello offers a session (${event.offer})` }]
        if (event.state === 'up' && event.resumed === true)
          return [{ type: 'fired', detail: 'resumed the session that the client offered' }]
        return NOTHING
      },
    }
  },
})
