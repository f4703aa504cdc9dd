import t, { type Test } from 'tap'
import type { ProofEvent } from '../events.ts'
import { Log } from '../testing/log.ts'
import { Internet } from './internet.ts'
import { ZoneError } from './name.ts'
import { TYPE, type TypeName } from './numbers.ts'
import { isAskedFor, provenSet } from './proven-set.ts'
import { startDns } from './start.ts'
import { type ZoneOptions, zone } from './zone.ts'

const RECORDS = [
  '@ MX 0 .',
  'alias CNAME mx',
  'mx A 198.18.0.25',
  '_25._tcp.mx CNAME tlsa',
  'tlsa TLSA 3 1 1 00',
  '*.wild A 198.18.0.26',
]

/** What is on record of the sets after these questions to the resolver. */
async function proofs(t: Test, questions: readonly string[], options: ZoneOptions): Promise<readonly string[]> {
  const log = new Log()
  const internet = await Internet.create([zone('badmx.test', RECORDS, { cell: 'a/b', ...options })])
  const dns = await startDns({ internet, resolver: [], log: log.sink, timeScale: 20 })
  t.teardown(() => dns.close())
  for (const question of questions) {
    const [name = '', type = 'A'] = question.split(' ')
    await dns.ask(name, type as TypeName)
  }
  const isProof = (event: { readonly type: string }): event is ProofEvent =>
    ['armed', 'opportunity', 'fired'].includes(event.type)
  const own = log.events.filter(isProof).filter(({ behaviour }) => behaviour.startsWith('record:'))
  t.ok(own.every(({ cell, host }) => cell === 'a/b' && host === '*'))
  return [...new Set(own.map(({ type, behaviour, detail }) => `${type} ${behaviour.slice(7)}: ${detail}`))]
}

t.test('a set is armed, asked for, and told', async (t) => {
  const mx = { prove: ['@ MX'] }
  t.same(await proofs(t, [], mx), ['armed @ MX: in the zone badmx.test'])
  t.same(await proofs(t, ['badmx.test A', 'mx.badmx.test A'], mx), ['armed @ MX: in the zone badmx.test'])
  t.same(await proofs(t, ['BADMX.test MX'], mx), [
    'armed @ MX: in the zone badmx.test',
    'opportunity @ MX: BADMX.test MX over UDP',
    'fired @ MX: answered with 1 of badmx.test MX: 0 .',
  ])
})

t.test('an alias is told to whoever asks for anything at its name, and what it leads to with it', async (t) => {
  const seen = await proofs(t, ['alias.badmx.test A', '_25._tcp.mx.badmx.test TLSA'], {
    prove: ['alias CNAME', 'tlsa.badmx.test. TLSA', 'mx AAAA'],
  })
  t.same(
    seen.filter((line) => !line.startsWith('armed')),
    [
      'opportunity alias CNAME: alias.badmx.test A over UDP',
      'fired alias CNAME: answered with 1 of alias.badmx.test CNAME: mx.badmx.test.',
      'fired tlsa.badmx.test. TLSA: answered with 1 of tlsa.badmx.test TLSA: 3 1 1 00',
      // The resolver asks again where the alias leads, as resolvers do.
      'opportunity tlsa.badmx.test. TLSA: tlsa.badmx.test TLSA over UDP',
    ],
  )
})

t.test('that there is none is told, too', async (t) => {
  const prove = ['_25._tcp.alias TLSA', 'mx AAAA', 'x.wild AAAA', 'x.wild A']
  const seen = await proofs(
    t,
    ['_25._tcp.alias.badmx.test TLSA', 'mx.badmx.test AAAA', 'x.wild.badmx.test AAAA', 'x.wild.badmx.test A'],
    { prove },
  )
  t.same(
    seen.filter((line) => line.startsWith('fired')),
    [
      'fired _25._tcp.alias TLSA: answered that there is no _25._tcp.alias.badmx.test TLSA: NXDOMAIN',
      'fired mx AAAA: answered that there is no mx.badmx.test AAAA: no data',
      'fired x.wild AAAA: answered that there is no x.wild.badmx.test AAAA: no data',
      'fired x.wild A: answered with 1 of x.wild.badmx.test A: 198.18.0.26',
    ],
  )
})

t.test('a fault that answers instead leaves it at the opportunity', async (t) => {
  for (const use of ['drop-queries', 'deny-existence', 'answer-error', 'strip-signatures']) {
    const faults = [{ use, types: ['MX'] }]
    const seen = await proofs(t, ['badmx.test MX'], { prove: ['@ MX'], faults })
    t.same(
      seen.map((line) => line.split(' ')[0]),
      ['armed', 'opportunity'],
      use,
    )
  }
})

t.test('an answer that is cut short tells nothing; that over TCP does', async (t) => {
  const many = Array.from({ length: 60 }, (_, at) => `@ TXT ${'x'.repeat(60)}${at}`)
  const log = new Log()
  const internet = await Internet.create([zone('badmx.test', many, { prove: ['@ TXT'] })])
  const dns = await startDns({ internet, resolver: [], log: log.sink, timeScale: 20 })
  t.teardown(() => dns.close())
  await dns.ask('badmx.test', 'TXT')
  const proof = log.events.flatMap((event) =>
    event.type === 'opportunity' || event.type === 'fired' ? [`${event.type} ${event.detail.slice(0, 24)}`] : [],
  )
  t.same(
    proof,
    [
      'opportunity badmx.test TXT over UDP',
      'opportunity badmx.test TXT over TCP',
      'fired answered with 60 of badm',
    ].map((line) => `${line.split(' ')[0]} ${line.slice(line.indexOf(' ') + 1).slice(0, 24)}`),
  )
})

t.test('behind a middlebox it is told once, when the answer has passed the box', async (t) => {
  const servers = [{ name: 'ns.badmx.test', address: '198.18.0.5', middlebox: '198.18.0.6' }]
  const seen = await proofs(t, ['badmx.test MX'], { prove: ['@ MX'], servers })
  t.same(
    seen.map((line) => line.split(' ')[0]),
    ['armed', 'opportunity', 'fired'],
  )
  const faults = [{ use: 'drop-queries', types: ['MX'], at: 'middlebox' as const }]
  const dropped = await proofs(t, ['badmx.test MX'], { prove: ['@ MX'], servers, faults })
  t.same(
    dropped.map((line) => line.split(' ')[0]),
    ['armed', 'opportunity'],
  )
})

t.test('how a set is written', (t) => {
  t.same(provenSet('@ MX', 'badmx.test'), { written: '@ MX', name: 'badmx.test', type: TYPE.MX })
  t.same(provenSet('mx.other. A', 'badmx.test'), { written: 'mx.other. A', name: 'mx.other', type: TYPE.A })
  t.ok(isAskedFor(provenSet('@ CNAME', 'BadMX.test'), { name: 'badmx.TEST', type: TYPE.A, class: 1 }))
  for (const wrong of ['mx', 'mx TLSB', 'mx A 198.18.0.1', ''])
    t.throws(() => provenSet(wrong, 'badmx.test'), ZoneError, wrong)
  t.throws(() => zone('badmx.test', [], { prove: ['mx.other. A'] }), { message: /outside the zone badmx\.test/ })
  t.end()
})
