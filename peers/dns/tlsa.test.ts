import { createHash, X509Certificate } from 'node:crypto'
import t from 'tap'
import { authority, NAMES } from '../testing/log.ts'
import { fieldsOf } from './rdata.ts'
import { associationOf, tlsaRecord } from './tlsa.ts'

t.test('every selector and matching type, against what OpenSSL reads', async (t) => {
  const { chain } = await authority().issue('good', NAMES)
  for (const certificate of chain) {
    const whole = new X509Certificate(certificate)
    const spki = whole.publicKey.export({ type: 'spki', format: 'der' })
    const hash = (name: string, data: Buffer) => createHash(name).update(data).digest()
    const table: readonly [selector: number, matchingType: number, want: Buffer][] = [
      [0, 0, certificate],
      [0, 1, hash('sha256', certificate)],
      [0, 2, hash('sha512', certificate)],
      [1, 0, spki],
      [1, 1, hash('sha256', spki)],
      [1, 2, hash('sha512', spki)],
      [7, 9, certificate],
    ]
    for (const [selector, matchingType, want] of table)
      t.same(associationOf(certificate, { usage: 3, selector, matchingType }), want, `${selector} ${matchingType}`)
  }
})

t.test('the record of a service', async (t) => {
  const { chain } = await authority().issue('good', NAMES)
  const [leaf] = chain
  if (leaf === undefined) throw new Error('a chain has a leaf')
  const made = tlsaRecord('mx.badmx.test', leaf, { usage: 3, selector: 1, matchingType: 1 }, { port: 587, ttl: 5 })
  t.match(made, { name: '_587._tcp.mx.badmx.test', ttl: 5 })
  t.match(fieldsOf('TLSA', made.data), { usage: 3, selector: 1, matchingType: 1 })
  t.equal(fieldsOf('TLSA', made.data).association.length, 32)
  t.equal(tlsaRecord('mx.badmx.test', leaf, { usage: 3, selector: 0, matchingType: 1 }).name, '_25._tcp.mx.badmx.test')
})

t.test('a public key of what is no certificate', async (t) => {
  t.throws(() => associationOf(Buffer.from('no'), { usage: 3, selector: 1, matchingType: 1 }), { name: 'DerError' })
})
