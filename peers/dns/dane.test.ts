import t from 'tap'
import { authority, NAMES } from '../testing/log.ts'
import { readTlsaText, type TlsaRecord, tlsaText, unusable, verifyDane } from './dane.ts'
import { associationOf } from './tlsa.ts'

const issuer = authority()
const good = (await issuer.issue('good', NAMES)).chain
const at = new Date()

function recordFor(certificate: Buffer | undefined, text: string): TlsaRecord {
  const [usage = 0, selector = 0, matchingType = 0] = text.split(' ').map(Number)
  if (certificate === undefined) throw new Error('the chain is shorter than the test thinks')
  const parameters = { usage, selector, matchingType }
  return { ...parameters, association: associationOf(certificate, parameters) }
}

const verify = (chain: readonly Buffer[], records: readonly TlsaRecord[], names: readonly string[] = [NAMES.host]) =>
  verifyDane({ chain, records, names, at })

t.test('DANE-EE looks at the leaf alone: RFC 7672 §3.1.1', async (t) => {
  for (const fault of ['good', 'expired', 'not-yet-valid', 'wrong-name', 'untrusted-ca', 'self-signed', 'leaf-as-ca']) {
    const { chain } = await issuer.issue(fault, NAMES)
    for (const parameters of ['3 0 0', '3 0 1', '3 0 2', '3 1 0', '3 1 1', '3 1 2'])
      t.same(verify(chain, [recordFor(chain[0], parameters)]), { ok: true, reasons: [] }, `${fault} ${parameters}`)
  }
  const impostor = (await issuer.issue('impostor-trusted-ca', NAMES)).chain
  t.match(verify(impostor, [recordFor(good[0], '3 1 1')]), { ok: false, reasons: [/^TLSA 3 1 1: .* another one$/] })
  t.match(verify(good, [recordFor(good[1], '3 1 1')]), { ok: false }, 'the record is for the issuer')
  t.match(verify([], [recordFor(good[0], '3 1 1')]), { ok: false, reasons: [/no certificate was presented/] })
  t.match(verify([Buffer.from('no')], [recordFor(good[0], '3 1 1')]), { ok: false }, 'octets that are no certificate')
})

t.test('DANE-TA wants chain, dates and name: RFC 7672 §3.1.2, §3.2.2', async (t) => {
  const anchor = recordFor(good[1], '2 0 1')
  for (const parameters of ['2 0 0', '2 0 1', '2 1 1', '2 1 2'])
    t.equal(verify(good, [recordFor(good[1], parameters)]).ok, true, parameters)
  for (const [fault, why] of [
    ['expired', /expired/],
    ['wrong-name', /not for/],
    ['incomplete-chain', /no certificate that was sent is the trust anchor/],
    ['untrusted-ca', /no certificate that was sent is the trust anchor/],
  ] as const)
    t.match(verify((await issuer.issue(fault, NAMES)).chain, [anchor]), { ok: false, reasons: [why] }, fault)
  t.match(verify(good, [recordFor(issuer.rootDer, '2 0 1')]), { ok: false }, 'a digest of what was not sent')
  t.equal(verify(good, [recordFor(issuer.rootDer, '2 0 0')]).ok, true, 'the whole of what was not sent')
  t.equal(verify(good, [recordFor(good[0], '2 0 1')]).ok, false, 'the leaf has issued nothing')
  const { chain } = await issuer.issue('nexthop-name', NAMES)
  t.equal(verify(chain, [anchor]).ok, false)
  t.equal(verify(chain, [anchor], [NAMES.host, NAMES.domain]).ok, true, 'the recipient domain is a name too')
})

t.test('one record that matches is enough; what cannot be used counts for nothing', async (t) => {
  const [own, other] = [recordFor(good[0], '3 1 1'), recordFor(good[1], '3 1 1')]
  t.equal(verify(good, [other, own]).ok, true)
  const unusables: readonly [TlsaRecord, RegExp][] = [
    [recordFor(good[0], '0 1 1'), /usage 0/],
    [recordFor(good[0], '1 1 1'), /usage 1/],
    [{ ...own, selector: 2 }, /selector 2/],
    [{ ...own, matchingType: 3 }, /matching type 3/],
    [{ ...own, association: own.association.subarray(1) }, /31 octets of digest, not 32/],
    [{ ...own, matchingType: 2 }, /32 octets of digest, not 64/],
    [{ ...own, matchingType: 0, association: Buffer.alloc(0) }, /no association data/],
  ]
  for (const [record, why] of unusables) {
    t.match(unusable(record), why)
    t.match(verify(good, [record]), { ok: false, reasons: [why] })
    t.equal(verify(good, [record, own]).ok, true)
  }
  t.equal(unusable(own), undefined)
})

t.test('the presentation form', async (t) => {
  const record = recordFor(good[0], '3 1 1')
  t.match(tlsaText(record), /^3 1 1 [0-9a-f]{64}$/)
  t.same(readTlsaText(tlsaText(record)), record)
  const empty = { usage: 3, selector: 1, matchingType: 1, association: Buffer.alloc(0) }
  t.same(readTlsaText(tlsaText(empty)), empty)
  for (const text of ['', '3 1', '3 1 1 abc', '3 1 256 ab', '3 1 1 ab cd']) t.equal(readTlsaText(text), undefined, text)
})
