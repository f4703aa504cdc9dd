/** Events of connections and TLS in one line each, as visible text. */
import type {
  ConnClosed,
  ConnOpened,
  HelloSeen,
  TlsClosed,
  TlsFailed,
  TlsHello,
  TlsPresented,
  TlsUp,
} from '../../peers/events.ts'
import { ja3 } from '../../peers/tls/ja3.ts'
import { ja4 } from '../../peers/tls/ja4.ts'
import { readCertificate } from '../certificate.ts'
import { clip, count, visible } from '../text.ts'

export function connectionText(event: ConnOpened | ConnClosed): string {
  if (event.state === 'open') {
    const to = event.upstream === undefined ? '' : `, and on to ${event.upstream.address}:${event.upstream.port}`
    const tls = event.tlsOnConnect ? ', TLS on connect' : ''
    return visible(`connected to ${event.host}, ${event.local.address}:${event.local.port}${to}${tls}`)
  }
  const who = { client: 'the client', peer: 'the peer', server: 'the server', harness: 'the harness' }[event.by]
  const how = { fin: 'FIN', rst: 'RST', error: 'error', deadline: 'deadline' }[event.how]
  return visible(`ended by ${who}, ${how}${event.detail === undefined ? '' : `: ${clip(event.detail, 200)}`}`)
}

export function tlsText(event: TlsHello | TlsPresented | TlsUp | TlsFailed | TlsClosed): string {
  switch (event.state) {
    case 'hello':
      return helloText(event.hello)
    case 'presented':
      return certificateText(event.chain)
    case 'up':
      return visible(
        `TLS up: ${event.version}, ${event.cipher}${event.resumed ? ', resumed' : ''}${ownCertificate(event.clientChain)}`,
      )
    case 'failed': {
      const alert = event.alert === undefined ? '' : `, alert ${event.alert}`
      return visible(`TLS failed${alert}: ${clip(event.reason, 200)}`)
    }
    case 'closed':
      return `TLS ended by the ${event.by} with close_notify; the connection stays, in clear`
  }
}

function ownCertificate(chain: readonly Buffer[]): string {
  return chain.length === 0 ? '' : `, client certificate ${subjectOf(chain)}`
}

const VERSIONS: ReadonlyMap<number, string> = new Map([
  [0x0200, 'SSL 2'],
  [0x0300, 'SSL 3'],
  [0x0301, 'TLS 1.0'],
  [0x0302, 'TLS 1.1'],
  [0x0303, 'TLS 1.2'],
  [0x0304, 'TLS 1.3'],
])

function helloText(hello: HelloSeen): string {
  if (hello.format === 'none') return 'sent what is no ClientHello'
  const versions = hello.versions.flatMap((version) => VERSIONS.get(version) ?? [])
  const name = hello.serverName === undefined ? 'no SNI' : `SNI ${clip(hello.serverName, 80)}`
  const what = hello.format === 'sslv2' ? 'ClientHello of SSL 2' : 'ClientHello'
  const session = hello.session === undefined ? [] : [`offers a session (${hello.session})`]
  const suites = count(hello.cipherSuites.length, 'cipher suite')
  const fingerprints = fingerprintsOf(hello).map(([kind, value]) => `${kind} ${value}`)
  return visible([`${what}: ${versions.join(', ')}`, name, suites, ...session, ...fingerprints].join('; '))
}

/** By name; none of a hello that is not in TLS records, of which none is defined. */
export function fingerprintsOf(hello: HelloSeen): (readonly [string, string])[] {
  if (hello.format !== 'tls') return []
  const older = ja3(hello)
  return [...(older === undefined ? [] : [['JA3', older] as const]), ['JA4', ja4(hello)]]
}

function certificateText(chain: readonly Buffer[]): string {
  const more = chain.length > 1 ? `, ${count(chain.length - 1, 'more', 'more')} in the chain` : ''
  return chain.length === 0 ? 'no certificate sent' : visible(`certificate sent: ${subjectOf(chain)}${more}`)
}

/** Subject, names and end of the leaf; a certificate that cannot be read is told by its size. */
function subjectOf(chain: readonly Buffer[]): string {
  const leaf = chain[0] ?? Buffer.alloc(0)
  const read = readCertificate(leaf)
  if (read === undefined) return `${count(leaf.length, 'octet')} that cannot be read`
  const { subject, subjectAltName, validTo } = read
  const names = subjectAltName === undefined ? 'no names' : clip(subjectAltName, 120)
  return `${clip(subject?.replace(/\n/g, ', ') ?? 'no subject', 80)}; ${names}; until ${validTo}`
}
