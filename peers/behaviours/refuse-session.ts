/**
 * The server does not know the TLS session that a client offers, as after a restart or behind a load balancer, and makes a
 * full handshake with its certificate in it (RFC 8446 §2.2, RFC 5077 §3.1). That it does not know it is the work of its
 * ticket keys; this says when a client asked for it and got the full handshake.
 *
 * What always holds: a client that offers no session passes unmarked; it has fired when the certificate has left.
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { NOTHING } from '../wire/units.ts'

const parameters = z.strictObject({})

export const behaviour = defineBehaviour<z.infer<typeof parameters>>({
  id: 'refuse-session',
  title: 'Makes a full handshake with a client that offers a TLS session',
  source: ['RFC 8446 §2.2, §4.2.11', 'RFC 5077 §3.1'],
  plane: 'smtp',
  parameters,
  shapes: ['handshake'],
  hides: [],
  create() {
    let offered = false
    return {
      on(event) {
        if (event.type !== 'tls' || event.end !== 'client') return passUnits(event)
        if (event.state === 'hello' && event.offer !== undefined) {
          offered = true
          return [{ type: 'opportunity', detail: `the ClientHello offers a session (${event.offer})` }]
        }
        if (event.state !== 'presented' || !offered) return NOTHING
        return [{ type: 'fired', detail: 'showed its certificate to a client that had offered a session' }]
      },
    }
  },
})
