/** The flags `tls.*`: what the ClientHello and the session show. Pure. RFC 8996, RFC 9325 §4.1, RFC 6066 §3, RFC 8446 §8. */
import { isWeakCipher } from './credential.ts'
import type { Observation, Observed } from './observe.ts'
import type { Raised } from './raised.ts'

/** The extension early_data, RFC 8446 §4.2.10. */
const EARLY_DATA = 42

export function tlsFlags(observation: Observation): readonly Raised[] {
  return observation.connections.flatMap((connection) => [
    ...sessionFlags(connection),
    ...helloFlags(observation, connection),
  ])
}

function sessionFlags(connection: Observed): Raised[] {
  return connection.ups.flatMap(({ event }) => {
    const place = { conn: event.conn, atMs: event.t }
    const raised: Raised[] = []
    if (/^(SSLv[23]|TLSv1(\.[01])?)$/.test(event.version)) {
      raised.push({ flag: 'tls.weak-version', detail: `the session is ${event.version}`, ...place })
    }
    if (isWeakCipher(event.cipher))
      raised.push({ flag: 'tls.weak-cipher', detail: `the session has ${event.cipher}`, ...place })
    return raised
  })
}

function helloFlags(observation: Observation, connection: Observed): Raised[] {
  return connection.hellos.flatMap(({ event }) => {
    const { hello } = event
    if (hello.format === 'none') return []
    const place = { conn: event.conn, atMs: event.t }
    const raised: Raised[] = []
    const want = observation.cell.hostNames[connection.host]
    if (hello.serverName === undefined)
      raised.push({ flag: 'tls.no-sni', detail: 'the ClientHello names no server', ...place })
    else if (want !== undefined && bare(hello.serverName) !== bare(want)) {
      raised.push({ flag: 'tls.wrong-sni', detail: `the ClientHello names ${hello.serverName}, not ${want}`, ...place })
    }
    if (hello.extensions.includes(EARLY_DATA)) {
      raised.push({ flag: 'tls.early-data', detail: 'the ClientHello asks for early data', ...place })
    }
    return raised
  })
}

function bare(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}
