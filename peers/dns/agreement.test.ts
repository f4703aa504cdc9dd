/**
 * The embedded resolver and unbound agree on rcode, AD and the types of the answer, for questions drawn at random over
 * zones of every kind; delv, a third validator, agrees on what is secure.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { seeded } from '../random.ts'
import { run } from '../testing/programs.ts'
import { Internet } from './internet.ts'
import { decodeMessage, encodeMessage, type Message, queryFor } from './message.ts'
import { typeNumber, typeText } from './numbers.ts'
import { startDns } from './start.ts'
import { inNamespace } from './testing/namespace.ts'
import { exchange } from './testing/stub.ts'
import { lacks, startUnbound, summary } from './testing/unbound.ts'
import { bindAnchorFile } from './trust-anchor.ts'
import { type Signing, type Zone, zone } from './zone.ts'

const inside = inNamespace(import.meta.url)
const skip = inside === true ? lacks('unbound', '-V') : inside

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

const ZONES: readonly Zone[] = Object.entries(KINDS).flatMap(([kind, signing]) => [
  zone(`${kind}.test`, RECORDS, { signing }),
  zone(`signed.${kind}.test`, RECORDS),
  zone(`bare.${kind}.test`, RECORDS, { signing: 'none' }),
])

const LABELS = [
  ...['mx', 'MX2', 'plain', '1', '_25', '_tcp', 'www', 'lost', 'toward', 'out', 'wild', 'alias', 'x', 'old', 'new'],
  ...['away', 'a', 'b', 'c', 'd', 'e', 'island', 'ns', 'far', 'ent', 'nobody', 'any', 'signed', 'bare', 'zz'],
]
const TYPES = ['A', 'AAAA', 'MX', 'TLSA', 'TXT', 'CNAME', 'NS', 'SOA', 'DS', 'DNSKEY', 'DNAME']

const random = seeded(20_260_115, 'agreement')
function one<Item>(items: readonly Item[]): Item {
  const item = items[Math.floor(random() * items.length)]
  if (item === undefined) throw new Error('nothing to draw from')
  return item
}

/** Half of them names that exist, half drawn label by label. */
function question(): readonly [name: string, type: string] {
  const drawn = draw()
  // Below a DNAME, unbound 1.17.1 wants a signature on the CNAME made of it when asked for CNAME or DNAME ("no
  // signatures for CNAME"); nobody signs that one (RFC 6672 §5.3.1).
  return /\.(old|away)\./.test(drawn[0]) && /NAME$/.test(drawn[1]) ? question() : drawn
}

function draw(): readonly [name: string, type: string] {
  const { origin } = one(ZONES)
  if (random() < 0.5) {
    const written = one(RECORDS).split(' ')[0] ?? '@'
    const label = written.replace('*', one(LABELS))
    return [label === '@' ? origin : `${label}.${origin}`, one(TYPES)]
  }
  const labels = Array.from({ length: Math.floor(random() * 4) }, () => one(LABELS))
  return [[...labels, origin].join('.'), one(TYPES)]
}

function shown(message: Message): string {
  const types = [...new Set(message.answers.map(({ type }) => typeText(type)))].sort()
  return [summary(message).replace(/ EDE \d+/g, ''), ...types].join(' ')
}

t.test('1,000 questions', { skip }, async (t) => {
  const internet = await Internet.create(ZONES, { nameServer: { name: 'ns.test', address: '127.0.0.1' } })
  const at = { address: '127.0.0.3', port: 53 }
  const dns = await startDns({ internet, resolver: [at], authority: { port: 53 } })
  t.teardown(() => dns.close())
  const unbound = await startUnbound(t, internet)
  const questions = Array.from({ length: 1_000 }, question)
  const differences: string[] = []
  const seen = new Set<string>()
  const askBoth = async ([name, type]: readonly [string, string]): Promise<void> => {
    const query = queryFor(name, typeNumber(type) ?? 0, { id: 1, rd: true, edns: { do: true } })
    const octets = await exchange(at, encodeMessage(query), 'tcp')
    const ours = octets === undefined ? 'closed' : shown(decodeMessage(octets))
    const theirs = shown(await unbound.ask(name, type))
    seen.add(ours.split(' ').slice(0, 2).join(' '))
    if (ours !== theirs) differences.push(`${name} ${type}: ours ${ours}, unbound ${theirs}`)
  }
  const lane = async (): Promise<void> => {
    for (let next = questions.pop(); next !== undefined; next = questions.pop()) await askBoth(next)
  }
  await Promise.all([lane(), lane(), lane(), lane()])
  t.same(differences, [])
  t.ok(seen.has('NOERROR AD') && seen.has('NXDOMAIN AD') && seen.has('NXDOMAIN'), [...seen].join(', '))
})

t.test('delv says fully validated where the resolver says AD', { skip: skip || lacks('delv', '-v') }, async (t) => {
  const internet = await Internet.create(ZONES, { nameServer: { name: 'ns.test', address: '127.0.0.1' } })
  const at = { address: '127.0.0.3', port: 53 }
  const dns = await startDns({ internet, resolver: [at], authority: { port: 53 } })
  t.teardown(() => dns.close())
  const folder = mkdtempSync(join(tmpdir(), 'badmx-delv-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const anchor = join(folder, 'anchor')
  writeFileSync(anchor, bindAnchorFile(internet))
  // Not spawnSync: the name servers are in this process.
  const compare = async (kind: string): Promise<void> => {
    for (const [label, type] of [
      ['_25._tcp.mx', 'TLSA'],
      ['a.wild', 'A'],
      ['nobody', 'TLSA'],
    ] as const) {
      const name = `${label}.${kind}.test`
      const query = queryFor(name, typeNumber(type) ?? 0, { rd: true, edns: { do: true } })
      const { ad } = decodeMessage((await exchange(at, encodeMessage(query), 'tcp')) ?? Buffer.alloc(0))
      const { stdout } = await run('delv', ['@127.0.0.3', '-a', anchor, '+root=.', name, type])
      t.equal(/fully validated/.test(stdout), ad, `${name} ${type}: ${stdout.split('\n')[0]}`)
      t.match(stdout, /fully validated|unsigned answer/)
    }
  }
  await Promise.all(['next', 'ed', 'hashed', 'alone', 'unknown', 'unsigned'].map(compare))
})
