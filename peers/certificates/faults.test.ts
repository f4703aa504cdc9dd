/**
 * Every fault against two judges: our reference verification, and OpenSSL as an independent witness.
 * Where OpenSSL's defaults are more lenient than the reference, the table says why.
 */
import { execFile, spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tls from 'node:tls'
import t, { type Test } from 'tap'
import { type Authority, createAuthority, type IssuedChain } from './authority.ts'
import { pem } from './der.ts'
import { loadClientChains, loadFaults } from './faults.ts'
import { verifyPresented } from './verify.ts'

const NAMES = { host: 'mx.case-1.verify.badmx.test', domain: 'case-1.verify.badmx.test' }

interface Row {
  readonly chain: boolean
  readonly validity: boolean
  readonly name: boolean
  /** Part of a reason that must be given. */
  readonly because?: string
  /** The error of `openssl verify`; none where it accepts the chain. */
  readonly openssl?: string
  /** Why OpenSSL accepts what the reference refuses. */
  readonly lenient?: string
  /** OpenSSL presents no such key, so that there is no handshake here: the tests of the legacy engine have it. */
  readonly unservable?: true
  /** A client of OpenSSL that verifies nothing cannot shake hands either, and why. */
  readonly noHandshake?: string
}
const sound = { chain: true, validity: true, name: true } as const
const badChain = { chain: false, validity: true, name: true } as const
const badName = { chain: true, validity: true, name: false } as const
const badDates = { chain: true, validity: false, name: true } as const

const TABLE: Readonly<Record<string, Row>> = {
  good: sound,
  case: sound,
  rsa: sound,
  'rsa-1024': sound,
  'md5-leaf': { ...badChain, because: 'is signed with MD5', openssl: 'CA signature digest algorithm too weak' },
  'sha1-leaf': { ...badChain, because: 'is signed with SHA-1', openssl: 'CA signature digest algorithm too weak' },
  'huge-san': sound,
  'huge-chain': { ...sound, noHandshake: 'OpenSSL reads certificate messages of 102 400 octets by default' },
  'key-mismatch': { ...sound, noHandshake: 'the signature of the handshake does not verify' },
  'ec-explicit': {
    ...badChain,
    because: 'has explicit EC parameters',
    openssl: 'EE certificate key too weak',
    unservable: true,
  },
  'expires-soon': sound,
  'must-staple-missing': sound,
  'ocsp-revoked': sound,
  'revoked-crl': sound,
  expired: { ...badDates, because: 'expired at', openssl: 'certificate has expired' },
  'not-yet-valid': { ...badDates, because: 'not valid before', openssl: 'certificate is not yet valid' },
  'self-signed': { ...badChain, because: 'self-signed and no trusted root', openssl: 'self-signed certificate' },
  'impostor-trusted-ca': sound,
  'impostor-self-signed': {
    ...badChain,
    because: 'self-signed and no trusted root',
    openssl: 'self-signed certificate',
  },
  'selfsigned-ca-true': { ...badChain, because: 'self-signed and no trusted root', openssl: 'self-signed certificate' },
  'untrusted-ca': {
    ...badChain,
    because: 'was not sent and is no trusted root',
    openssl: 'unable to get local issuer certificate',
  },
  'incomplete-chain': {
    ...badChain,
    because: 'was not sent and is no trusted root',
    openssl: 'unable to get local issuer certificate',
  },
  'leaf-as-ca': { ...badChain, because: 'is no authority', openssl: 'invalid CA certificate' },
  pathlen: { ...badChain, because: 'path length is 0', openssl: 'path length constraint exceeded' },
  'name-constraints': { ...badChain, because: 'outside the permitted names', openssl: 'permitted subtree violation' },
  'eku-client-only': { ...badChain, because: 'lacks serverAuth', openssl: 'unsuitable certificate purpose' },
  'punycode-overflow': {
    ...badChain,
    because: 'cannot be checked',
    openssl: 'unspecified certificate verification error',
  },
  'wrong-name': { ...badName, because: 'is for somebody-else.badmx.test', openssl: 'hostname mismatch' },
  'cn-beside-san': { ...badName, because: 'is for somebody-else.badmx.test', openssl: 'hostname mismatch' },
  'valid-other-domain': { ...badName, because: 'is for mx.attacker.test', openssl: 'hostname mismatch' },
  'nexthop-name': { ...badName, because: 'is for case-1.verify.badmx.test,', openssl: 'hostname mismatch' },
  'cn-only': {
    ...badName,
    because: 'only the common name',
    lenient: 'it looks at the common name where there is no dNSName; RFC 7817 §3 allows that',
  },
  'san-wildcard-partial': {
    ...badName,
    because: 'is for mx*.case-1',
    lenient: 'it allows partial wildcards unless X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS is set',
  },
  'san-wildcard-deep': { ...badName, because: 'is for *.verify.badmx.test', openssl: 'hostname mismatch' },
  'san-ip-only': {
    ...badName,
    because: 'no dNSName, only other kinds of names (iPAddress)',
    openssl: 'hostname mismatch',
  },
  'san-uri-only': { ...badName, because: 'no dNSName, only other kinds of names (URI)', openssl: 'hostname mismatch' },
  'nul-in-cn': { ...badName, because: '\\x00.attacker.test', openssl: 'hostname mismatch' },
  'nul-in-san': { ...badName, because: '\\x00.attacker.test', openssl: 'hostname mismatch' },
  'san-inject': { ...badName, because: 'is no host name', openssl: 'hostname mismatch' },
}

const HOUR = 3_600_000
const now = new Date('2026-05-04T12:00:00Z')
const authority = createAuthority({ now, seed: 7 })
const withOpenssl = spawnSync('openssl', ['version']).status === 0 ? {} : { skip: 'openssl is not installed' }
const folder = mkdtempSync(join(tmpdir(), 'badmx-certificates-'))
t.teardown(() => rmSync(folder, { recursive: true }))
writeFileSync(join(folder, 'root.pem'), authority.rootPem)
/** OpenSSL trusts the run's root alone and goes by the run's clock. */
const CLOCK = ['-attime', String(now.getTime() / 1000)]
const ROOT_ONLY = ['-CAfile', join(folder, 'root.pem'), '-no-CApath', '-no-CAstore', ...CLOCK]

t.test('the table names every fault of the folder', async (t) => {
  t.same(Object.keys(TABLE).sort(), [...(await loadFaults()).keys()])
})

for (const [id, row] of Object.entries(TABLE)) {
  t.test(id, async (t) => {
    const chain = await authority.issue(id, NAMES)
    checkReference(t, chain, row)
    await t.test('openssl verify', withOpenssl, async (t) => checkOpenssl(t, chain, row))
    if (row.unservable) {
      t.throws(() => tls.createSecureContext({ cert: chain.certPem, key: chain.keyPem }))
      return
    }
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      await t.test(`handshake in ${version}`, async (t) => checkHandshake(t, chain, row, version))
    }
  })
}

t.test('each chain is wrong in one way, so that a client that overlooks it is not saved by another', async (t) => {
  for (const id of Object.keys(TABLE)) {
    const { chain } = await authority.issue(id, NAMES)
    const { reasons } = verifyPresented({ chain, roots: [authority.rootDer], hostName: NAMES.host, at: now })
    const own = reasons.filter((reason) => !reason.includes('no host name and matches nothing'))
    t.ok(own.length <= 1, `${id}: ${own.join('; ')}`)
  }
})

function checkReference(t: Test, chain: IssuedChain, row: Row): void {
  const got = verifyPresented({ chain: chain.chain, roots: [authority.rootDer], hostName: NAMES.host, at: now })
  const { chain: path, validity, name } = got
  t.same({ chain: path, validity, name }, { chain: row.chain, validity: row.validity, name: row.name })
  t.equal(got.ok, path && validity && name)
  t.equal(
    got.ok,
    row.openssl === undefined && row.lenient === undefined,
    'OpenSSL and the reference agree, or it is said why not',
  )
  t.equal(got.commonName, chain.id === 'cn-only')
  if (got.ok) t.same(got.reasons, [])
  else t.ok(got.reasons.join('\n').includes(row.because ?? '?'), got.reasons.join('; '))
}

function checkOpenssl(t: Test, chain: IssuedChain, row: Row): void {
  const [leaf = Buffer.alloc(0), ...rest] = chain.chain
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const leafFile = file(`${chain.id}-leaf.pem`, pem('CERTIFICATE', leaf))
  const untrusted =
    rest.length === 0
      ? []
      : ['-untrusted', file(`${chain.id}-rest.pem`, rest.map((der) => pem('CERTIFICATE', der)).join(''))]
  const options = [
    ...ROOT_ONLY,
    ...untrusted,
    '-auth_level',
    '1',
    '-purpose',
    'sslserver',
    '-verify_hostname',
    NAMES.host,
  ]
  const result = spawnSync('openssl', ['verify', ...options, leafFile], { encoding: 'utf8', timeout: 20_000 })
  t.equal(result.status === 0, row.openssl === undefined, row.lenient ?? result.stderr)
  if (row.openssl !== undefined) t.match(result.stderr, row.openssl)
}

async function checkHandshake(t: Test, chain: IssuedChain, row: Row, version: tls.SecureVersion): Promise<void> {
  const port = await serve(t, chain, version)
  const presented = await connect(port)
  if (row.noHandshake !== undefined) {
    t.equal(presented, undefined, row.noHandshake)
    return
  }
  t.same(presented, chain.chain[0], 'the leaf arrived')
  await t.test('openssl s_client', withOpenssl, async (t) => {
    // Debian's level is 2, OpenSSL's own 1.
    const strict = [
      '-cipher',
      'DEFAULT@SECLEVEL=1',
      '-verify_return_error',
      '-verify_hostname',
      NAMES.host,
      ...ROOT_ONLY,
    ]
    t.equal((await sClient(port, strict)).code === 0, row.openssl === undefined)
  })
}

/** A server of Node's that presents the chain and leaves the closing to the client; its port. */
async function serve(t: Test, chain: IssuedChain, version: tls.SecureVersion): Promise<number> {
  const level0 = chain.weak === undefined ? {} : { ciphers: 'DEFAULT@SECLEVEL=0' }
  const options = { cert: chain.certPem, key: chain.keyPem, minVersion: version, maxVersion: version, ...level0 }
  const server = tls.createServer(options, (socket) => socket.on('error', () => undefined).resume())
  server.on('OCSPRequest', (_certificate, _issuer, respond) =>
    respond(null, chain.ocspResponse ?? (null as unknown as Buffer)),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

/** The leaf that a client saw that verifies nothing, or undefined when the handshake failed. */
function connect(port: number): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = tls.connect({ port, host: '127.0.0.1', servername: NAMES.host, rejectUnauthorized: false })
    socket.on('secureConnect', () => {
      const seen = socket.getPeerX509Certificate()?.raw
      socket.on('close', () => resolve(seen)).end()
      socket.resume()
    })
    socket.on('error', () => resolve(undefined))
  })
}

function sClient(port: number, options: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const connectTo = ['s_client', '-connect', `127.0.0.1:${port}`, '-servername', NAMES.host]
    const child = execFile('openssl', [...connectTo, ...options], { timeout: 20_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : 1, output: stdout + stderr })
    })
    child.stdin?.end()
  })
}

t.test('what expires soon does so after it was issued, whenever the run began', async (t) => {
  const at = new Date(now.getTime() + 5 * HOUR)
  const { chain } = await authority.issue('expires-soon', { ...NAMES, host: 'late.badmx.test' }, at)
  const valid = (ms: number): boolean =>
    verifyPresented({
      chain,
      roots: [authority.rootDer],
      hostName: 'late.badmx.test',
      at: new Date(at.getTime() + ms),
    }).ok
  t.ok(valid(-5 * HOUR), 'at the clock of the run, by which it is judged')
  t.ok(valid(9_000))
  t.notOk(valid(11_000))
})

t.test('the stapled response says revoked, for who asks', withOpenssl, async (t) => {
  const port = await serve(t, await authority.issue('ocsp-revoked', NAMES), 'TLSv1.3')
  const asked = await sClient(port, ['-status', ...ROOT_ONLY])
  t.match(asked.output, /OCSP Response Status: successful/)
  t.match(asked.output, /Cert Status: revoked/)
  t.notMatch((await sClient(port, ROOT_ONLY)).output, /Cert Status/)
  const good = await serve(t, await authority.issue('good', NAMES), 'TLSv1.3')
  t.match((await sClient(good, ['-status', ...ROOT_ONLY])).output, /OCSP response: no response sent/)
})

t.test('the response is signed by the issuer', withOpenssl, async (t) => {
  const chain = await authority.issue('ocsp-revoked', NAMES)
  const response = join(folder, 'response.der')
  const issuer = join(folder, 'issuer.pem')
  const leaf = join(folder, 'leaf.pem')
  writeFileSync(response, chain.ocspResponse ?? '')
  writeFileSync(issuer, pem('CERTIFICATE', chain.chain[1] ?? Buffer.alloc(0)))
  writeFileSync(leaf, pem('CERTIFICATE', chain.chain[0] ?? Buffer.alloc(0)))
  const options = [
    '-respin',
    response,
    '-issuer',
    issuer,
    '-cert',
    leaf,
    '-VAfile',
    issuer,
    '-CAfile',
    join(folder, 'root.pem'),
  ]
  const { stdout, stderr } = spawnSync('openssl', ['ocsp', ...options], { encoding: 'utf8', timeout: 20_000 })
  t.match(stderr, /Response verify OK/)
  t.match(stdout, /^(.*leaf.pem: )?revoked$/m, 'its dates are measured against the real clock and do not matter here')
})

t.test('the list names the leaf, and no other', withOpenssl, async (t) => {
  const chain = await authority.issue('revoked-crl', NAMES)
  const list = join(folder, 'list.crl')
  writeFileSync(list, pem('X509 CRL', chain.crl ?? Buffer.alloc(0)))
  const check = (leaf: IssuedChain) => {
    const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = leaf.chain
    const file = join(folder, 'listed.pem')
    const issuer = join(folder, 'issuer.pem')
    writeFileSync(file, pem('CERTIFICATE', first))
    writeFileSync(issuer, pem('CERTIFICATE', second))
    const options = [...ROOT_ONLY, '-untrusted', issuer, '-crl_check', '-CRLfile', list, file]
    return spawnSync('openssl', ['verify', ...options], { encoding: 'utf8', timeout: 20_000 }).stderr
  }
  t.match(check(chain), /certificate revoked/)
  t.equal(check(await authority.issue('good', NAMES)), '')
})

t.test('sizes', async (t) => {
  const octets = ({ chain }: IssuedChain) => chain.reduce((sum, { length }) => sum + length + 5, 0)
  const many = await authority.issue('huge-san', NAMES)
  t.ok(octets(many) < 102_400, 'what OpenSSL reads by default is not exceeded')
  const long = await authority.issue('huge-chain', NAMES)
  t.equal(long.chain.length, 100)
  t.ok(octets(long) > 1_000_000)
})

t.test('one host has one key, but for the attacker, in the mismatch, and where it is RSA', async (t) => {
  const keyOf = async (id: string) => (await authority.issue(id, NAMES)).keyPem
  const genuine = await keyOf('good')
  for (const id of Object.keys(TABLE)) {
    const differs =
      id === 'valid-other-domain' || id === 'key-mismatch' || id.startsWith('impostor-') || id.startsWith('rsa')
    t.equal((await keyOf(id)) !== genuine, differs, id)
  }
  t.not((await authority.issue('good', { ...NAMES, host: 'mx2.badmx.test' })).keyPem, genuine)
})

t.test('an authority', async (t) => {
  t.equal(await authority.issue('good', NAMES), await authority.issue('good', NAMES), 'issues once')
  await t.rejects(authority.issue('no-such', NAMES), {
    message: /unknown certificate fault no-such, want one of case, /,
  })
  const again: Authority = createAuthority({ now, seed: 7 })
  t.not(again.rootPem, authority.rootPem, 'has keys of its own')
  const { chain } = await again.issue('good', NAMES)
  t.notOk(verifyPresented({ chain, roots: [authority.rootDer], hostName: NAMES.host, at: now }).chain)
  t.ok(verifyPresented({ chain, roots: [again.rootDer], hostName: NAMES.host, at: now }).ok)
  const early = new Date(now.getTime() - HOUR - 1000)
  t.notOk(verifyPresented({ chain, roots: [again.rootDer], hostName: NAMES.host, at: early }).validity)
})

t.test('hashes and keys are what they are said to be', withOpenssl, async (t) => {
  const text = (der: Buffer | undefined): string =>
    spawnSync('openssl', ['x509', '-inform', 'der', '-noout', '-text'], { input: der ?? '', encoding: 'utf8' }).stdout
  const parts = async (id: string) => (await authority.issue(id, NAMES)).chain.map(text)
  t.match(await parts('md5-leaf'), [/Signature Algorithm: md5WithRSAEncryption[^]*md5With/, /ecdsa-with-SHA256/])
  t.match(await parts('sha1-leaf'), [/Signature Algorithm: sha1WithRSAEncryption[^]*sha1With/, /ecdsa-with-SHA256/])
  t.match(await parts('rsa-1024'), [/Public-Key: \(1024 bit\)/, /ecdsa-with-SHA256/])
  t.match(await parts('rsa'), [/Public-Key: \(2048 bit\)/, /ecdsa-with-SHA256/])
  const { chain } = await authority.clientChain('md5-root')
  t.match(chain.map(text), [
    /ecdsa-with-SHA256/,
    /sha256WithRSA/,
    /md5With[^]*CN = CA Cert Signing Authority[^]*md5With/,
  ])
  t.same(
    (await authority.clientChain('md5-root-left-out')).chain.map((der) => /md5/.test(text(der))),
    [false, false],
  )
  t.match(text((await authority.clientChain('must-staple')).chain[0]), /TLS Feature:\s*status_request/)
})

t.test('an RSA key is made once for a run, and only when it is asked for', async (t) => {
  const own = createAuthority({ now, seed: 8 })
  const first = await own.issue('rsa', NAMES)
  t.equal((await own.issue('rsa', { ...NAMES, host: 'mx2.badmx.test' })).keyPem, first.keyPem)
})

t.test('named authorities are many, and differ', async (t) => {
  const named = authority.namedAuthorities(300)
  t.equal(new Set(named).size, 300)
  t.equal(authority.namedAuthorities(300), named, 'made once')
  for (const each of [named[0], named[299]]) {
    const certificate = new X509Certificate(each ?? '')
    t.ok(certificate.ca && certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey))
    t.match(certificate.subject, /CN=Certification Authority (1|300) of 300$/)
  }
})

t.test('client chains', async (t) => {
  const ids = [...(await loadClientChains()).keys()]
  t.same(ids, ['good', 'md5-root', 'md5-root-left-out', 'must-staple'])
  for (const id of ids) {
    const { chain } = await authority.clientChain(id)
    t.ok(
      chain.every(
        (certificate, at) =>
          at === 0 || new X509Certificate(chain[at - 1] ?? '').checkIssued(new X509Certificate(certificate)),
      ),
      `${id} is in order`,
    )
  }
})

t.test('the client chain is accepted where clients are', withOpenssl, async (t) => {
  const client = await authority.clientChain('good')
  writeFileSync(join(folder, 'client.pem'), client.certPem)
  const options = [
    ...ROOT_ONLY,
    '-untrusted',
    join(folder, 'client.pem'),
    '-purpose',
    'sslclient',
    join(folder, 'client.pem'),
  ]
  t.equal(spawnSync('openssl', ['verify', ...options], { timeout: 20_000 }).status, 0)
  await t.rejects(authority.clientChain('no-such'), { message: /unknown client certificate/ })
})
