/** What the client offered in TLS, and which certificate it was shown, connection by connection. */
import type { HelloSeen, TlsHello, TlsPresented, TlsUp } from '../../peers/events.ts'
import { isGrease } from '../../peers/tls/grease.ts'
import type { LogEvent } from '../../scenarios/events.ts'
import type { CellRecord } from '../../scenarios/record.ts'
import { readCertificate } from '../certificate.ts'
import { fingerprintsOf } from '../ladder/describe.ts'
import { attribute, text } from '../markup.ts'
import { distinct } from '../summary.ts'
import { clip, count } from '../text.ts'
import { facts } from './pieces.ts'
import { groupName, suiteName, versionName } from './tls-names.ts'

/** Nothing where TLS was not begun. Connections in which the same was offered, shown and agreed on are told once. */
export function tlsSection(cell: CellRecord, events: readonly LogEvent[]): string {
  const conns = distinct(events.flatMap((event) => (event.type === 'tls' ? [event.conn] : [])))
  const told = conns.map((conn) => connection(events.filter((event) => 'conn' in event && event.conn === conn)))
  const check = checked(cell)
  return distinct(told)
    .filter((markup) => markup !== '')
    .map((markup, index, all) => {
      const number = told.filter((each) => each === markup).length
      const same = number > 1 && all.length > 0 ? `<p class="dim">the same on ${count(number, 'connection')}</p>` : ''
      return `<div class="pair">${markup}</div>${same}${index === all.length - 1 ? check : ''}`
    })
    .join('')
}

function connection(events: readonly LogEvent[]): string {
  const own = events.filter((event) => event.type === 'tls' && event.side === 'client')
  const hello = own.find((event): event is TlsHello => event.type === 'tls' && event.state === 'hello')
  const presented = own.find((event): event is TlsPresented => event.type === 'tls' && event.state === 'presented')
  const up = own.find((event): event is TlsUp => event.type === 'tls' && event.state === 'up')
  const boxes = [
    ...(hello === undefined ? [] : [box('Offered by the client', offered(hello.hello))]),
    ...(presented === undefined ? [] : [box('Certificate shown', certificate(presented.chain))]),
    ...(up === undefined ? [] : [box('Agreed on', agreed(up))]),
  ]
  return boxes.join('')
}

function box(title: string, markup: string): string {
  return `<div><h4>${text(title)}</h4>${markup}</div>`
}

function offered(hello: HelloSeen): string {
  if (hello.format === 'none') return '<p>What it sent is no ClientHello.</p>'
  const known = (codes: readonly number[]): number[] => codes.filter((code) => !isGrease(code))
  const suites = known(hello.cipherSuites)
  return facts([
    ['versions', text(known(hello.versions).map(versionName).join(', '))],
    ['server name', hello.serverName === undefined ? '<em>none</em>' : text(clip(hello.serverName, 200))],
    ['ALPN', hello.alpn.length === 0 ? '<em>none</em>' : text(clip(hello.alpn.join(', '), 200))],
    ['groups', text(known(hello.groups).map(groupName).join(', '))],
    [
      'cipher suites',
      `<details><summary>${suites.length}, first ${text(suites[0] === undefined ? 'none' : suiteName(suites[0]))}</summary>${text(suites.map(suiteName).join(', '))}</details>`,
    ],
    ...fingerprintsOf(hello).map(([kind, value]) => [kind, `<code class="break">${text(value)}</code>`] as const),
  ])
}

function certificate(chain: readonly Buffer[]): string {
  const [leaf] = chain
  if (leaf === undefined) return '<p>None.</p>'
  const size = `${count(chain.length, 'certificate')}, ${count(
    chain.reduce((sum, each) => sum + each.length, 0),
    'octet',
  )}`
  const read = readCertificate(leaf)
  if (read === undefined) return facts([['chain', text(`${size}; the first cannot be read`)]])
  return facts([
    ['subject', text(clip(oneLine(read.subject), 200))],
    ['names', text(clip(read.subjectAltName ?? 'none', 400))],
    ['issuer', text(clip(oneLine(read.issuer), 200))],
    ['valid', `${text(read.validFrom)} to ${text(read.validTo)}`],
    ['chain', text(size)],
    ['SHA-256', `<code class="break">${text(read.fingerprint256)}</code>`],
  ])
}

/** A subject without any name is undefined in Node, whatever its types say. */
function oneLine(name: string | undefined): string {
  return name === undefined || name === '' ? 'none' : name.replace(/\n/g, ', ')
}

function agreed(up: TlsUp): string {
  return facts([
    ['version', text(up.version.replace('TLSv', 'TLS '))],
    ['cipher suite', text(up.cipher)],
    ['resumed', up.resumed ? 'yes' : 'no'],
    ['client certificate', up.clientChain.length === 0 ? 'none' : count(up.clientChain.length, 'certificate')],
  ])
}

/** What the credential proved, by badmx's own check. */
function checked({ presented }: CellRecord): string {
  if (presented === undefined) return ''
  const words = (['chain', 'validity', 'name'] as const).map(
    (what) => `<span class="${presented[what] ? 'proved' : 'unproved'}">${presented[what] ? '✓' : '✗'} ${what}</span>`,
  )
  const why = presented.reasons.length === 0 ? '' : `: ${text(presented.reasons.join('; '))}`
  return `<p${attribute('class', 'checked')}>Checked by badmx, whatever the client did: ${words.join(' ')}${why}</p>`
}
