/** The flags `tls.*`: what the ClientHello and the session show. Pure. RFC 8996, RFC 9325 §4.1, RFC 6066 §3, RFC 8446 §8. */
import type { CellBegun } from '../events.ts'
import { isWeakCipher, tlsaToUse } from './credential.ts'
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
    const { cell } = observation
    const tlsa = tlsaToUse(cell, connection.host)
    const aliases = cell.hosts[connection.host]?.tlsa?.aliases ?? []
    const names = [cell.hostNames[connection.host], tlsa?.base, ...aliases].filter((name) => name !== undefined)
    // Who has no TLSA record to authenticate the host by, or need not, need not name it either (RFC 7672 §8.1).
    const unnamed = wantsTlsa(cell) && (tlsa === undefined || !observation.requiresVerified)
    if (hello.serverName === undefined && !unnamed)
      raised.push({ flag: 'tls.no-sni', detail: 'the ClientHello names no server', ...place })
    else if (hello.serverName !== undefined && names.length > 0 && !names.map(bare).includes(bare(hello.serverName))) {
      const detail = `the ClientHello names ${hello.serverName}, not ${names[0]}`
      raised.push({ flag: 'tls.wrong-sni', detail, ...place })
    }
    if (hello.extensions.includes(EARLY_DATA)) {
      raised.push({ flag: 'tls.early-data', detail: 'the ClientHello asks for early data', ...place })
    }
    return raised
  })
}

/** The policy goes by TLSA records, and the log tells what there are: a world without DNS has none to tell of. */
function wantsTlsa({ judgedAs, hosts }: CellBegun): boolean {
  return (
    (judgedAs === 'dane' || judgedAs === 'dane-only') && Object.values(hosts).every(({ tlsa }) => tlsa !== undefined)
  )
}

function bare(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}
