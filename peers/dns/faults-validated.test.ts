/**
 * What validators make of every fault: unbound with the settings of Debian (`modern`), unbound without QNAME
 * minimisation and aggressive NSEC (`classic`), and the embedded resolver, which is to say what `classic` says. Small
 * zones prove denials by accident: so each row also shows that the sound zone is fine, and that the fault has fired.
 */
import t from 'tap'
import type { PeerEvent } from '../events.ts'
import { Log } from '../testing/log.ts'
import { loadDnsFaults } from './faults.ts'
import { Internet } from './internet.ts'
import { decodeMessage, encodeMessage, queryFor } from './message.ts'
import { typeNumber } from './numbers.ts'
import { startDns } from './start.ts'
import { inNamespace } from './testing/namespace.ts'
import { exchange } from './testing/stub.ts'
import { lacks, startUnbound, summary } from './testing/unbound.ts'
import { type Signing, type Zone, zone } from './zone.ts'

const inside = inNamespace(import.meta.url)
const skip = inside === true ? lacks('unbound', '-V') : inside

/** Rich enough that the records of a proof are distinct, and that `*.plain` and `_tcp.plain` are not in one span. */
const RECORDS = [
  '@ MX 10 mx',
  'mx A 198.18.0.25',
  '_25._tcp.mx TLSA 3 1 1 00ff',
  'plain A 198.18.0.26',
  '1.plain TXT x',
  '_dmarc TXT x',
  '*.wild A 198.18.0.27',
  'x.wild TXT x',
  'lost CNAME nobody',
  '_25._tcp.lost CNAME nobody',
  'deep.er TXT x',
  'zz TXT last',
]
const NSEC: Signing = {}
const NSEC3: Signing = { nsec3: { iterations: 1, salt: 'aabb' } }

type Item = Zone['faults'][number]
interface Row {
  readonly fault: Item
  readonly signing: Signing
  /** Name relative to the zone, and type; the zone's name is written with capitals where `case` is set. */
  readonly asks: string
  readonly case?: true
  /** Another fault of the zone. */
  readonly also?: Item
  /** The zone has two name servers, of which the second is sound. */
  readonly two?: true
  readonly sound: string
  readonly classic: string
  /** Where it is not as `classic`. */
  readonly modern?: string
}

const TLSA = { types: ['TLSA'] }
const FIRST = 'ns1.servers.test'
const MX_TLSA = '_25._tcp.mx TLSA'
const DENIED = '_25._tcp.plain TLSA'

function row(fault: Item, signing: Signing, asks: string, sound: string, classic: string, modern?: string): Row {
  return { fault, signing, asks, sound, classic, ...(modern === undefined ? {} : { modern }) }
}

const ROWS: readonly Row[] = [
  row({ use: 'prove-from-apex' }, NSEC3, DENIED, 'NXDOMAIN AD', 'SERVFAIL'),
  row({ use: 'guess-wildcard-encloser' }, NSEC3, '_25._tcp.wild TLSA', 'NOERROR AD', 'SERVFAIL'),
  row(
    { use: 'guess-wildcard-encloser', with: { encloser: 'apex' } },
    NSEC3,
    '_25._tcp.wild TLSA',
    'NOERROR AD',
    'SERVFAIL',
  ),
  row({ use: 'omit-wildcard-denial' }, NSEC3, '_25._tcp.wild TLSA', 'NOERROR AD', 'SERVFAIL'),
  row({ use: 'omit-wildcard-denial' }, NSEC, '_25._tcp.wild TLSA', 'NOERROR AD', 'SERVFAIL'),
  row({ use: 'deny-with-apex-nsec' }, NSEC, DENIED, 'NXDOMAIN AD', 'SERVFAIL'),
  // P5: by NSEC3 a secure denial of what exists; QNAME minimisation then denies the TLSA record itself: a DANE
  // downgrade.
  row({ use: 'forget-empty-nonterminals' }, NSEC3, '_tcp.mx TLSA', 'NOERROR AD', 'NXDOMAIN AD'),
  { ...row({ use: 'forget-empty-nonterminals' }, NSEC3, MX_TLSA, 'NOERROR AD', 'NOERROR AD', 'NXDOMAIN AD') },
  row({ use: 'forget-empty-nonterminals' }, NSEC, '_tcp.mx TLSA', 'NOERROR AD', 'NOERROR AD'),
  { ...row({ use: 'leak-query-case' }, NSEC, 'nobody TLSA', 'NXDOMAIN AD', 'SERVFAIL'), case: true },
  {
    ...row({ use: 'leak-query-case', with: { into: 'apex-bitmap' } }, NSEC, '@ TLSA', 'NOERROR AD', 'NOERROR AD'),
    case: true,
  },
  // P7: one record from the apex to the apex denies everything, what exists too.
  row({ use: 'serve-unrectified' }, NSEC, DENIED, 'NXDOMAIN AD', 'NXDOMAIN AD'),
  row({ use: 'serve-unrectified' }, NSEC, '_tcp.mx TLSA', 'NOERROR AD', 'NXDOMAIN AD'),
  row({ use: 'serve-unrectified' }, NSEC, 'mx TLSA', 'NOERROR AD', 'SERVFAIL'),
  row({ use: 'serve-unrectified' }, NSEC3, 'mx TLSA', 'NOERROR AD', 'SERVFAIL'),
  row({ use: 'serve-unrectified' }, NSEC3, DENIED, 'NXDOMAIN AD', 'SERVFAIL'),
  row({ use: 'fail-on-chain-gap' }, NSEC3, DENIED, 'NXDOMAIN AD', 'SERVFAIL'),
  row({ use: 'omit-denial' }, NSEC, 'mx TLSA', 'NOERROR AD', 'SERVFAIL'),
  row({ use: 'omit-denial', with: { of: 'every' } }, NSEC3, DENIED, 'NXDOMAIN AD', 'SERVFAIL'),
  row({ use: 'soften-nxdomain' }, NSEC, DENIED, 'NXDOMAIN AD', 'SERVFAIL'),
  row({ use: 'soften-nxdomain' }, NSEC3, DENIED, 'NXDOMAIN AD', 'SERVFAIL'),
  row({ use: 'loop-wildcard-nsec' }, NSEC, '_25._tcp.wild TLSA', 'NOERROR AD', 'SERVFAIL'),
  row({ use: 'loop-wildcard-nsec' }, NSEC, 'q.wild A', 'NOERROR AD', 'SERVFAIL'),
  row({ use: 'open-nsec-ring' }, NSEC, 'zzz TLSA', 'NXDOMAIN AD', 'SERVFAIL'),
  row({ use: 'bump-serial' }, NSEC, 'mx TLSA', 'NOERROR AD', 'SERVFAIL'),
  // N6: the denial is sound, and wrong.
  row({ use: 'forget-name', name: '_25._tcp.mx' }, NSEC, MX_TLSA, 'NOERROR AD', 'NXDOMAIN AD'),
  row({ use: 'forget-name', name: '_25._tcp.mx' }, NSEC3, MX_TLSA, 'NOERROR AD', 'NXDOMAIN AD'),
  row({ use: 'refer-by-wildcard' }, NSEC, DENIED, 'NXDOMAIN AD', 'SERVFAIL'),
  row({ use: 'falsify-bitmap', ...TLSA }, NSEC3, 'mx TLSA', 'NOERROR AD', 'NOERROR AD'),
  row({ use: 'falsify-bitmap', ...TLSA, with: { types: ['TLSA'] } }, NSEC3, 'mx TLSA', 'NOERROR AD', 'SERVFAIL'),
  row({ use: 'corrupt-soa-signature' }, NSEC, 'mx TLSA', 'NOERROR AD', 'SERVFAIL'),
  row({ use: 'fail-on-dangling-alias' }, NSEC, '_25._tcp.lost TLSA', 'NXDOMAIN AD', 'SERVFAIL'),
  row({ use: 'drop-queries', ...TLSA }, NSEC, MX_TLSA, 'NOERROR AD', 'SERVFAIL'),
  row({ use: 'drop-large-answers', ...TLSA, with: { octets: 100 } }, NSEC, MX_TLSA, 'NOERROR AD', 'SERVFAIL'),
  row({ use: 'garble-header', ...TLSA }, NSEC, MX_TLSA, 'NOERROR AD', 'SERVFAIL'),
  ...['SERVFAIL', 'REFUSED', 'NOTIMP', 'FORMERR'].map((rcode) =>
    row({ use: 'answer-error', ...TLSA, with: { rcode } }, NSEC, MX_TLSA, 'NOERROR AD', 'SERVFAIL'),
  ),
  row({ use: 'deny-existence', ...TLSA }, NSEC, MX_TLSA, 'NOERROR AD', 'SERVFAIL'),
  row({ use: 'deny-existence', ...TLSA, with: { as: 'NODATA' } }, NSEC, MX_TLSA, 'NOERROR AD', 'SERVFAIL'),
  row({ use: 'strip-signatures', ...TLSA }, NSEC, MX_TLSA, 'NOERROR AD', 'SERVFAIL'),
  // The minimised query is for A, and is answered well.
  row(
    { use: 'strip-signatures', ...TLSA, with: { proofs: true } },
    NSEC,
    DENIED,
    'NXDOMAIN AD',
    'SERVFAIL',
    'NXDOMAIN AD',
  ),
  row({ use: 'drop-edns-queries', ...TLSA }, NSEC, MX_TLSA, 'NOERROR AD', 'SERVFAIL'),
  row({ use: 'refuse-edns', ...TLSA }, NSEC, MX_TLSA, 'NOERROR AD', 'SERVFAIL'),
  row({ use: 'ignore-do', ...TLSA }, NSEC, MX_TLSA, 'NOERROR AD', 'SERVFAIL'),
  // Only resolvers that draw the case at random mind.
  { ...row({ use: 'change-query-case', ...TLSA }, NSEC, MX_TLSA, 'NOERROR AD', 'NOERROR AD'), case: true },
  row({ use: 'truncate-answers', ...TLSA }, NSEC, MX_TLSA, 'NOERROR AD', 'NOERROR AD'),
  {
    ...row({ use: 'truncate-answers', ...TLSA }, NSEC, MX_TLSA, 'NOERROR AD', 'SERVFAIL'),
    also: { use: 'close-connection', ...TLSA },
  },
  {
    ...row({ use: 'truncate-answers', ...TLSA }, NSEC, MX_TLSA, 'NOERROR AD', 'SERVFAIL'),
    also: { use: 'drop-queries', transport: 'tcp', ...TLSA },
  },
  // One of two name servers: the other is asked. Where an answer does not hold unbound may ask the same one again, by
  // chance.
  ...[{ use: 'drop-queries' }, { use: 'refer-upwards' }, { use: 'answer-error' }].map((fault) => ({
    ...row({ ...fault, servers: [FIRST] }, NSEC, MX_TLSA, 'NOERROR AD', 'NOERROR AD'),
    two: true as const,
  })),
  row({ use: 'refer-upwards', ...TLSA }, NSEC, MX_TLSA, 'NOERROR AD', 'SERVFAIL'),
  row({ use: 'misdate-signatures', ...TLSA }, NSEC, MX_TLSA, 'NOERROR AD', 'SERVFAIL EDE 7'),
  row({ use: 'misdate-signatures', ...TLSA, with: { as: 'future' } }, NSEC, MX_TLSA, 'NOERROR AD', 'SERVFAIL EDE 8'),
  row({ use: 'misdate-signatures' }, NSEC, 'q.wild A', 'NOERROR AD', 'SERVFAIL EDE 7'),
  row({ use: 'mismatch-ds' }, NSEC, MX_TLSA, 'NOERROR AD', 'SERVFAIL EDE 9'),
  row({ use: 'delay-answers', ...TLSA, delayMs: 20 }, NSEC, MX_TLSA, 'NOERROR AD', 'NOERROR AD'),
]

/** Named for the fault and not for the row's place, so that hashes stay when rows come and go. */
function originOf(each: Row, index: number): string {
  const before = ROWS.slice(0, index).filter(({ fault }) => fault.use === each.fault.use)
  return `${each.fault.use}-${before.length}.test`
}

/**
 * Of the extended errors only those that the row names are looked at: of the others every resolver has its own idea.
 */
function says(got: string, want: string): string {
  return want.includes('EDE') ? got : got.replace(/ EDE \d+/g, '')
}

t.test('every fault has a row', async (t) => {
  const rows = new Set(ROWS.flatMap(({ fault, also }) => [fault.use, also?.use]))
  t.same(
    [...(await loadDnsFaults()).keys()].filter((id) => !rows.has(id)),
    [],
  )
})

t.test('validators say what the table says', { skip }, async (t) => {
  // The two are not the root's, which would answer for them.
  const build = (address: string, [first, second]: readonly [string, string], isFaulty: boolean) => {
    const servers = [
      { name: FIRST, address: first },
      { name: 'ns2.servers.test', address: second },
    ]
    const zones = ROWS.map((each, at) =>
      zone(originOf(each, at), RECORDS, {
        signing: each.signing,
        faults: isFaulty ? [each.fault, ...(each.also === undefined ? [] : [each.also])] : [],
        cell: String(at),
        ...(each.two ? { servers } : {}),
      }),
    )
    return Internet.create([...zones, zone('servers.test', [`ns1 A ${first}`, `ns2 A ${second}`])], {
      nameServer: { name: 'ns.test', address },
    })
  }
  const [faulty, sound] = [
    await build('127.0.0.1', ['127.0.0.21', '127.0.0.22'], true),
    await build('127.0.0.2', ['127.0.0.31', '127.0.0.32'], false),
  ]
  const log = new Log()
  const at = { address: '127.0.0.3', port: 53 }
  for (const [internet, resolver] of [
    [faulty, [at]],
    [sound, []],
  ] as const) {
    const dns = await startDns({ internet, resolver, authority: { port: 53 }, log: log.sink })
    t.teardown(() => dns.close())
  }
  const validators = await Promise.all([
    startUnbound(t, sound),
    startUnbound(t, faulty, 'classic'),
    startUnbound(t, faulty, 'modern'),
  ])
  const askOwn = async (name: string, type: string): Promise<string> => {
    const query = queryFor(name, typeNumber(type) ?? 0, { id: 1, rd: true, edns: { do: true } })
    const octets = await exchange(at, encodeMessage(query), 'tcp')
    return octets === undefined ? 'closed' : summary(decodeMessage(octets))
  }
  const askAll = async (each: Row, index: number): Promise<void> => {
    const [label = '', type = ''] = each.asks.split(' ')
    const origin = each.case ? originOf(each, index).toUpperCase() : originOf(each, index)
    const name = label === '@' ? origin : `${label}.${origin}`
    const [ofSound, classic, modern] = await Promise.all(validators.map((validator) => validator.says(name, type)))
    const embedded = await askOwn(name, type)
    const want = [each.sound, each.classic, each.modern ?? each.classic, each.classic]
    const got = [ofSound, classic, modern, embedded].map((text, at) => says(text ?? '', want[at] ?? ''))
    const what = `${each.asks} under ${JSON.stringify(each.fault)} and ${JSON.stringify(each.signing)}`
    const why = validators.flatMap(({ lines }) => lines.filter((line) => line.includes(origin.toLowerCase())))
    t.same(got, want, `sound, classic, modern, embedded: ${what}`, { why })
    // Which of two servers is asked first is the resolvers' own affair.
    if (each.two) return
    for (const { use } of [each.fault, ...(each.also === undefined ? [] : [each.also])]) {
      const isOwn = (event: PeerEvent) => event.type === 'fired' && event.behaviour === `dns:${use}`
      t.ok(
        log.events.some((event) => isOwn(event) && event.cell === String(index)),
        `${use} fired: ${what}`,
      )
    }
  }
  // A few at a time: unbound gives up on servers that seem slow to it.
  const queue = [...ROWS.entries()]
  const lane = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await askAll(next[1], next[0])
  }
  await Promise.all([lane(), lane(), lane(), lane()])
})
