/**
 * Answers a ClientHello by itself, in place of a TLS server: with an alert, with octets of its own or with nothing, and then
 * ends the connection or falls silent. It can be kept to the hellos that a certain kind of server does not bear.
 *
 * What always holds: no TLS is started for a hello that is answered here, so that nothing inside TLS can follow; any other
 * hello is left alone. RFC 8446 §4.1.2, §5.1, §6.
 */
import { z } from 'zod'
import { after, defineBehaviour } from '../behaviour.ts'
import type { HelloSeen } from '../events.ts'
import { readClientHello } from '../tls/client-hello.ts'
import { passUnits } from '../wire/termination.ts'
import type { Bytes, WireOutput } from '../wire/units.ts'
import { octets, octetsOf } from './starttls/octets.ts'
import { isVisited, visitsParameter } from './visits.ts'

const parameters = z.strictObject({
  answer: z
    .enum(['alert', 'octets', 'flood', 'nothing'])
    .default('alert')
    .describe('An alert; `octets`; `octets` again and again without end, as fast as the client takes them; nothing.'),
  alert: z.int().min(0).max(255).default(40).describe('Alert description, RFC 8446 §6; 40 is handshake_failure.'),
  level: z.enum(['warning', 'fatal']).default('fatal').describe('Alert level.'),
  octets: octets('\x16\x03\x03\x00\x00', 'What `octets` and `flood` send.'),
  then: z.enum(['fin', 'rst', 'stall']).default('fin').describe('FIN, RST, or silence on an open connection.'),
  to: z
    .enum([
      ...['any', 'tls12', 'tls13', 'server-name', 'no-server-name', 'no-alpn', 'record-tls10', 'not-sslv2'],
      ...['long', 'fragmented', 'many-suites', 'rc4-only', 'sslv2', 'above-ssl3'],
    ] as const)
    .default('any')
    .describe(
      'Which hellos: all; those that offer TLS 1.2 or more; TLS 1.3; with a server name; without one; without ALPN; in ' +
        'records of version 0x0301; not in the format of SSLv2; longer than `length` and not longer than `upTo`; a ' +
        'ClientHello in several records; with more than `suites` cipher suites; with no suites but those of RC4; in the format ' +
        'of SSLv2; with a version above SSL 3.0.',
    ),
  length: z.int().min(0).max(65536).default(255).describe('For `long`: octets of the hello with its record header.'),
  upTo: z
    .int()
    .min(0)
    .max(1048576)
    .default(1048576)
    .describe('For `long`: octets of the hello with its record header.'),
  suites: z.int().min(0).max(32767).default(128).describe('For `many-suites`: how many there may be.'),
  visits: visitsParameter,
})
type Parameters = z.infer<typeof parameters>

/** Octets of a flood that are made at a time. */
const CHUNK = 64 * 1024

const fromServer = (bytes: Buffer): Bytes => ({ type: 'bytes', from: 'server', bytes })

/** Suites with RC4: RFC 2246 appendix A.5 and the registrations since, all forbidden by RFC 7465. */
const RC4: ReadonlySet<number> = new Set([
  ...[0x0003, 0x0004, 0x0005, 0x0017, 0x0018, 0x0020, 0x0024, 0x0028, 0x002b, 0x0066, 0x008a, 0x008e, 0x0092],
  ...[0xc002, 0xc007, 0xc00c, 0xc011, 0xc016, 0xc033],
])

/** RFC 5746 §3.3, RFC 7507 §4, RFC 8701 §2: values that stand among the suites and are none. */
function isSuite(value: number): boolean {
  return value !== 0x00ff && value !== 0x5600 && !((value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff))
}

/** The handshake message goes on in another record. */
function isFragmented(octets: Buffer): boolean {
  const whole = octets[0] === 0x16 && octets.length >= 9
  return whole && octets.readUIntBE(6, 3) + 4 > octets.readUInt16BE(3)
}

function concerns({ to, length, upTo, suites }: Parameters, hello: HelloSeen, octets: Buffer): boolean {
  const offered = hello.cipherSuites.filter(isSuite)
  switch (to) {
    case 'any':
      return true
    case 'tls12':
      return hello.versions.some((version) => version === 0x0303 || version === 0x0304)
    case 'tls13':
      return hello.versions.includes(0x0304)
    case 'fragmented':
      return isFragmented(octets)
    case 'many-suites':
      return offered.length > suites
    case 'rc4-only':
      return offered.length > 0 && offered.every((suite) => RC4.has(suite))
    case 'server-name':
      return hello.serverName !== undefined
    case 'no-server-name':
      return hello.serverName === undefined
    case 'no-alpn':
      return hello.alpn.length === 0
    case 'record-tls10':
      return hello.recordVersion === 0x0301
    case 'not-sslv2':
      return hello.format === 'tls'
    case 'sslv2':
      return hello.format === 'sslv2'
    case 'above-ssl3':
      return hello.legacyVersion > 0x0300
    case 'long':
      return octets.length > length && octets.length <= upTo
  }
}

export const behaviour = defineBehaviour<Parameters>({
  id: 'answer-client-hello',
  title: 'Answers the ClientHello with an alert, octets of its own or nothing',
  source: ['RFC 8446 §4.1.2, §5.1, §6', 'RFC 7435 §4', 'RFC 7301 §3.2', 'RFC 6066 §3', 'RFC 7685 §1'],
  plane: 'record',
  parameters,
  shapes: ['handshake'],
  hides: after('handshake'),
  create(given, context) {
    const { answer, then } = given
    if (!isVisited(given.visits, context)) return { on: passUnits }
    /** What the client has sent since the server last spoke: when a hello is announced, that hello. */
    let latest: Buffer = Buffer.alloc(0)
    const unit = octetsOf(given.octets)
    const flood = Buffer.concat(Array.from({ length: Math.ceil(CHUNK / Math.max(1, unit.length)) }, () => unit))

    const sent = (): { readonly detail: string; readonly outputs: readonly WireOutput[] } => {
      if (answer === 'nothing') return { detail: 'nothing', outputs: [] }
      if (answer === 'octets') return { detail: `${unit.length} octets`, outputs: [fromServer(unit)] }
      if (answer === 'flood') return { detail: `${unit.length} octets without end`, outputs: more() }
      const record = Buffer.from([0x15, 3, 3, 0, 2, given.level === 'fatal' ? 2 : 1, given.alert])
      return { detail: `alert ${given.alert} (${given.level})`, outputs: [fromServer(record)] }
    }
    const more = (): WireOutput[] => [
      fromServer(flood),
      { type: 'wake-me', alarm: 'more', afterMs: 0, clock: 'wall', drained: true },
    ]
    const reply = (): WireOutput[] => {
      const { detail, outputs } = sent()
      const end = then === 'stall' || answer === 'flood' ? 'silence' : then === 'fin' ? 'FIN' : 'RST'
      const endless = answer === 'flood'
      return [
        { type: 'opportunity', detail: 'a ClientHello arrived' },
        { type: 'no-tls' },
        { type: 'fired', detail: `answered the ClientHello with ${detail}${endless ? '' : `, then ${end}`}` },
        ...outputs,
        ...(end === 'silence' ? [] : [{ type: 'close', end: 'client', how: then === 'rst' ? 'rst' : 'fin' } as const]),
      ]
    }
    return {
      on(event) {
        if (event.type === 'wake') return more()
        if (event.type === 'bytes') {
          latest = event.from === 'server' ? Buffer.alloc(0) : Buffer.concat([latest, event.bytes])
          return [event]
        }
        if (event.type !== 'tls' || event.end !== 'client' || event.state !== 'hello') return passUnits(event)
        const reading = readClientHello(latest)
        const due = reading.state === 'hello' && concerns(given, reading.hello, latest)
        latest = Buffer.alloc(0)
        return due ? reply() : []
      },
    }
  },
})
