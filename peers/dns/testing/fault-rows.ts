/**
 * For the tests: every fault, and what validators make of it: unbound with the settings of Debian (`modern`), and
 * without QNAME minimisation and aggressive NSEC (`classic`).
 */
import type { Signing, Zone } from '../zone.ts'

/** Rich enough that the records of a proof are distinct, and that `*.plain` and `_tcp.plain` are not in one span. */
export const RECORDS = [
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

export interface Row {
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
/** One of the two name servers where there are two. */
export const FIRST = 'ns1.servers.test'
const MX_TLSA = '_25._tcp.mx TLSA'
const DENIED = '_25._tcp.plain TLSA'

function row(fault: Item, signing: Signing, asks: string, sound: string, classic: string, modern?: string): Row {
  return { fault, signing, asks, sound, classic, ...(modern === undefined ? {} : { modern }) }
}

export const ROWS: readonly Row[] = [
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
  row({ use: 'serve-unrectified', with: { order: 'empty' } }, NSEC3, 'mx TLSA', 'NOERROR AD', 'SERVFAIL'),
  row({ use: 'serve-unrectified', with: { order: 'empty' } }, NSEC3, DENIED, 'NXDOMAIN AD', 'SERVFAIL'),
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
  row({ use: 'redirect-mx' }, NSEC, '@ MX', 'NOERROR AD', 'SERVFAIL'),
  row({ use: 'redirect-mx' }, { ds: false }, '@ MX', 'NOERROR', 'NOERROR'),
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
export function originOf(each: Row, index: number): string {
  const before = ROWS.slice(0, index).filter(({ fault }) => fault.use === each.fault.use)
  return `${each.fault.use}-${before.length}.test`
}

/**
 * Of the extended errors only those that the row names are looked at: of the others every resolver has its own idea.
 */
export function says(got: string, want: string): string {
  return want.includes('EDE') ? got : got.replace(/ EDE \d+/g, '')
}
