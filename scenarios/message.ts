/** The message under test: a small RFC 5322 message whose every part holds a canary. Pure. */
import type { Canary } from './events.ts'

export interface Envelope {
  readonly from: string
  readonly to: string
}

/** Canaries by name; `helo` and the like are not in every cell. */
export function canaryOf(canaries: readonly Canary[], name: string): string {
  const found = canaries.find((canary) => canary.name === name)
  if (found === undefined) throw new Error(`the cell has no canary "${name}"`)
  return found.value
}

/** Sender at a name that leads nowhere, recipient in the cell's own domain, or below it. */
export function envelopeOf(canaries: readonly Canary[], domain: string): Envelope {
  return {
    from: `${canaryOf(canaries, 'sender')}@dsn.badmx.test`,
    to: `${canaryOf(canaries, 'recipient')}@${domain}`,
  }
}

/**
 * The message, with CRLF line ends.
 *
 * @param number counted from 1: several messages of one cell differ in their Message-ID.
 * @param octets the length that it has at least, filled with lines behind its text.
 */
export function messageOf(
  canaries: readonly Canary[],
  envelope: Envelope,
  clock: Date,
  number: number,
  octets = 0,
): Buffer {
  const lines = [
    `Date: ${clock.toUTCString().replace('GMT', '+0000')}`,
    `From: <${envelope.from}>`,
    `To: <${envelope.to}>`,
    `Subject: badmx test ${canaryOf(canaries, 'subject')}`,
    `Message-ID: <${number}.${canaryOf(canaries, 'body')}@badmx.test>`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=us-ascii',
    '',
    'This message was sent by a test of mail transport security.',
    `Its body holds the text ${canaryOf(canaries, 'body')}.`,
    '',
  ]
  const text = lines.join('\r\n')
  const missing = Math.ceil(Math.max(0, octets - text.length) / FILLER.length)
  return Buffer.from(`${text}${FILLER.repeat(missing)}`, 'latin1')
}

const FILLER = `${'This line makes the message longer. '.repeat(2).trim()}\r\n`
