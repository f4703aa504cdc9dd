/**
 * Refuses a client that has no version or cipher suite in common without the alert that RFC 5246 §7.2.2 wants: FIN, RST or silence
 * after the ClientHello. Schannel does so with FIN, although its event log speaks of alert 40.
 */
import { z } from 'zod'
import { defineTlsBehaviour } from '../behaviour.ts'
import { passTls } from '../tls/legacy/layer.ts'

const parameters = z.strictObject({
  then: z.enum(['fin', 'rst', 'stall']).default('fin').describe('FIN, RST, or silence on an open connection.'),
})

const ENDS = { fin: 'FIN', rst: 'RST', stall: 'silence' } as const

export const behaviour = defineTlsBehaviour<z.infer<typeof parameters>>({
  id: 'refuse-silently',
  title: 'Refuses a client with nothing in common by FIN, RST or silence, without an alert',
  source: ['RFC 5246 §7.2.2', 'postfix-users 2014 (Exchange 2003)'],
  plane: 'tls',
  parameters,
  shapes: ['handshake'],
  hides: [],
  create({ then }) {
    return {
      on(event) {
        if (event.type !== 'refusal') return passTls(event)
        return [
          { type: 'opportunity', detail: event.reason },
          { type: 'fired', detail: `${ENDS[then]} in place of the alert ${event.alert}` },
          { type: 'end', how: then },
        ]
      },
    }
  },
})
