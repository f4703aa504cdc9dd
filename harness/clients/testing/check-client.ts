/** The checks that every adapter has to pass against real servers; called by the test file of each. */
import type { Test as Tap } from 'tap'
import type { ClientAdapter, ClientWord, Delivery, RunningClient } from '../../../scenarios/client.ts'
import { POLICIES, type Policy } from '../../../scenarios/policy.ts'
import { policySupport } from '../environment.ts'
import { knownClients } from '../index.ts'
import { HOST_NAME, MESSAGE, makeClientCertificate, makeDelivery, startPeer, startSilence } from './peer.ts'

export interface Expected {
  readonly client: ClientAdapter
  /** The policies that the client knows. */
  readonly supported: readonly Policy[]
  /** The channel under `default`. */
  readonly untouched: 'clear' | 'tls'
  /** Whether this version looks at the name in the certificate. */
  readonly checksNames: (version: string) => boolean
  /** True where every policy with TLS checks chain and name: `may` does not take any certificate either. */
  readonly checksAlways?: true
  /** False where its ClientHello has no SNI. */
  readonly sendsNames?: false
  /** The newest TLS with which it works each time. */
  readonly reliable?: 'TLSv1.2'
  /** What it calls itself under `default`, where it cannot be told. */
  readonly untouchedName?: string
  /** Whether the message arrives octet by octet; `rewritten` where it makes a header of its own. */
  readonly exact: boolean | 'rewritten'
  /** Its word for the one cipher suite ECDHE-ECDSA-AES256-GCM-SHA384; nothing where it has none. */
  readonly cipher: string | undefined
  /** False where it cannot be given a certificate of its own. */
  readonly certificates?: false
  /** True where it has no limit for its waits. */
  readonly endless?: true
  /** What it makes of 451 and 550 to RCPT. */
  readonly kinds: readonly [ClientWord['kind'], ClientWord['kind']]
}

/** Runs every check; skips (and says so) where the client is not on this machine. */
export async function checkClient(t: Tap, expected: Expected): Promise<void> {
  const { client } = expected
  await t.test('is known under its id, and has no policy that is none', async (t) => {
    t.ok((await knownClients()).some((known) => known.id === client.id))
    t.match(policySupport(client, 'sorcery'), { unsupported: /sorcery/ })
    t.match(policySupport(client, 'toString'), { unsupported: /toString/ })
    const supported = POLICIES.filter((policy) => 'options' in client.policies[policy])
    t.same(supported, expected.supported)
  })
  const probe = await client.probe()
  if (!probe.found) {
    await t.test(client.id, { skip: `${client.id} is not on this machine: ${probe.install}` }, async () => undefined)
    return
  }
  const running = await client.start()
  t.teardown(() => running.stop())
  await checkPolicies(t, expected, running)
  await checkRefusals(t, expected, running, probe.version)
  await checkExtras(t, expected, running)
}

async function send(t: Tap, running: RunningClient, port: number, changes: Partial<Delivery>): Promise<ClientWord> {
  return running.deliver(await makeDelivery(t, port, changes), new AbortController().signal)
}

/** A peer that speaks no newer TLS than the client can take. */
function peerFor(t: Tap, { reliable }: Expected, options: Parameters<typeof startPeer>[1] = {}) {
  return startPeer(t, reliable === undefined ? options : { maxVersion: reliable, ...options })
}

async function checkPolicies(t: Tap, expected: Expected, running: RunningClient): Promise<void> {
  const secure: Partial<Record<Policy, boolean>> = {
    ...{ none: false, may: true, encrypt: true, verify: true, implicit: true },
    default: expected.untouched === 'tls',
  }
  for (const policy of POLICIES)
    await t.test(`${policy} against a sound peer`, async (t) => {
      const peer = await peerFor(t, expected, { tls: policy === 'implicit' ? 'connect' : 'starttls' })
      const word = await send(t, running, peer.port, { policy })
      if (!expected.supported.includes(policy)) {
        t.equal(word.state, 'unsupported', word.reason)
        t.equal(peer.messages.length, 0)
        return
      }
      t.equal(word.state, 'delivered', `${word.reason}\n${word.log.join('\n')}`)
      const [message] = peer.messages
      t.equal(peer.messages.length, 1)
      t.equal(message?.secure, secure[policy])
      const name = policy === 'default' ? expected.untouchedName : undefined
      t.equal(message?.helo, name ?? 'client.badmx.test')
      t.equal(message?.to, 2)
      if (expected.exact === 'rewritten') t.match(message?.text, /canary-subject\r\n[^]*canary-body\r\n\.a line/)
      else if (expected.exact) t.equal(message?.text, MESSAGE)
      else t.ok(message?.text.startsWith(MESSAGE), String(message?.text))
      if (secure[policy] === true && expected.sendsNames !== false) t.equal(peer.serverNames[0], HOST_NAME)
      else t.same(peer.serverNames, [])
      if (word.claims?.encrypted !== undefined) t.equal(word.claims.encrypted, secure[policy])
      t.ok(word.log.length > 0, 'it has a log')
    })
}

async function checkRefusals(t: Tap, expected: Expected, running: RunningClient, version: string): Promise<void> {
  const knows = (policy: Policy) => expected.supported.includes(policy)
  const attempt = async (t: Tap, policy: Policy, options: Parameters<typeof startPeer>[1]) => {
    const peer = await peerFor(t, expected, options)
    const word = await send(t, running, peer.port, { policy })
    return { word, messages: peer.messages }
  }
  for (const policy of (['verify', 'implicit'] as const).filter(knows))
    for (const certificate of ['self-signed', 'other-name'] as const)
      await t.test(`${policy} against a certificate that is ${certificate}`, async (t) => {
        const tls = policy === 'implicit' ? 'connect' : 'starttls'
        const { word, messages } = await attempt(t, policy, { tls, certificate })
        const refused = certificate === 'self-signed' || expected.checksNames(version)
        t.equal(word.state, refused ? 'failed' : 'delivered', word.reason)
        t.equal(messages.length, refused ? 0 : 1)
      })
  for (const policy of ['may', 'encrypt'] as const)
    if (knows(policy))
      await t.test(`${policy} against a certificate that is self-signed`, async (t) => {
        const { word, messages } = await attempt(t, policy, { certificate: 'self-signed' })
        t.equal(word.state, expected.checksAlways === true ? 'failed' : 'delivered', word.reason)
        t.same(
          messages.map((message) => message.secure),
          expected.checksAlways === true ? [] : [true],
        )
      })
  for (const policy of ['encrypt', 'verify'] as const)
    if (knows(policy))
      await t.test(`${policy} without STARTTLS`, async (t) => {
        const { word, messages } = await attempt(t, policy, { tls: 'none' })
        t.equal(word.state, 'failed', word.reason)
        t.equal(messages.length, 0)
        t.not(word.claims?.encrypted, true)
      })
  if (knows('may'))
    await t.test('may without STARTTLS', async (t) => {
      const { word, messages } = await attempt(t, 'may', { tls: 'none' })
      t.equal(word.state, 'delivered', word.reason)
      t.same(
        messages.map((message) => message.secure),
        [false],
      )
    })
}

async function checkExtras(t: Tap, expected: Expected, running: RunningClient): Promise<void> {
  const knows = (policy: Policy) => expected.supported.includes(policy)
  /** The policies to show its password and its certificate under. */
  const safest = knows('verify') ? 'verify' : 'encrypt'
  const secure = knows('encrypt') ? 'encrypt' : 'verify'
  await t.test('gives its password', async (t) => {
    const peer = await peerFor(t, expected, { auth: true })
    const credentials = { user: 'canary-user', password: 'canary-password' }
    const word = await send(t, running, peer.port, { policy: safest, credentials })
    t.equal(word.state, 'delivered', word.reason)
    t.same(peer.logins, [{ ...credentials, secure: true }])
  })
  await t.test('takes a certificate of its own and a cipher list', async (t) => {
    const peer = await peerFor(t, expected, { maxVersion: 'TLSv1.2' })
    const certificate = expected.certificates === false ? {} : { clientCertificate: await makeClientCertificate(t) }
    const ciphers = expected.cipher === undefined ? {} : { ciphers: expected.cipher }
    const plain = await send(t, running, peer.port, { policy: secure })
    const armed = await send(t, running, peer.port, { policy: secure, ...certificate, ...ciphers })
    t.same([plain.state, armed.state], ['delivered', 'delivered'], armed.reason)
    t.same(
      peer.messages.map(({ clientName }) => clientName),
      [undefined, expected.certificates === false ? undefined : 'client.badmx.test'],
    )
    if (expected.cipher !== undefined) t.equal(peer.messages[1]?.cipher, 'ECDHE-ECDSA-AES256-GCM-SHA384')
    const refused = await send(t, running, peer.port, { policy: secure, ciphers: 'no-such-cipher' })
    t.equal(refused.state, expected.cipher === undefined ? 'unsupported' : 'failed', refused.reason)
    if (expected.certificates !== false) return
    const clientCertificate = await makeClientCertificate(t)
    const without = await send(t, running, peer.port, { policy: secure, clientCertificate })
    t.equal(without.state, 'unsupported', without.reason)
  })
  for (const [index, rcpt] of [451, 550].entries())
    await t.test(`says what ${rcpt} means`, async (t) => {
      const peer = await peerFor(t, expected, { rcpt })
      const word = await send(t, running, peer.port, { policy: 'none' })
      t.equal(word.state, 'failed', word.reason)
      t.equal(word.kind, expected.kinds[index])
    })
  await t.test('ends when it is told to', async (t) => {
    const { port, connected } = await startSilence(t)
    const controller = new AbortController()
    const word = running.deliver(await makeDelivery(t, port, { policy: 'none' }), controller.signal)
    await connected
    controller.abort()
    t.equal((await word).state, 'hung')
  })
  await t.test('a peer that never speaks does not hold it for ever', async (t) => {
    const { port } = await startSilence(t)
    const word = await send(t, running, port, { policy: 'none', deadlineMs: 2_500 })
    t.equal(word.state, expected.endless ? 'hung' : 'failed', word.reason)
  })
}
