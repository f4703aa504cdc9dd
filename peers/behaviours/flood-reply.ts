/**
 * Answers one moment with a reply that has no end: lines for ever, one line for ever, NULs for ever. The first octets come as
 * fast as the client takes them and not faster, up to a number; then one unit at a time, or the end.
 *
 * What always holds: no octet is made before the client's end has taken those before it, so that a client that does not read
 * costs no memory here; what the client says meanwhile goes nowhere; QUIT and the client's end close the connection.
 *
 * RFC 5321 §4.2.1 (a reply has any number of lines), §4.5.3.1.5 (512 octets a line); RFC 4954 §4 (12,288 in AUTH).
 */
import { z } from 'zod'
import { defineBehaviour, type Moment } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { NOTHING, type Reply, replyTo, type WireEvent, type WireOutput } from '../wire/units.ts'
import { octets, octetsOf, quoted } from './starttls/octets.ts'

const WHERE = ['banner', 'ehlo', 'starttls', 'auth'] as const
const MOMENTS_OF: Readonly<Record<(typeof WHERE)[number], string>> = {
  banner: 'the banner was due',
  ehlo: 'EHLO in clear',
  starttls: 'STARTTLS in clear',
  auth: 'AUTH arrived',
}

const parameters = z.strictObject({
  at: z
    .enum(WHERE)
    .default('ehlo')
    .describe('What is answered so: the connection, EHLO or STARTTLS in clear, or AUTH.'),
  head: octets('', 'What comes first.'),
  unit: octets('250-more\r\n', 'What is repeated.'),
  octets: z
    .int()
    .min(1)
    .max(1_000_000_000)
    .default(32 * 1024 * 1024)
    .describe('How many octets come at full speed, 1 to 1,000,000,000; the last unit is sent whole.'),
  then: z
    .enum(['drip', 'close', 'finish'])
    .default('drip')
    .describe(
      'After them: one unit at a time for ever, the end of the connection, or `tail` and 535 to all that follows.',
    ),
  seconds: z.number().min(0.1).max(3600).default(30).describe('Between units of `drip`, scaled clock, 0.1 to 3600.'),
  tail: octets('\r\n', 'What ends the reply with `finish`.'),
})
type Parameters = z.infer<typeof parameters>

/** Octets that are made at a time. */
const CHUNK = 256 * 1024

const HIDDEN: readonly Moment[] = ['after-220', 'handshake', 'ehlo-in-tls', 'mail', 'rcpt', 'data', 'quit']

export const behaviour = defineBehaviour<Parameters>({
  id: 'flood-reply',
  title: 'Sends a reply without end',
  source: ['RFC 5321 §4.2.1', 'RFC 5321 §4.5.3.1.5', 'RFC 4954 §4', 'Postfix line_limit', 'msmtp SMTP_MAXLINES'],
  plane: 'smtp',
  parameters,
  shapes: ['banner', 'ehlo-reply', 'starttls-reply', 'auth'],
  hides: HIDDEN,
  create(given) {
    const flood = new Flood(given)
    return { on: (event) => flood.on(event) }
  },
})

class Flood {
  private readonly given: Parameters
  private readonly chunk: Buffer
  /** What is being answered, once it has begun. */
  private asked: { readonly id: number; readonly secured: boolean } | undefined
  private sent = 0
  private finished = false
  private dripping = false

  constructor(given: Parameters) {
    this.given = given
    const unit = octetsOf(given.unit)
    this.chunk = Buffer.concat(Array.from({ length: Math.max(1, Math.ceil(CHUNK / unit.length)) }, () => unit))
  }

  on(event: WireEvent): readonly WireOutput[] {
    if (this.asked === undefined) return this.isDue(event) ? this.begin(event) : passUnits(event)
    if (event.type === 'wake') return this.more()
    if (event.type === 'eof') return passUnits(event)
    if (event.type === 'command' && event.verb === 'QUIT') return [{ type: 'close', end: 'client', how: 'fin' }]
    if (!this.finished) return NOTHING
    if (event.type === 'command') return [replyTo(event, 535, '5.7.8 Authentication credentials invalid')]
    return event.type === 'content' ? [replyTo(event, 535, '5.7.8 Authentication credentials invalid')] : NOTHING
  }

  private isDue(event: WireEvent): event is Reply | Extract<WireEvent, { type: 'command' }> {
    const { at } = this.given
    if (at === 'banner') return event.type === 'reply' && event.id === 0
    if (event.type !== 'command') return false
    return at === 'auth' ? event.verb === 'AUTH' : event.verb === at.toUpperCase() && !event.secured
  }

  private begin(event: Reply | Extract<WireEvent, { type: 'command' }>): WireOutput[] {
    const { at, head, unit } = this.given
    this.asked = { id: event.id ?? 0, secured: event.secured }
    return [
      { type: 'opportunity', detail: MOMENTS_OF[at] },
      { type: 'fired', detail: `began to send ${quoted(head + unit)} without end` },
      // TLS records of a client that takes any octet for a go are no commands.
      ...(at === 'starttls' ? [{ type: 'opaque' } as const] : []),
      ...(head === '' ? [] : [this.piece(octetsOf(head))]),
      this.next(0),
    ]
  }

  private more(): WireOutput[] {
    const { octets: limit, then, unit } = this.given
    const left = limit - this.sent
    if (left > 0) {
      const units = Math.ceil(Math.min(left, this.chunk.length) / unit.length)
      const bytes = this.chunk.subarray(0, units * unit.length)
      this.sent += bytes.length
      return [this.piece(bytes), this.next(0)]
    }
    if (this.finished) return []
    const told: WireOutput = { type: 'fired', detail: `sent ${this.sent} octets at full speed` }
    if (then === 'drip') {
      const first = !this.dripping
      this.dripping = true
      return [...(first ? [told] : []), this.piece(octetsOf(unit)), this.next(this.given.seconds * 1000)]
    }
    this.finished = true
    return then === 'close' ? [told, { type: 'close', end: 'client', how: 'fin' }] : [told, this.last()]
  }

  private next(afterMs: number): WireOutput {
    return { type: 'wake-me', alarm: 'more', afterMs, clock: afterMs === 0 ? 'wall' : 'scaled', drained: true }
  }

  /** Belongs to no command, so that nothing keeps it in memory until the reply is whole. */
  private piece(bytes: Buffer): Reply {
    return { type: 'reply', id: null, code: 0, bytes, last: false, secured: this.asked?.secured ?? false }
  }

  private last(): Reply {
    const { at, head, tail } = this.given
    const code = Number.parseInt(head, 10) || 0
    return { ...this.piece(octetsOf(tail)), id: this.asked?.id ?? null, code, last: at !== 'auth' }
  }
}
