/**
 * Asks the client to begin a new handshake as soon as one is over: a HelloRequest inside TLS, RFC 5246 §7.4.1.1. The client may do
 * so, securely (RFC 5746), or refuse with no_renegotiation; either way the session goes on.
 */
import { z } from 'zod'
import { defineTlsBehaviour } from '../behaviour.ts'
import { passTls } from '../tls/legacy/layer.ts'

const parameters = z.strictObject({})

export const behaviour = defineTlsBehaviour<z.infer<typeof parameters>>({
  id: 'ask-renegotiation',
  title: 'Sends a HelloRequest when the handshake is over',
  source: ['RFC 5246 §7.4.1.1', 'RFC 5746', 'RFC 9325 §3.5', 'CVE-2009-3555'],
  plane: 'tls',
  parameters,
  shapes: ['ehlo-in-tls'],
  hides: [],
  create() {
    return {
      on(event) {
        if (event.type !== 'up') return passTls(event)
        return [
          { type: 'opportunity', detail: 'the handshake is over' },
          { type: 'fired', detail: 'a HelloRequest' },
          { type: 'hello-request' },
        ]
      },
    }
  },
})
