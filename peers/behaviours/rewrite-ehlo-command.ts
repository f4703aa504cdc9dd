/**
 * Writes another verb for EHLO outside TLS on its way to the server: a mask that the server does not know, or HELO,
 * which it answers without extensions.
 *
 * Cisco ASA document 113423 (masked verbs); RFC 5321 §4.1.1.1 (HELO has a one-line reply).
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'

const parameters = z.strictObject({
  verb: z
    .string()
    .regex(/^[A-Z]{1,16}$/)
    .default('XXXX')
    .describe('The verb that the server gets, 1 to 16 capital letters.'),
})

export const behaviour = defineBehaviour({
  id: 'rewrite-ehlo-command',
  title: 'Writes another verb for EHLO on its way to the server',
  source: ['Cisco ASA document 113423', 'RFC 5321 §4.1.1.1'],
  plane: 'smtp',
  parameters,
  shapes: ['ehlo-command', 'ehlo-reply'],
  hides: [],
  create({ verb }) {
    return {
      on(event) {
        if (event.type !== 'command' || event.verb !== 'EHLO' || event.secured) return passUnits(event)
        const bytes = Buffer.concat([Buffer.from(verb), event.bytes.subarray('EHLO'.length)])
        return [
          { type: 'opportunity', detail: 'EHLO in clear' },
          { type: 'fired', detail: `wrote ${verb} for EHLO`, original: event.bytes },
          { ...event, verb, bytes },
        ]
      },
    }
  },
})
