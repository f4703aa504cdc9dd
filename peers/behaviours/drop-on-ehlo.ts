/**
 * Ends the connection when EHLO comes, without a reply; a client that comes back with HELO is served.
 *
 * RFC 5321 §3.2 (some old servers do this, and clients work round it with HELO).
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'

const parameters = z.strictObject({
  how: z.enum(['fin', 'rst']).default('fin').describe('How the TCP connection ends.'),
})

export const behaviour = defineBehaviour({
  id: 'drop-on-ehlo',
  title: 'Ends the connection when EHLO comes',
  source: ['RFC 5321 §3.2'],
  plane: 'smtp',
  parameters,
  shapes: ['ehlo-command', 'ehlo-reply'],
  hides: [],
  create({ how }) {
    return {
      on(event) {
        if (event.type !== 'command' || event.verb !== 'EHLO' || event.secured) return passUnits(event)
        return [
          { type: 'opportunity', detail: 'EHLO in clear' },
          { type: 'fired', detail: `${how === 'fin' ? 'FIN' : 'RST'} instead of the reply to EHLO` },
          { type: 'close', end: 'client', how },
        ]
      },
    }
  },
})
