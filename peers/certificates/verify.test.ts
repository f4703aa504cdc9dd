/** The reference verification: what no fault of the catalogue exercises, and octets from strangers. */
import { constants, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import t from 'tap'
import { bitString, context, der, octetString, oid, sequence, unsigned } from './der.ts'
import { readChildren, readElement } from './der-reader.ts'
import {
  alternativeNames,
  basicConstraints,
  extendedKeyUsage,
  extension,
  keyUsage,
  permittedNames,
} from './extensions.ts'
import type { CertificateRequest, Issuer } from './fault.ts'
import { addressName, dnsName } from './leaf.ts'
import { distinguishedName, mintCertificate, mintKey } from './mint.ts'
import { verifyPresented } from './verify.ts'

const AT = new Date('2026-05-04T12:00:00Z')
const HOST = 'mx.example.test'
const key = mintKey()
const rootKey = mintKey()
const ROOT_NAME = distinguishedName('root')
let made = 0

function mint(changes: Partial<CertificateRequest>): Buffer {
  const request = {
    subject: distinguishedName('leaf'),
    spki: key.spki,
    issuer: { subject: ROOT_NAME, key: rootKey },
    extensions: [],
  }
  const dates = { from: new Date('2026-05-01T00:00:00Z'), until: new Date('2026-05-31T00:00:00Z') }
  return mintCertificate({ ...request, ...dates, ...changes }, Buffer.from((4096 + ++made).toString(16), 'hex'))
}

const authorityBits = keyUsage('keyCertSign')
const isAuthority = (pathLength?: number) => basicConstraints(true, pathLength)
const root = mint({ subject: ROOT_NAME, spki: rootKey.spki, extensions: [isAuthority(), authorityBits] })

function authority(name: string, more: readonly Buffer[], issuer?: Issuer): Issuer {
  const own = mintKey()
  const subject = distinguishedName(name)
  const certificate = mint({
    subject,
    spki: own.spki,
    extensions: more,
    ...(issuer === undefined ? {} : { issuer }),
  })
  return { subject, key: own, certificate }
}

const named = (...names: readonly string[]) => [alternativeNames(names.map(dnsName))]
const leafFor = (...names: readonly string[]) => mint({ extensions: named(...names) })
const verify = (chain: readonly Buffer[], hostName = HOST, roots: readonly Buffer[] = [root], at = AT) =>
  verifyPresented({ chain, roots, hostName, at })
const reasons = (chain: readonly Buffer[], hostName?: string) => verify(chain, hostName).reasons.join('\n')

const good = leafFor(HOST)

t.test('names (RFC 9525 §6.3)', async (t) => {
  for (const [presented, host, matches] of [
    [HOST, HOST, true],
    [HOST, 'MX.Example.TEST', true],
    [HOST, `${HOST}.`, true],
    [`${HOST}.`, HOST, false],
    [HOST, `${HOST}..`, false],
    [HOST, 'example.test', false],
    [HOST, `a.${HOST}`, false],
    [HOST, '', false],
    ['*.example.test', HOST, true],
    ['*.EXAMPLE.test', HOST, true],
    ['*.example.test', 'example.test', false],
    ['*.example.test', 'a.mx.example.test', false],
    ['*.test', HOST, false],
    ['*', 'test', false],
    ['*', HOST, false],
    ['*.', HOST, false],
    ['*.*.test', HOST, false],
    ['mx.*.test', HOST, false],
    ['m*.example.test', HOST, false],
    ['*x.example.test', HOST, false],
    ['**.example.test', HOST, false],
    ['mx.example.test\0', HOST, false],
    ['\0mx.example.test', HOST, false],
    ['mx.example.test ', HOST, false],
    ['mx.example.test\n', HOST, false],
    ['.example.test', HOST, false],
    ['', HOST, false],
    ['xn--mx-bcher-95a.test', 'mx-bücher.test', true],
    ['127.0.0.1', '127.0.0.1', false],
    ['::1', '::1', false],
  ] as const) {
    t.equal(verify([leafFor(presented)], host).name, matches, JSON.stringify([presented, host]))
  }
  t.ok(verify([leafFor('a.test', 'b.test', HOST)]).ok)
  const address = mint({ extensions: [alternativeNames([addressName('127.0.0.1'), addressName('::1')])] })
  t.notOk(verify([address], '127.0.0.1').name)
})

t.test('common names are reported and not taken', async (t) => {
  const subject = distinguishedName(HOST)
  const alone = verify([mint({ subject })])
  t.match(alone, { name: false, commonName: true, ok: false, chain: true })
  t.match(verify([mint({ subject, extensions: named('other.test') })]), { name: false, commonName: false })
  t.match(verify([mint({ subject: distinguishedName('other.test') })]), { name: false, commonName: false })
  t.match(verify([mint({ subject: distinguishedName(`${HOST}\0.attacker.test`) })]), {
    name: false,
    commonName: false,
  })
})

t.test('dates, to the second', async (t) => {
  const at = (time: string) => verify([good], HOST, [root], new Date(time)).validity
  t.notOk(at('2026-04-30T23:59:59.999Z'))
  t.ok(at('2026-05-01T00:00:00Z'))
  t.ok(at('2026-05-31T00:00:00Z'))
  t.notOk(at('2026-05-31T00:00:01Z'))
  const old = authority('old', [isAuthority(), authorityBits])
  const expired = mint({
    ...old,
    spki: old.key.spki,
    until: new Date('2026-05-02T00:00:00Z'),
    extensions: [isAuthority()],
  })
  const leaf = mint({ issuer: old, extensions: named(HOST) })
  t.match(
    verify([leaf, expired]),
    { chain: true, validity: false, name: true, ok: false },
    'of every certificate of the path',
  )
  t.ok(verify([leaf, expired, old.certificate]).ok, 'a path without expired certificates is found')
  t.ok(verify([good, expired]).ok, 'what is not on the path does not count')
})

t.test('paths', async (t) => {
  const one = authority('one', [isAuthority()])
  const under = authority('two', [isAuthority()], one)
  const leaf = mint({ issuer: under, extensions: named(HOST) })
  t.ok(verify([leaf, under.certificate, one.certificate]).ok)
  t.ok(verify([leaf, one.certificate, under.certificate]).ok, 'in any order')
  t.ok(verify([leaf, under.certificate, one.certificate, root]).ok, 'with the root')
  t.ok(verify([leaf, under.certificate, good, one.certificate, one.certificate]).ok, 'with others between')
  t.notOk(verify([under.certificate, leaf, one.certificate]).name, 'the first is the leaf')
  t.match(reasons([leaf, under.certificate]), /was not sent/)
  t.match(verify([leaf, under.certificate, one.certificate], HOST, []), { chain: false })
  const trusted = mint({ issuer: { subject: distinguishedName('leaf'), key }, extensions: named(HOST) })
  t.ok(verify([trusted], HOST, [trusted]).ok, 'a self-signed leaf that is a root')
  t.match(reasons([trusted]), /self-signed and no trusted root/, 'and one that is none')
  t.match(verify([], HOST), {
    chain: false,
    validity: false,
    name: false,
    ok: false,
    reasons: ['no certificate was presented'],
  })
})

t.test('signatures', async (t) => {
  const other = mint({ issuer: { subject: ROOT_NAME, key }, extensions: named(HOST) })
  t.match(reasons([other]), /the signature of "leaf" does not verify with the key of "root"/)
  const flipped = Buffer.from(good)
  flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1
  t.notOk(verify([flipped]).chain)
  const lied = Buffer.from(good)
  lied[good.indexOf('example.test')] = 'X'.charCodeAt(0)
  t.notOk(verify([lied]).chain)
})

t.test('authorities', async (t) => {
  const below = (more: readonly Buffer[], leafMore: readonly Buffer[] = []) => {
    const issuer = authority('issuer', more)
    return reasons([mint({ issuer, extensions: [...named(HOST), ...leafMore] }), issuer.certificate])
  }
  t.equal(below([isAuthority(), authorityBits]), '')
  t.match(below([]), /is no authority/)
  t.match(below([basicConstraints(false)]), /is no authority/)
  t.match(below([isAuthority(), keyUsage('cRLSign')]), /lacks keyCertSign/)
  t.match(below([isAuthority(), extendedKeyUsage(['1.3.6.1.5.5.7.3.4'])]), /lacks serverAuth/)
  t.match(below([isAuthority(), extension('1.2.3.4', true, Buffer.from([5, 0]))]), /unknown critical extension 1.2.3.4/)
  t.equal(below([isAuthority(), extension('1.2.3.4', false, Buffer.from([5, 0]))]), '')
  t.match(below([isAuthority()], [extension('1.2.3.4', true, Buffer.from([5, 0]))]), /"leaf" has the unknown critical/)
  t.match(below([isAuthority()], [keyUsage('keyCertSign')]), /does not allow TLS/)
})

t.test('path length', async (t) => {
  const top = authority('top', [isAuthority(1)])
  const middle = authority('middle', [isAuthority()], top)
  const low = authority('low', [isAuthority()], middle)
  const from = (issuer: Issuer, ...rest: readonly Issuer[]) =>
    reasons([mint({ issuer, extensions: named(HOST) }), ...[issuer, ...rest].map(({ certificate }) => certificate)])
  t.equal(from(top), '')
  t.equal(from(middle, top), '')
  t.match(from(low, middle, top), /2 authorities below "top", whose path length is 1/)
})

t.test('name constraints (RFC 5280 §4.2.1.10)', async (t) => {
  const excluded = (...names: readonly Buffer[]) =>
    extension('2.5.29.30', true, sequence(context(1, ...names.map((name) => sequence(name)))))
  const under = (constraint: Buffer, ...names: readonly Buffer[]) => {
    const issuer = authority('constrained', [isAuthority(), constraint])
    return verify([mint({ issuer, extensions: [alternativeNames(names)] }), issuer.certificate]).chain
  }
  t.ok(under(permittedNames([dnsName('example.test')]), dnsName(HOST)))
  t.ok(under(permittedNames([dnsName('EXAMPLE.test')]), dnsName(HOST)))
  t.ok(under(permittedNames([dnsName('other.test'), dnsName(HOST)]), dnsName(HOST)))
  t.notOk(under(permittedNames([dnsName('ample.test')]), dnsName(HOST)), 'whole labels')
  t.notOk(under(permittedNames([dnsName('example.test')]), dnsName(HOST), dnsName('a.other.test')), 'every name')
  t.notOk(under(permittedNames([dnsName(HOST)]), dnsName('*.example.test')), 'a wildcard covers more')
  t.notOk(under(excluded(dnsName('example.test')), dnsName(HOST)))
  t.ok(under(excluded(dnsName('other.test')), dnsName(HOST)))
  t.notOk(under(excluded(dnsName(HOST)), dnsName('*.example.test')), 'a wildcard covers the excluded')
  const net = der(0x87, Buffer.from([10, 0, 0, 0, 255, 0, 0, 0]))
  t.ok(under(permittedNames([net]), dnsName(HOST), addressName('10.1.2.3')))
  t.notOk(under(permittedNames([net]), dnsName(HOST), addressName('11.1.2.3')))
  t.ok(under(permittedNames([net]), dnsName(HOST)), 'no name of that kind')
  t.notOk(
    under(
      permittedNames([der(0x86, Buffer.from('example.test'))]),
      dnsName(HOST),
      der(0x86, Buffer.from('smtp://mx/')),
    ),
  )
  const constrained = authority('constrained', [isAuthority(), permittedNames([dnsName('other.test')])])
  const low = authority('low', [isAuthority()], constrained)
  const leaf = mint({ issuer: low, extensions: named(HOST) })
  t.match(
    reasons([leaf, low.certificate, constrained.certificate]),
    /constrained by "constrained"/,
    'two authorities above',
  )
})

t.test('weak signatures and explicit curves', async (t) => {
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const rsaRoot = mint({
    subject: ROOT_NAME,
    spki: pair.publicKey.export({ type: 'spki', format: 'der' }),
    extensions: [isAuthority()],
  })
  const signedWith = (algorithm: string, hash: string) => {
    const id = sequence(oid(algorithm), Buffer.from([5, 0]))
    const parts = readChildren(readChildren(readElement(good))[0] ?? readElement(good)).map(({ bytes }) => bytes)
    const tbs = sequence(...parts.slice(0, 2), id, ...parts.slice(3))
    return sequence(tbs, id, bitString(sign(hash, tbs, { key: pair.privateKey, padding: constants.RSA_PKCS1_PADDING })))
  }
  const check = (leaf: Buffer) => verify([leaf], HOST, [rsaRoot]).reasons.join()
  t.equal(check(signedWith('1.2.840.113549.1.1.11', 'sha256')), '')
  t.match(check(signedWith('1.2.840.113549.1.1.5', 'sha1')), /signed with SHA-1/)
  t.match(check(signedWith('1.2.840.113549.1.1.4', 'md5')), /signed with MD5/)
  t.match(reasons([mint({ spki: explicitKey(), extensions: named(HOST) })]), /explicit EC parameters/)
})

/** The key with the parameters of P-256 spelled out. */
function explicitKey(): Buffer {
  const hex = (text: string) => Buffer.from(text, 'hex')
  const p = 'ffffffff00000001000000000000000000000000fffffffffffffffffffff'
  const g = '036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296'
  const parameters = sequence(
    unsigned(Buffer.from([1])),
    sequence(oid('1.2.840.10045.1.1'), unsigned(hex(`${p}fff`))),
    sequence(
      octetString(hex(`${p}ffc`)),
      octetString(hex('5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b')),
    ),
    octetString(hex(g)),
    unsigned(hex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')),
  )
  const { x = '', y = '' } = createPublicKey({ key: key.spki, format: 'der', type: 'spki' }).export({ format: 'jwk' })
  const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
  return sequence(sequence(oid('1.2.840.10045.2.1'), parameters), bitString(point))
}

t.test('octets that are no certificate are a reason, never an error', async (t) => {
  for (let length = 0; length < good.length; length++) {
    const { ok, reasons } = verify([good.subarray(0, length)])
    if (ok || !reasons[0]?.startsWith('the leaf cannot be read')) t.fail(`cut to ${length} octets: ${reasons}`)
  }
  const tail = Buffer.concat([good, Buffer.from([0])])
  t.match(verify([tail]), { ok: false, reasons: ['the leaf cannot be read: 1 octets too many'] })
  for (let index = 0; index < good.length; index++) {
    for (const mask of [0x01, 0x80, 0xff]) {
      const changed = Buffer.from(good)
      changed[index] = (changed[index] ?? 0) ^ mask
      if (verify([changed]).ok) t.fail(`octet ${index} changed by ${mask} still verifies`)
    }
  }
  const nested = Buffer.concat(Array.from({ length: 60_000 }, () => Buffer.from([0x30, 0x80])))
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.alloc(100_000),
    Buffer.from('hello'),
    nested,
    Buffer.from('3084ffffffff', 'hex'),
  ]) {
    t.notOk(verify([bytes]).ok)
  }
  t.match(verify([good, nested]), { ok: true }, 'rubbish beside a sound path does not count')
  t.match(verify([good], HOST, [Buffer.from('hello')]), { chain: false })
})

t.test('authorities that certify each other in every way do not stall it', async (t) => {
  const keys = Array.from({ length: 6 }, mintKey)
  const mesh = keys.flatMap((own, a) =>
    keys.map((issuing, b) =>
      mint({
        subject: distinguishedName(`mesh ${a}`),
        spki: own.spki,
        issuer: { subject: distinguishedName(`mesh ${b}`), key: issuing },
        extensions: [isAuthority()],
      }),
    ),
  )
  const [first = key] = keys
  const leaf = mint({ issuer: { subject: distinguishedName('mesh 0'), key: first }, extensions: named(HOST) })
  t.match(reasons([leaf, ...mesh]), /branches too much/)
})
