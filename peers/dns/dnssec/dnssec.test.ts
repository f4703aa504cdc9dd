import t from 'tap'
import { base32hex } from '../base32hex.ts'
import { TYPE } from '../numbers.ts'
import { rdataText } from '../rdata-text.ts'
import { record, recordFromLine } from '../zone.ts'
import { ALGORITHM, type AlgorithmName, isSupported, keyFrom, verifySignature } from './algorithms.ts'
import { type ChainName, nsec3Chain, nsec3Hash, nsecChain } from './denial.ts'
import { proveExpansion, proveNoData, proveNoDataAtWildcard, proveNoName } from './proof.ts'
import { digestOf, isDsOf, keyTag, labelsSigned, type RecordSet, Signer } from './signer.ts'

const NAMES: readonly AlgorithmName[] = ['ECDSAP256SHA256', 'ED25519', 'RSASHA256', 'UNKNOWN']
const DATA = Buffer.from('some octets')

t.test('keys follow from seed and labels, and their signatures hold', async (t) => {
  for (const name of NAMES) {
    const key = keyFrom(1, name, 'badmx.test')
    t.equal(key.algorithm, ALGORITHM[name])
    t.same(keyFrom(1, name, 'badmx.test').publicKey, key.publicKey, `${name}: the same again`)
    if (name === 'RSASHA256')
      t.equal(key.publicKey.length, 4 + 256, 'an exponent of three octets, a modulus of 2,048 bits')
    else {
      t.notSame(keyFrom(2, name, 'badmx.test').publicKey, key.publicKey)
      t.notSame(keyFrom(1, name, 'other.test').publicKey, key.publicKey)
    }
    const holds = (data: Buffer, signature: Buffer) => verifySignature(key.algorithm, key.publicKey, data, signature)
    const signature = key.sign(DATA)
    t.equal(isSupported(key.algorithm), name !== 'UNKNOWN')
    t.equal(holds(DATA, signature), name !== 'UNKNOWN', name)
    t.equal(holds(Buffer.from('other octets'), signature), false)
    t.equal(holds(DATA, signature.subarray(1)), false)
  }
})

t.test('keys that cannot be read verify nothing', async (t) => {
  for (const algorithm of Object.values(ALGORITHM))
    for (const key of ['', '00', 'ff'.repeat(64), '01'.repeat(32), '0000'])
      t.equal(verifySignature(algorithm, Buffer.from(key, 'hex'), DATA, DATA), false)
})

t.test('the DNSKEY and DS of RFC 6605 §6.1', async (t) => {
  const dnskey = recordFromLine(
    'example.net. 3600 IN DNSKEY 257 3 13 GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==',
    '.',
  )
  t.equal(keyTag(dnskey.data), 55648)
  t.equal(
    digestOf('Example.NET', dnskey.data).toString('hex'),
    'b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17',
  )
  const ds = recordFromLine(
    'example.net. IN DS 55648 13 2 b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17',
    '.',
  )
  t.ok(isDsOf(ds.data, 'example.net', dnskey.data))
  t.notOk(isDsOf(ds.data, 'example.org', dnskey.data))
})

t.test('the hashes of RFC 5155 appendix A', async (t) => {
  const salt = Buffer.from('aabbccdd', 'hex')
  const table: readonly [string, string][] = [
    ['example', '0p9mhaveqvm6t7vbl5lop2u3t2rp3tom'],
    ['a.example', '35mthgpgcu1qg68fab165klnsnk3dpvl'],
    ['AI.example', 'gjeqe526plbf1g8mklp59enfd789njgi'],
    ['*.w.example', 'r53bq7cc2uvmubfu5ocmm6pers9tk9en'],
    ['xx.example', 't644ebqk9bibcna874givr6joj62mlhv'],
  ]
  for (const [name, hash] of table) t.equal(base32hex(nsec3Hash(name, 12, salt)), hash, name)
})

t.test('labels of a signature: neither root nor wildcard count', async (t) => {
  t.same(['.', 'test', '*.test', '*', 'a.*.test'].map(labelsSigned), [0, 1, 1, 0, 3])
})

t.test('a set is signed once, whatever the case and order of its records', async (t) => {
  const signer = new Signer('badmx.test', keyFrom(1, 'ED25519', 'x'), { inception: 1, expiration: 2 })
  const one = record('badmx.test', 'MX', { preference: 10, exchange: 'mx.badmx.test' })
  const two = record('BadMX.test', 'MX', { preference: 20, exchange: 'MX2.badmx.test' })
  const set: RecordSet = [one, two]
  t.equal(signer.signature(set), signer.signature(set), 'kept')
  const lower = { ...two, data: record('x', 'MX', { preference: 20, exchange: 'mx2.badmx.test' }).data }
  t.same(signer.signature([lower, one]).data, signer.signature(set).data)
})

/** The names of a zone with a wildcard, an empty non-terminal and two delegations. */
const CHAIN: readonly ChainName[] = [
  { name: 'z.test', types: [TYPE.SOA, TYPE.NS, TYPE.DNSKEY], isCut: false },
  { name: 'mx.z.test', types: [TYPE.A], isCut: false },
  { name: '_tcp.mx.z.test', types: [], isCut: false },
  { name: '_25._tcp.mx.z.test', types: [TYPE.TLSA], isCut: false },
  { name: '*.w.z.test', types: [TYPE.A], isCut: false },
  { name: 'w.z.test', types: [], isCut: false },
  { name: 'bare.z.test', types: [TYPE.NS], isCut: true },
  { name: 'safe.z.test', types: [TYPE.NS, TYPE.DS], isCut: true },
]

function show(sets: readonly RecordSet[]): string[] {
  return sets.flat().map(({ name, type, data }) => {
    const text = rdataText(type, data)
    return type === TYPE.NSEC
      ? `${name} ${text}`
      : `${name.slice(0, 4)} ${text.replace(/^1 (\d) \d+ - \w+ ?/, '$1 ')}`.trim()
  })
}

t.test('NSEC: the ring, and what proves what', async (t) => {
  const chain = nsecChain(CHAIN, 60)
  t.same(show(chain.all()), [
    'z.test bare.z.test. NS SOA RRSIG NSEC DNSKEY',
    'bare.z.test mx.z.test. NS RRSIG NSEC',
    'mx.z.test _25._tcp.mx.z.test. A RRSIG NSEC',
    '_25._tcp.mx.z.test safe.z.test. RRSIG NSEC TLSA',
    'safe.z.test *.w.z.test. NS DS RRSIG NSEC',
    '*.w.z.test z.test. A RRSIG NSEC',
  ])
  const owners = (sets: readonly RecordSet[]) => sets.flat().map(({ name }) => name)
  t.same(owners(proveNoName(chain, 'nobody.z.test', 'z.test')), ['_25._tcp.mx.z.test', 'z.test'])
  t.same(owners(proveNoName(chain, 'a.mx.z.test', 'mx.z.test')), ['_25._tcp.mx.z.test', 'mx.z.test'])
  t.same(owners(proveNoName(chain, 'zz.z.test', 'z.test')), ['*.w.z.test', 'z.test'])
  t.same(owners(proveNoData(chain, 'mx.z.test')), ['mx.z.test'])
  t.same(owners(proveNoData(chain, '_tcp.mx.z.test')), ['mx.z.test'], 'an empty non-terminal')
  t.same(owners(proveNoDataAtWildcard(chain, 'q.w.z.test', 'w.z.test')), ['*.w.z.test'], 'one record for both')
  t.same(owners(proveExpansion(chain, 'q.w.z.test', 'w.z.test')), ['*.w.z.test'])
})

t.test('NSEC3: flags, types, and opt-out', async (t) => {
  const chain = nsec3Chain('z.test', CHAIN, 60, { iterations: 0, salt: Buffer.alloc(0), optOut: false })
  t.equal(chain.all().length, CHAIN.length, 'empty non-terminals are in it')
  t.match(show(chain.match('bare.z.test') === undefined ? [] : [chain.match('bare.z.test') ?? []]), [/ 0 NS$/])
  t.match(show([chain.match('safe.z.test') ?? []]), [/ 0 NS DS RRSIG$/])
  t.match(show([chain.match('_tcp.mx.z.test') ?? []]), [/ 0$/])
  t.equal(proveNoName(chain, 'a.b.mx.z.test', 'mx.z.test').flat().length > 1, true)
  t.same(proveNoData(chain, 'mx.z.test'), [chain.match('mx.z.test')])

  const out = nsec3Chain('z.test', CHAIN, 60, { iterations: 0, salt: Buffer.alloc(0), optOut: true })
  t.equal(out.all().length, CHAIN.length - 1)
  t.equal(out.match('bare.z.test'), undefined)
  t.ok(out.match('_tcp.mx.z.test'), 'it leads to a name that is in')
  t.match(show([out.match('safe.z.test') ?? []]), [/ 1 NS DS RRSIG$/])
  t.same(proveNoData(out, 'bare.z.test'), [...new Set([out.match('z.test'), out.cover('bare.z.test')])])
})
