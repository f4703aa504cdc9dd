/**
 * Replaces the banner: masked with stars, without the word ESMTP, as a bare code, in many lines.
 *
 * RFC 5321 §3.1, §4.2 (the grammar `Greeting`); Cisco `mask-banner`; Postfix smtp_pix_workarounds.
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'

const parameters = z.strictObject({
  banner: z
    .string()
    .default(`220 ${'*'.repeat(40)}\r\n`)
    .describe('The banner as it goes out, line ends included, UTF-8; `{host}` stands for the name of the peer.'),
})

export const behaviour = defineBehaviour({
  id: 'replace-banner',
  title: 'Replaces the banner',
  source: ['RFC 5321 §4.2', 'Cisco ASA mask-banner', 'Postfix smtp_pix_workarounds'],
  plane: 'smtp',
  parameters,
  shapes: ['banner'],
  hides: [],
  create({ banner }, { hostName }) {
    const bytes = Buffer.from(banner.replaceAll('{host}', hostName))
    return {
      on(event) {
        if (event.type !== 'reply' || event.id !== 0 || event.secured) return passUnits(event)
        return [
          { type: 'opportunity', detail: 'the banner' },
          { type: 'fired', detail: `sent ${JSON.stringify(bytes.toString('latin1'))}`, original: event.bytes },
          { ...event, code: Number.parseInt(banner, 10) || 0, bytes },
        ]
      },
    }
  },
})
