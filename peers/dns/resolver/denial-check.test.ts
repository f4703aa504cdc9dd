import t from 'tap'
import { type ChainName, type Denial, nsec3Chain, nsecChain } from '../dnssec/denial.ts'
import { proveExpansion, proveNoData, proveNoDataAtWildcard, proveNoName } from '../dnssec/proof.ts'
import type { RecordSet } from '../dnssec/signer.ts'
import { canonical } from '../name.ts'
import { TYPE } from '../numbers.ts'
import { DenialCheck } from './denial-check.ts'

const NAMES: readonly ChainName[] = [
  { name: 'z.test', types: [TYPE.SOA, TYPE.NS, TYPE.DNSKEY], isCut: false },
  { name: 'mx.z.test', types: [TYPE.A], isCut: false },
  { name: '_tcp.mx.z.test', types: [], isCut: false },
  { name: '_25._tcp.mx.z.test', types: [TYPE.TLSA], isCut: false },
  { name: 'w.z.test', types: [], isCut: false },
  { name: '*.w.z.test', types: [TYPE.A], isCut: false },
  { name: 'b.w.z.test', types: [TYPE.TXT], isCut: false },
  { name: 'www.z.test', types: [TYPE.CNAME], isCut: false },
  { name: 'bare.z.test', types: [TYPE.NS], isCut: true },
  { name: 'safe.z.test', types: [TYPE.NS, TYPE.DS], isCut: true },
  { name: 'old.z.test', types: [TYPE.DNAME], isCut: false },
]
const hashed = (iterations: number, optOut: boolean): Denial =>
  nsec3Chain('z.test', NAMES, 60, { iterations, salt: Buffer.from('aabb', 'hex'), optOut })
const CHAINS: readonly (readonly [what: string, chain: Denial])[] = [
  ['NSEC', nsecChain(NAMES, 60)],
  ['NSEC3', hashed(1, false)],
]

function check(sets: readonly RecordSet[]): DenialCheck {
  const signed = sets.map((records) => ({
    owner: canonical(records[0]?.name ?? '.'),
    type: records[0]?.type ?? 0,
    records,
    signatures: [],
  }))
  return new DenialCheck('z.test', signed)
}

t.test('what a sound server proves is proven', async (t) => {
  for (const [what, chain] of CHAINS) {
    const name = check(proveNoName(chain, 'nobody.z.test', 'z.test'))
    t.equal(name.noName('nobody.z.test'), 'secure', what)
    t.equal(check(proveNoName(chain, 'a.b.mx.z.test', 'mx.z.test')).noName('a.b.mx.z.test'), 'secure', what)
    t.equal(check(proveNoData(chain, 'mx.z.test')).noData('mx.z.test', TYPE.TLSA), 'secure', what)
    t.equal(check(proveNoData(chain, '_tcp.mx.z.test')).noData('_tcp.mx.z.test', TYPE.A), 'secure', what)
    const wildcard = check(proveNoDataAtWildcard(chain, 'q.w.z.test', 'w.z.test'))
    t.equal(wildcard.noData('q.w.z.test', TYPE.TLSA), 'secure', what)
    t.equal(
      check(proveExpansion(chain, 'q.w.z.test', 'w.z.test')).noNameBelow('q.w.z.test', 'w.z.test'),
      'secure',
      what,
    )
    t.equal(check(proveNoData(chain, 'bare.z.test')).noDs('bare.z.test'), 'cut', what)
    t.equal(check(proveNoData(chain, 'mx.z.test')).noDs('mx.z.test'), 'no-cut', what)
  }
})

t.test('what exists cannot be denied', async (t) => {
  for (const [what, chain] of CHAINS) {
    const all = check(chain.all())
    for (const name of ['mx.z.test', '_tcp.mx.z.test', '_25._tcp.mx.z.test', 'q.w.z.test', 'w.z.test', 'z.test'])
      t.equal(all.noName(name), 'bogus', `${what} ${name}`)
    t.equal(all.noData('mx.z.test', TYPE.A), 'bogus', what)
    t.equal(all.noData('q.w.z.test', TYPE.A), 'bogus', what)
    t.equal(all.noData('www.z.test', TYPE.A), 'bogus', `${what}: there is an alias`)
    t.equal(all.noDs('safe.z.test'), 'bogus', what)
    t.equal(all.noData('z.test', TYPE.DS), 'bogus', `${what}: the child cannot say it`)
    t.equal(all.noData('bare.z.test', TYPE.A), 'bogus', `${what}: the parent cannot say it`)
    for (const name of ['x.bare.z.test', 'x.safe.z.test', 'x.old.z.test'])
      t.equal(all.noName(name), 'bogus', `${what}: ${name} is not this zone's to deny`)
    t.equal(all.noNameBelow('a.b.w.z.test', 'w.z.test'), 'bogus', `${what}: a nearer name exists`)
  }
})

t.test('half a proof is none', async (t) => {
  for (const [what, chain] of CHAINS) {
    for (const [name, encloser] of [
      ['nobody.z.test', 'z.test'],
      ['a.b.mx.z.test', 'mx.z.test'],
    ] as const) {
      const proof = proveNoName(chain, name, encloser)
      if (proof.length < 2) continue
      for (const left of proof) {
        const rest = proof.filter((set) => set !== left)
        t.equal(check(rest).noName(name), 'bogus', `${what} ${name} without ${left[0]?.name}`)
      }
    }
    t.equal(check([]).noName('nobody.z.test'), 'bogus', what)
    t.equal(check([]).noData('mx.z.test', TYPE.TLSA), 'bogus', what)
  }
})

t.test('opt-out and costly hashes prove nothing, and are no forgery', async (t) => {
  const out = hashed(1, true)
  t.equal(check(proveNoName(out, 'nobody.z.test', 'z.test')).noName('nobody.z.test'), 'insecure')
  t.equal(check(proveNoData(out, 'bare.z.test')).noDs('bare.z.test'), 'insecure')
  t.equal(check(proveNoData(out, 'mx.z.test')).noData('mx.z.test', TYPE.TLSA), 'secure', 'what matches is proven')
  const costly = hashed(151, false)
  t.equal(check(proveNoName(costly, 'nobody.z.test', 'z.test')).noName('nobody.z.test'), 'insecure')
  t.equal(check(proveNoData(costly, 'mx.z.test')).noData('mx.z.test', TYPE.A), 'insecure')
  t.equal(check(proveNoName(hashed(150, false), 'nobody.z.test', 'z.test')).noName('nobody.z.test'), 'secure')
})
