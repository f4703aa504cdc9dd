import t from 'tap'
import { answer } from './answer.ts'
import { Internet } from './internet.ts'
import { type Message, queryFor } from './message.ts'
import { RCODE, rcodeText, typeNumber, typeText } from './numbers.ts'
import { rdataText } from './rdata-text.ts'
import { zone } from './zone.ts'

const ZONE = zone('badmx.test', [
  '@ MX 10 mx',
  '@ MX 20 MX2',
  '@ MX 10 mx',
  'mx A 198.18.0.25',
  'mx AAAA 2001:db8::25',
  '_25._tcp.mx TLSA 3 1 1 00',
  'www CNAME mx',
  'out CNAME mx.other.test.',
  'dangling CNAME nobody',
  'loop1 CNAME loop2',
  'loop2 CNAME loop1',
  '*.wild A 198.18.0.26',
  '*.alias CNAME mx',
  'x.wild TXT exists',
  'old DNAME new',
  'mx.new A 198.18.0.27',
  'sub NS ns.sub',
  'ns.sub A 198.18.0.28',
  'hidden.sub A 198.18.0.29',
])
const DEEP = zone('deep.badmx.test', ['@ A 198.18.0.30'], {
  signing: 'none',
  servers: [{ name: 'ns.deep.badmx.test', address: '198.18.0.31' }],
})

const internet = await Internet.create([DEEP, ZONE])

function ask(name: string, type: string, address?: string): Message {
  const query = queryFor(name, typeNumber(type) ?? 0, { rd: true })
  return answer(query, (question) => internet.zoneFor(question, address))
}

/** `NOERROR aa | mx.badmx.test A 198.18.0.25 | authority | additional`, by section. */
function show(message: Message): string {
  const sections = [message.answers, message.authorities, message.additionals].map((records) =>
    records
      .map(({ name, type, data }) =>
        `${name} ${typeText(type)} ${typeText(type) === 'SOA' ? '' : rdataText(type, data)}`.trim(),
      )
      .join(', '),
  )
  return [`${rcodeText(message.rcode)}${message.aa ? ' aa' : ''}`, ...sections].join(' | ').replace(/[ |]+$/, '')
}

t.test('what a name meets', async (t) => {
  const table: readonly [name: string, type: string, want: string][] = [
    ['badmx.test', 'MX', 'NOERROR aa | badmx.test MX 10 mx.badmx.test., badmx.test MX 20 MX2.badmx.test.'],
    ['mx.badmx.test', 'AAAA', 'NOERROR aa | mx.badmx.test AAAA 2001:db8::25'],
    ['Mx.bAdmx.TEST', 'A', 'NOERROR aa | Mx.bAdmx.TEST A 198.18.0.25'],
    ['mx.badmx.test', 'ANY', 'NOERROR aa | mx.badmx.test A 198.18.0.25, mx.badmx.test AAAA 2001:db8::25'],
    ['mx.badmx.test', 'TLSA', 'NOERROR aa |  | badmx.test SOA'],
    ['_tcp.mx.badmx.test', 'TLSA', 'NOERROR aa |  | badmx.test SOA'],
    ['nobody.badmx.test', 'A', 'NXDOMAIN aa |  | badmx.test SOA'],
    ['a.b.c.mx.badmx.test', 'A', 'NXDOMAIN aa |  | badmx.test SOA'],
    ['www.badmx.test', 'A', 'NOERROR aa | www.badmx.test CNAME mx.badmx.test., mx.badmx.test A 198.18.0.25'],
    ['www.badmx.test', 'CNAME', 'NOERROR aa | www.badmx.test CNAME mx.badmx.test.'],
    ['www.badmx.test', 'TLSA', 'NOERROR aa | www.badmx.test CNAME mx.badmx.test. | badmx.test SOA'],
    ['out.badmx.test', 'A', 'NOERROR aa | out.badmx.test CNAME mx.other.test.'],
    ['dangling.badmx.test', 'A', 'NXDOMAIN aa | dangling.badmx.test CNAME nobody.badmx.test. | badmx.test SOA'],
    [
      'loop1.badmx.test',
      'A',
      'NOERROR aa | loop1.badmx.test CNAME loop2.badmx.test., loop2.badmx.test CNAME loop1.badmx.test.',
    ],
    ['a.b.wild.badmx.test', 'A', 'NOERROR aa | a.b.wild.badmx.test A 198.18.0.26'],
    ['a.wild.badmx.test', 'MX', 'NOERROR aa |  | badmx.test SOA'],
    ['x.wild.badmx.test', 'A', 'NOERROR aa |  | badmx.test SOA'],
    ['a.x.wild.badmx.test', 'A', 'NXDOMAIN aa |  | badmx.test SOA'],
    ['wild.badmx.test', 'A', 'NOERROR aa |  | badmx.test SOA'],
    ['q.alias.badmx.test', 'A', 'NOERROR aa | q.alias.badmx.test CNAME mx.badmx.test., mx.badmx.test A 198.18.0.25'],
    [
      'mx.old.badmx.test',
      'A',
      'NOERROR aa | old.badmx.test DNAME new.badmx.test., mx.old.badmx.test CNAME mx.new.badmx.test., mx.new.badmx.test A 198.18.0.27',
    ],
    ['old.badmx.test', 'DNAME', 'NOERROR aa | old.badmx.test DNAME new.badmx.test.'],
    ['old.badmx.test', 'A', 'NOERROR aa |  | badmx.test SOA'],
    [
      'hidden.sub.badmx.test',
      'A',
      'NOERROR |  | sub.badmx.test NS ns.sub.badmx.test. | ns.sub.badmx.test A 198.18.0.28',
    ],
    ['sub.badmx.test', 'DS', 'NOERROR aa |  | badmx.test SOA'],
    ['deep.badmx.test', 'A', 'NOERROR aa | deep.badmx.test A 198.18.0.30'],
    ['deep.badmx.test', 'DS', 'NOERROR aa |  | badmx.test SOA'],
    ['badmx.test', 'NS', 'NOERROR aa | badmx.test NS ns.test.'],
    ['ns.test', 'A', 'NOERROR aa | ns.test A 198.18.0.1'],
  ]
  for (const [name, type, want] of table) t.equal(show(ask(name, type)), want, `${name} ${type}`)
})

t.test('a server knows its own zones only, and refers to the others', async (t) => {
  t.equal(
    show(ask('x.deep.badmx.test', 'A', '198.18.0.1')),
    'NOERROR |  | deep.badmx.test NS ns.deep.badmx.test. | ns.deep.badmx.test A 198.18.0.31',
  )
  t.equal(show(ask('deep.badmx.test', 'A', '198.18.0.31')), 'NOERROR aa | deep.badmx.test A 198.18.0.30')
  t.equal(show(ask('ns.deep.badmx.test', 'A', '198.18.0.31')), 'NOERROR aa | ns.deep.badmx.test A 198.18.0.31')
  t.equal(show(ask('badmx.test', 'A', '198.18.0.31')), 'REFUSED')
  t.equal(show(ask('deep.badmx.test', 'DS', '198.18.0.31')), 'NOERROR aa |  | deep.badmx.test SOA')
})

t.test('a DNAME that makes a name too long', async (t) => {
  const long = Array.from({ length: 3 }, () => 'x'.repeat(60)).join('.')
  const other = await Internet.create([zone('dname.test', [`old DNAME ${long}`])])
  const found = answer(queryFor(`${'y'.repeat(63)}.${'y'.repeat(63)}.old.dname.test`, 1), (question) =>
    other.zoneFor(question),
  )
  t.equal(found.rcode, 6, 'YXDOMAIN')
  t.equal(found.answers.length, 1)
})

t.test('queries that are refused', async (t) => {
  const query = queryFor('badmx.test', 15)
  const [question] = query.questions
  const choose = (each: Parameters<typeof internet.zoneFor>[0]) => internet.zoneFor(each)
  const code = (message: Message) => rcodeText(answer(message, choose).rcode)
  t.equal(code({ ...query, opcode: 5 }), 'NOTIMP')
  t.equal(code({ ...query, questions: [] }), 'FORMERR')
  t.equal(code({ ...query, questions: [...query.questions, ...query.questions] }), 'FORMERR')
  t.equal(code({ ...query, questions: [{ name: 'badmx.test', type: 252, class: 1 }] }), 'NOTIMP')
  t.equal(code({ ...query, questions: [{ name: 'badmx.test', type: question?.type ?? 0, class: 3 }] }), 'REFUSED')
  t.equal(code({ ...query, edns: { version: 1, udpSize: 512, do: false, options: [] } }), 'BADVERS')
  t.equal(answer(query, () => undefined).rcode, RCODE.REFUSED)
})

t.test('negative answers hold as long as the SOA says', async (t) => {
  const other = await Internet.create([
    zone('short.test', ['@ 600 SOA ns hostmaster 1 2 3 4 5', 'x A 198.18.0.1']),
    zone('shorter.test', ['@ 4 SOA ns hostmaster 1 2 3 4 600']),
  ])
  for (const [name, ttl] of [
    ['nobody.short.test', 5],
    ['nobody.shorter.test', 4],
  ] as const) {
    const message = answer(queryFor(name, 1), (question) => other.zoneFor(question))
    t.match(message.authorities, [{ ttl }])
  }
})
