/**
 * For the tests: a real PowerDNS with live signing, whose database was filled by SQL and never put in order ("rectified"),
 * beside our fault `serve-unrectified` with the same zones: what each answers, and what unbound makes of it.
 */
import { once } from 'node:events'
import { Internet } from '../../../peers/dns/internet.ts'
import {
  decodeMessage,
  encodeMessage,
  type Message,
  queryFor,
  type ResourceRecord,
} from '../../../peers/dns/message.ts'
import { canonical } from '../../../peers/dns/name.ts'
import { rcodeText, TYPE, typeNumber, typeText } from '../../../peers/dns/numbers.ts'
import { fieldsOf } from '../../../peers/dns/rdata.ts'
import { rdataText } from '../../../peers/dns/rdata-text.ts'
import type { ServedZone } from '../../../peers/dns/served-zone.ts'
import { startDns } from '../../../peers/dns/start.ts'
import { RECORDS } from '../../../peers/dns/testing/fault-rows.ts'
import { exchange } from '../../../peers/dns/testing/stub.ts'
import { summary } from '../../../peers/dns/testing/unbound.ts'
import { type Signing, zone } from '../../../peers/dns/zone.ts'
import type { Layer } from '../layer.ts'
import { LAB_NETWORK } from '../network.ts'
import { RESOLVERS, startUnbound } from '../resolver.ts'
import { type ClientRoot, openRoot } from '../root.ts'

/** Of each what one says: of our server with the fault, and of PowerDNS. */
interface Both {
  readonly ours: string
  readonly theirs: string
}

export interface Unrectified {
  readonly question: string
  readonly answer: Both
  readonly unbound: Both
}

interface Kind {
  readonly origin: string
  readonly signing: Signing
  /** What the column `ordername` has: nothing, or empty texts. */
  readonly order: 'missing' | 'empty'
}

const NSEC3: Signing = { nsec3: { iterations: 1, salt: 'aabb' } }
const ZONES: readonly Kind[] = [
  { origin: 'nsec.test', signing: {}, order: 'missing' },
  { origin: 'nsec-empty.test', signing: {}, order: 'empty' },
  { origin: 'nsec3.test', signing: NSEC3, order: 'missing' },
  { origin: 'nsec3-empty.test', signing: NSEC3, order: 'empty' },
]
/** Denials of all sorts, an empty non-terminal, what is below it, and data. */
const QUESTIONS = [
  'mx A',
  'mx TLSA',
  '@ TLSA',
  '_25._tcp.mx TLSA',
  '_25._tcp.mx A',
  '_tcp.mx A',
  '_tcp.mx TLSA',
  'er A',
  'deep.er A',
  '_25._tcp.plain TLSA',
  'nobody A',
  'a.nobody.er TXT',
  'q.wild A',
  'q.wild TLSA',
  '_25._tcp.wild TLSA',
  'wild A',
  'lost A',
  '_25._tcp.lost TLSA',
]
const OURS = { name: 'ns.test', address: '198.18.0.1' }
const THEIRS = { name: 'ns.test', address: '198.18.0.2' }
const POWERDNS = { address: '198.18.0.3', port: 53 }
const DATABASE = '/tmp/zones.db'
const SCHEMA = '/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql'
const CONFIGURATION = `launch=gsqlite3
gsqlite3-database=${DATABASE}
gsqlite3-dnssec=yes
local-address=${POWERDNS.address}
socket-dir=/tmp
daemon=no
guardian=no
disable-syslog=yes
loglevel=4
`

export async function compareUnrectified(layer: Layer): Promise<Unrectified[]> {
  const faulty = await Internet.create(
    ZONES.map(({ origin, signing, order }) =>
      zone(origin, RECORDS, { signing, faults: [{ use: 'serve-unrectified', with: { order } }] }),
    ),
    { nameServer: OURS },
  )
  const root = await openRoot(layer, { resolvers: [] })
  try {
    const served = ZONES.map(({ origin }) => faulty.zoneFor({ name: origin, type: TYPE.SOA })).filter(
      (each) => each !== undefined,
    )
    const keys = await fill(root, served)
    await start(root)
    const real = await Internet.create([zone('test', keys)], { nameServer: THEIRS })
    const questions = ZONES.flatMap(({ origin }) =>
      QUESTIONS.map((question) => {
        const [label = '', type = ''] = question.split(' ')
        return { name: label === '@' ? origin : `${label}.${origin}`, type }
      }),
    )
    const [ours, theirs] = [
      await answers(faulty, { address: OURS.address, port: 53 }, questions),
      await answers(real, POWERDNS, questions),
    ]
    return questions.map(({ name, type }, at) => ({
      question: `${name} ${type}`,
      answer: { ours: ours[at]?.answer ?? '', theirs: theirs[at]?.answer ?? '' },
      unbound: { ours: ours[at]?.unbound ?? '', theirs: theirs[at]?.unbound ?? '' },
    }))
  } finally {
    await root.close()
  }
}

/** Fills its database as its manual has it, but for `ordername`; the lines with which the zone above refers to its zones. */
async function fill(root: ClientRoot, zones: readonly ServedZone[]): Promise<string[]> {
  await root.write('/etc/powerdns/pdns.conf', CONFIGURATION, { mode: 0o644 })
  const text = (value: string): string => `'${value.replaceAll("'", "''")}'`
  const rows = zones.flatMap((each, at) => [
    `INSERT INTO domains (id, name, type) VALUES (${at}, ${text(each.apex)}, 'NATIVE');`,
    ...each
      .records()
      .filter(({ type }) => !MADE.has(type))
      .map(
        ({ name, type, ttl, data }) =>
          `INSERT INTO records (ordername, domain_id, name, type, content, ttl) VALUES (${ORDER[kindOf(each)]}, ${at}, ${text(name)}, '${typeText(type)}', ${text(rdataText(type, data))}, ${ttl});`,
      ),
    ...(each.denial?.kind === 'nsec3'
      ? [`INSERT INTO domainmetadata (domain_id, kind, content) VALUES (${at}, 'NSEC3PARAM', '1 0 1 aabb');`]
      : []),
  ])
  await must(root, ['sqlite3', DATABASE], `.read ${SCHEMA}\n${rows.join('\n')}\n`)
  const lines: string[] = []
  for (const { apex } of zones) {
    await must(root, ['pdnsutil', 'add-zone-key', apex, 'ksk', 'active', 'published', 'ecdsa256'])
    const [, ds] = /IN DS (\d+ \d+ 2 [0-9a-f]+)/.exec(await must(root, ['pdnsutil', 'export-zone-ds', apex])) ?? []
    const label = apex.replace('.test', '')
    lines.push(`${label} NS ns.${label}`, `ns.${label} A ${POWERDNS.address}`, `${label} DS ${ds}`)
  }
  return lines
}

const ORDER: Readonly<Record<Kind['order'], string>> = { missing: 'NULL', empty: "''" }

function kindOf({ apex }: ServedZone): Kind['order'] {
  return ZONES.find(({ origin }) => origin === apex)?.order ?? 'missing'
}

/** What PowerDNS makes of its own accord. */
const MADE: ReadonlySet<number> = new Set([TYPE.RRSIG, TYPE.DNSKEY, TYPE.NSEC, TYPE.NSEC3, TYPE.NSEC3PARAM])

async function must(root: ClientRoot, argv: readonly string[], input = ''): Promise<string> {
  const { code, stdout, stderr } = await root.run(argv, { input })
  if (code !== 0) throw new Error(`${argv.join(' ')}: ${stderr}${stdout}`)
  return stdout
}

async function start(root: ClientRoot): Promise<void> {
  const child = root.spawn(['pdns_server'], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text
    if (said.includes('ready to distribute questions')) child.emit('ready')
  })
  const ended = once(child, 'close').then(() => Promise.reject(new Error(`PowerDNS ended: ${said}`)))
  ended.catch(() => {})
  await Promise.race([once(child, 'ready'), ended])
}

/** Of the name server at `at`, asked as a resolver does, and of unbound, which finds it by referrals. */
async function answers(
  internet: Internet,
  at: { readonly address: string; readonly port: number },
  questions: readonly { readonly name: string; readonly type: string }[],
): Promise<{ readonly answer: string; readonly unbound: string }[]> {
  const dns = await startDns({ internet, resolver: [], authority: { port: 53 }, allowRemote: true })
  const unbound = await startUnbound({ internet, settings: RESOLVERS['unbound-classic'], log: () => {}, now: () => 0 })
  const found: { answer: string; unbound: string }[] = []
  try {
    for (const { name, type } of questions)
      found.push({
        answer: shown(await ask(at, name, type, false)),
        unbound: summary(await ask({ address: LAB_NETWORK.resolver4, port: 53 }, name, type, true)),
      })
  } finally {
    await unbound.close()
    await dns.close()
  }
  return found
}

async function ask(
  at: { readonly address: string; readonly port: number },
  name: string,
  type: string,
  rd: boolean,
): Promise<Message> {
  const octets = await exchange(
    at,
    encodeMessage(queryFor(name, typeNumber(type) ?? 0, { id: 1, rd, edns: { do: true } })),
    'tcp',
  )
  if (octets === undefined) throw new Error(`no answer to ${name} ${type}`)
  return decodeMessage(octets)
}

/** The code, AA, the answer, and what is there for a proof; of signatures what they are about. */
function shown({ rcode, aa, answers, authorities }: Message): string {
  const kept = authorities.filter(({ type }) => type !== TYPE.NS)
  return [`${rcodeText(rcode)}${aa ? ' AA' : ''}`, ...lines(answers), 'authority', ...lines(kept)].join('\n')
}

function lines(records: readonly ResourceRecord[]): readonly string[] {
  return records
    .map(({ name, type, data }) => {
      const about = type === TYPE.RRSIG ? typeText(fieldsOf('RRSIG', data).typeCovered) : rdataText(type, data)
      return `${canonical(name)} ${typeText(type)} ${about}`
    })
    .sort()
}
