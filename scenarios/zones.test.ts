import t from 'tap'
import { typeText } from '../peers/dns/numbers.ts'
import { rdataText } from '../peers/dns/rdata-text.ts'
import type { Zone } from '../peers/dns/zone.ts'
import type { DnsWorld } from './scenario.ts'
import { type PublishedHost, tlsaFacts, zonesOf } from './zones.ts'

const DOMAIN = 'cell.badmx.test'
const TLSA = `3 1 1 ${'ab'.repeat(32)}`
const sound = { records: [], faults: [] }

function world(given: Partial<DnsWorld> = {}): DnsWorld {
  return { wildcard: false, zones: { '{domain}': sound }, tlsa: {}, prove: [], ...given }
}

function host(given: Partial<PublishedHost> = {}): PublishedHost {
  const usual = { name: `mx.${DOMAIN}`, preference: 10, address: '198.18.1.1', port: 25, tlsa: [{ text: TLSA }] }
  return { ...usual, ...given }
}

function linesOf({ records }: Zone): readonly string[] {
  return records.map(({ name, type, data }) => `${name} ${typeText(type)} ${rdataText(type, data)}`).sort()
}

t.test('a host has its address, its MX record and its TLSA records', async (t) => {
  const [own, ...rest] = zonesOf(world(), DOMAIN, [host(), host({ address: '2001:db8::1' })], 'cell')
  t.same(rest, [])
  t.match(own, { origin: DOMAIN, cell: 'cell', signing: {}, faults: [] })
  t.same(own && linesOf(own), [
    `_25._tcp.mx.${DOMAIN} TLSA ${TLSA}`,
    `${DOMAIN} MX 10 mx.${DOMAIN}.`,
    `mx.${DOMAIN} A 198.18.1.1`,
    `mx.${DOMAIN} AAAA 2001:db8::1`,
  ])
})

t.test('the domain is filled in in the parameters of faults', async (t) => {
  const faults = [{ use: 'redirect-mx', with: { exchange: 'mx.x-{domain}', more: 1 } }, { use: 'bump-serial' }]
  const [own] = zonesOf(world({ zones: { '{domain}': { ...sound, faults } } }), DOMAIN, [host()], 'cell')
  t.same(own?.faults, [{ use: 'redirect-mx', with: { exchange: `mx.x-${DOMAIN}`, more: 1 } }, { use: 'bump-serial' }])
})

t.test('records stand in the nearest zone, at aliases and other bases where these are given', async (t) => {
  const zones = { '{domain}': { ...sound, records: ['alias CNAME mx.plain.{domain}.'] }, 'plain.{domain}': sound }
  const [own, plain] = zonesOf(
    world({ zones }),
    DOMAIN,
    [
      {
        name: `mx.plain.${DOMAIN}`,
        address: '198.18.1.1',
        port: 25,
        tlsa: [{ text: TLSA, base: 'alias.{domain}', alias: 'tlsa.plain.{domain}' }],
      },
    ],
    'cell',
  )
  t.same(own && linesOf(own), [
    `_25._tcp.alias.${DOMAIN} CNAME tlsa.plain.${DOMAIN}.`,
    `alias.${DOMAIN} CNAME mx.plain.${DOMAIN}.`,
  ])
  t.same(plain && linesOf(plain), [`mx.plain.${DOMAIN} A 198.18.1.1`, `tlsa.plain.${DOMAIN} TLSA ${TLSA}`])
  const [below] = zonesOf(world({ wildcard: true }), DOMAIN, [host({ tlsa: [] })], 'cell')
  t.same(below && linesOf(below), [`*.${DOMAIN} A 198.18.1.1`, `${DOMAIN} MX 10 mx.${DOMAIN}.`])
})

t.test(
  'record sets that prove themselves belong to the nearest zone, and keep the words of the scenario',
  async (t) => {
    const zones = { '{domain}': sound, 'plain.{domain}': sound, 'secure-{domain}': sound }
    const prove = ['@ MX', 'mx.plain A', 'mx.secure-{domain}. A']
    const sets = zonesOf(world({ zones, prove }), DOMAIN, [], 'cell').map((zone) =>
      zone.prove.map(({ written, name, type }) => `${written}: ${name} ${typeText(type)}`),
    )
    t.same(sets, [
      [`@ MX: ${DOMAIN} MX`],
      [`mx.plain A: mx.plain.${DOMAIN} A`],
      [`mx.secure-{domain}. A: mx.secure-${DOMAIN} A`],
    ])
    t.throws(() => zonesOf(world({ prove: ['mx.elsewhere. A'] }), DOMAIN, [], 'cell'), {
      message: /in none of the zones/,
    })
  },
)

t.test('what can be validated', async (t) => {
  const facts = (given: Partial<DnsWorld>, tlsa: PublishedHost['tlsa'] = [{ text: TLSA }], name = `mx.${DOMAIN}`) =>
    tlsaFacts(world(given), DOMAIN, name, tlsa)
  t.same(facts({}), { secure: true, base: `mx.${DOMAIN}`, records: [TLSA] })
  t.same(facts({}, []), { secure: true, base: `mx.${DOMAIN}`, records: [] })
  const records = ['@ MX 10 alias', '@ MX 20 circle', 'alias CNAME middle', 'middle CNAME mx', 'circle CNAME circle']
  const aliased = facts({ zones: { '{domain}': { ...sound, records } } })
  t.same(aliased.aliases, [`alias.${DOMAIN}`], 'the name in the MX record, and not the one in the middle')
  const at = (base: string) => facts({ zones: { '{domain}': { ...sound, records } } }, [{ text: TLSA, base }])
  t.match(at('alias.{domain}'), { base: `alias.${DOMAIN}`, records: [TLSA] })
  t.match(at('middle.{domain}'), { base: `mx.${DOMAIN}`, records: [] }, 'nobody looks there')
  const moved = { '{domain}': { ...sound, records: ['@ MX 10 mx', 'mx DNAME new.{domain}.'] } }
  t.match(facts({ zones: moved }, [{ text: TLSA, base: 'new.{domain}' }]), { base: `mx.${DOMAIN}`, records: [TLSA] })
  for (const signing of ['none', { ds: false }, { algorithm: 'UNKNOWN' }] as const) {
    const zones = { '{domain}': sound, 'plain.{domain}': { ...sound, signing } }
    t.equal(facts({ zones }).secure, true, 'another zone')
    t.equal(facts({ zones }, undefined, `mx.plain.${DOMAIN}`).secure, false, 'the zone of the host')
    t.equal(facts({ zones }, [{ text: TLSA, alias: 'tlsa.plain.{domain}' }]).secure, false, 'the zone of the records')
    const aliasing = { ...zones, '{domain}': { ...sound, records: ['@ MX 10 alias', 'alias CNAME mx.plain'] } }
    t.match(
      facts({ zones: aliasing }, [{ text: TLSA, base: 'alias.{domain}' }], `mx.plain.${DOMAIN}`),
      { secure: true, base: `alias.${DOMAIN}` },
      'the base is an alias in the signed zone',
    )
    t.equal(facts({ zones: { '{domain}': { ...sound, signing } } }, [], `mx.below.${DOMAIN}`).secure, false)
  }
})
