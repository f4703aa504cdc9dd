/** For the tests: zones of every kind, rich in cases, and questions about them that are drawn at random. */
import { seeded } from '../../random.ts'
import { type Signing, type Zone, zone } from '../zone.ts'

const RECORDS = [
  '@ MX 10 mx',
  '@ MX 20 MX2',
  'mx A 198.18.0.25',
  'mx AAAA 2001:db8::25',
  '_25._tcp.mx TLSA 3 1 1 00ff',
  '_25._tcp.plain CNAME _25._tcp.mx',
  'plain A 198.18.0.26',
  '1.plain TXT x',
  '*._tcp.any CNAME _25._tcp.mx',
  'www CNAME mx',
  'lost CNAME nobody',
  'loop CNAME loop',
  'toward CNAME mx.next.test.',
  'out CNAME mx.unsigned.test.',
  '*.wild A 198.18.0.26',
  '*.alias CNAME mx',
  'x.wild TXT exists',
  'old DNAME new',
  'mx.new A 198.18.0.27',
  'away DNAME unsigned.test.',
  'a.b.c.d.e TXT deep',
  'island NS ns.island',
  'ns.island A 198.18.0.28',
  'far.ent NS ns.nowhere.',
]

/** Zones of every kind, each a child of `test` and a parent of two. */
const KINDS: Readonly<Record<string, Signing | 'none'>> = {
  next: {},
  ed: { algorithm: 'ED25519' },
  hashed: { nsec3: { iterations: 1, salt: 'aabb' } },
  plainhash: { nsec3: {} },
  optout: { nsec3: { iterations: 1, salt: 'aabb', optOut: true } },
  costly: { nsec3: { iterations: 200, salt: 'aabb' } },
  unknown: { algorithm: 'UNKNOWN' },
  alone: { ds: false },
  unsigned: 'none',
}

export const ZONES: readonly Zone[] = Object.entries(KINDS).flatMap(([kind, signing]) => [
  zone(`${kind}.test`, RECORDS, { signing }),
  zone(`signed.${kind}.test`, RECORDS),
  zone(`bare.${kind}.test`, RECORDS, { signing: 'none' }),
])

const LABELS = [
  ...['mx', 'MX2', 'plain', '1', '_25', '_tcp', 'www', 'lost', 'toward', 'out', 'wild', 'alias', 'x', 'old', 'new'],
  ...['away', 'a', 'b', 'c', 'd', 'e', 'island', 'ns', 'far', 'ent', 'nobody', 'any', 'signed', 'bare', 'zz'],
]
const TYPES = ['A', 'AAAA', 'MX', 'TLSA', 'TXT', 'CNAME', 'NS', 'SOA', 'DS', 'DNSKEY', 'DNAME']

/**
 * Questions about these zones, the same each time for the same seed: half of them names that exist, half drawn label by
 * label.
 */
export function drawer(
  seed: number,
  label: string,
  zones: readonly Zone[],
): () => readonly [name: string, type: string] {
  const random = seeded(seed, label)
  const one = <Item>(items: readonly Item[]): Item => {
    const item = items[Math.floor(random() * items.length)]
    if (item === undefined) throw new Error('nothing to draw from')
    return item
  }
  const draw = (): readonly [name: string, type: string] => {
    const { origin } = one(zones)
    if (random() < 0.5) {
      const written = one(RECORDS).split(' ')[0] ?? '@'
      const label = written.replace('*', one(LABELS))
      return [label === '@' ? origin : `${label}.${origin}`, one(TYPES)]
    }
    const labels = Array.from({ length: Math.floor(random() * 4) }, () => one(LABELS))
    return [[...labels, origin].join('.'), one(TYPES)]
  }
  // Below a DNAME, unbound 1.17.1 wants a signature on the CNAME made of it when asked for CNAME or DNAME ("no
  // signatures for CNAME"); nobody signs that one (RFC 6672 §5.3.1).
  const question = (): readonly [name: string, type: string] => {
    const drawn = draw()
    return /\.(old|away)\./.test(drawn[0]) && /NAME$/.test(drawn[1]) ? question() : drawn
  }
  return question
}
