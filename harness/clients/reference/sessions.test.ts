/** The sessions of the reference client, against peers of ours: what the correct one offers, and its flaws. */
import { X509Certificate } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test as Tap } from 'tap'
import { type Authority, createAuthority } from '../../../peers/certificates/authority.ts'
import type { PeerEvent } from '../../../peers/events.ts'
import { peer, type Stacks, type TlsOptions } from '../../../peers/peer.ts'
import type { Policy } from '../../../scenarios/policy.ts'
import { referenceWith } from '../reference.ts'
import { CORRECT } from './decisions.ts'
import { SESSION_FLAWS } from './flaws/sessions.ts'
import { decisionsWith } from './flaws.ts'

const HOST = 'mx.badmx.test'

interface Visit {
  readonly policy?: Policy
  readonly host?: string
  /** What the peer is from this visit on; its ticket keys are new then. */
  readonly change?: { readonly fault?: string; readonly stack?: Stacks; readonly max?: TlsOptions['max'] }
}

let authority: Authority | undefined

async function folder(t: Tap): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'badmx-sessions-'))
  t.teardown(() => rm(made, { recursive: true }))
  return made
}

/** For each visit how the client offered a session, whether it went on, and what became of the message. */
async function visits(t: Tap, flaws: readonly string[], list: readonly Visit[]): Promise<readonly string[]> {
  authority ??= createAuthority({ now: new Date(), seed: 1 })
  const { rootPem } = authority
  const events: PeerEvent[] = []
  const tlsOf = async ({ fault = 'good', max = 'TLSv1.3' }: NonNullable<Visit['change']>): Promise<TlsOptions> => ({
    certificate: await (authority as Authority).issue(fault, { host: HOST, domain: 'badmx.test' }),
    max,
  })
  const mx = await peer([], { tls: await tlsOf({}), log: (event) => events.push(event) })
  t.teardown(() => mx.close())
  const running = await referenceWith(flaws).start()
  t.teardown(() => running.stop())
  const files = await folder(t)
  const caFile = join(files, 'ca.pem')
  await writeFile(caFile, rootPem)
  const told: string[] = []
  for (const { policy = 'verify', host = HOST, change } of list) {
    if (change !== undefined) await mx.change(change.stack ?? [], { tls: await tlsOf(change) })
    events.length = 0
    const word = await running.deliver(
      {
        ...{ cell: 'x', policy, hostName: host, address: mx.address, port: mx.port, caFile, folder: files },
        ...{ from: 'a@badmx.test', to: ['b@badmx.test'], message: Buffer.from('Subject: x\r\n\r\nx\r\n') },
        hosts: [{ name: host, preference: 10, address: mx.address, port: mx.port }],
        ...{ timeScale: 10, deadlineMs: 20_000 },
      },
      AbortSignal.timeout(15_000),
    )
    await mx.idle()
    const tls = events.flatMap((event) => {
      if (event.type !== 'tls') return []
      if (event.state === 'hello') return [event.hello.session ?? 'none']
      return event.state === 'up' && event.resumed ? ['resumed'] : []
    })
    told.push([...tls, word.state].join(' '))
  }
  return told
}

t.test('a session goes on, and its peer is still verified', async (t) => {
  t.same(await visits(t, [], [{}, {}]), ['none delivered', 'psk resumed delivered'])
  const old = { change: { max: 'TLSv1.2' as const } }
  t.same(
    await visits(t, [], [old, {}, {}]),
    ['none delivered', 'ticket resumed delivered', 'ticket resumed delivered'],
    'up to TLS 1.2 more than once',
  )
  t.same(
    await visits(t, [], [{ policy: 'may', change: { fault: 'untrusted-ca' } }, { policy: 'may' }]),
    ['none delivered', 'psk resumed delivered'],
    'under a policy that checks nothing too',
  )
})

t.test('a session is for one host and one policy', async (t) => {
  t.same(await visits(t, [], [{ policy: 'may' }, { policy: 'verify' }, { policy: 'encrypt' }, { policy: 'may' }]), [
    'none delivered',
    'none delivered',
    'none delivered',
    'psk resumed delivered',
  ])
  t.same(await visits(t, [], [{ policy: 'may' }, { policy: 'may', host: 'mx2.badmx.test' }]), [
    'none delivered',
    'none delivered',
  ])
})

t.test('a session that was refused, or whose peer was, is not offered again', async (t) => {
  const impostor = { change: { fault: 'impostor-self-signed', max: 'TLSv1.2' as const } }
  t.same(await visits(t, [], [{}, impostor, {}]), ['none delivered', 'psk failed', 'none failed'])
  const broken = { change: { stack: ['break-binder'] } }
  t.same(await visits(t, [], [broken, {}, {}]), ['none delivered', 'psk failed', 'none delivered'])
  t.same(await visits(t, [], [{}, { change: {} }, {}]), ['none delivered', 'psk delivered', 'psk resumed delivered'])
})

interface Row {
  readonly flaw: string
  readonly visits: readonly Visit[]
  readonly correct: string
  readonly flawed: string
}

const ROWS: readonly Row[] = [
  {
    flaw: 'sessions-of-any-policy',
    visits: [{ policy: 'may', change: { fault: 'untrusted-ca' } }, { policy: 'verify' }],
    correct: 'none failed',
    flawed: 'psk resumed delivered',
  },
  {
    flaw: 'sessions-of-any-host',
    visits: [{}, { host: 'mx2.badmx.test' }],
    correct: 'none failed',
    flawed: 'psk resumed delivered',
  },
  {
    flaw: 'sessions-of-refused-peers',
    visits: [{ change: { fault: 'impostor-self-signed', max: 'TLSv1.2' } }, {}],
    correct: 'none failed',
    flawed: 'ticket resumed delivered',
  },
  {
    flaw: 'offered-session-is-proof',
    visits: [{}, { change: { fault: 'impostor-self-signed' } }],
    correct: 'psk failed',
    flawed: 'psk delivered',
  },
  {
    flaw: 'certificate-in-every-handshake',
    visits: [{}, {}],
    correct: 'psk resumed delivered',
    flawed: 'psk resumed failed',
  },
  {
    flaw: 'insist-on-session',
    visits: [{}, { change: {} }],
    correct: 'psk delivered',
    flawed: 'psk failed',
  },
]

t.test('every flaw of sessions does its wrong thing, and the correct client does not', async (t) => {
  for (const { flaw, visits: list, correct, flawed } of ROWS) {
    t.equal((await visits(t, [flaw], list)).at(-1), flawed, flaw)
    t.equal((await visits(t, [], list)).at(-1), correct, `correct, against ${flaw}`)
  }
  const { chain } = await (authority as Authority).issue('expired', { host: HOST, domain: 'badmx.test' })
  const expired = {
    ...{ chain: chain.map((der) => new X509Certificate(der)), roots: [], refusal: undefined },
    ...{ address: '127.0.0.1', staple: undefined },
  }
  t.equal(CORRECT.resumedPeer(expired).refusal, undefined, 'what was good when the session was made')
  t.equal(decisionsWith(['recheck-dates-on-resumption']).resumedPeer(expired).refusal, 'validity')
  const tested = [...ROWS.map(({ flaw }) => flaw), 'recheck-dates-on-resumption']
  t.same(Object.keys(SESSION_FLAWS).sort(), tested.sort(), 'no flaw without a test')
})
