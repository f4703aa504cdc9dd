/** The reference client with a queue: what a sound one does with several hosts and in several attempts, and each flaw of it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test as Tap } from 'tap'
import { createAuthority } from '../../peers/certificates/authority.ts'
import type { PeerEvent } from '../../peers/events.ts'
import { peer } from '../../peers/index.ts'
import type { PeerOptions, Stacks } from '../../peers/peer.ts'
import type { ClientWord, Delivery, MailHost, RunningClient } from '../../scenarios/client.ts'
import type { Policy } from '../../scenarios/policy.ts'
import { QUEUE_FLAWS } from './reference/flaws/queue.ts'
import { referenceMtaWith } from './reference-mta.ts'

const DOMAIN = 'badmx.test'
const authority = createAuthority({ now: new Date(), seed: 1 })
const folder = await mkdtemp(join(tmpdir(), 'badmx-reference-mta-'))
t.teardown(() => rm(folder, { recursive: true }))
const caFile = join(folder, 'ca.pem')
await writeFile(caFile, authority.rootPem)

interface Host {
  readonly preference?: number
  readonly stack?: Stacks
}

/** A world of mail hosts, and who was visited: `mx1`, `mx1 clear` where MAIL came in clear. */
class World {
  readonly hosts: Record<string, MailHost> = {}
  readonly visits: string[] = []

  async open(t: Tap, id: string, { preference, stack = [] }: Host): Promise<void> {
    const name = `${id}.${DOMAIN}`
    const certificate = await authority.issue('good', { host: name, domain: DOMAIN })
    const log: PeerOptions['log'] = (event: PeerEvent) => {
      if (event.type === 'conn' && event.state === 'open') this.visits.push(id)
      if (
        event.type === 'bytes' &&
        event.layer === 'tcp' &&
        event.direction === 'in' &&
        /^MAIL/i.test(String(event.data))
      )
        this.visits.push(`${id} clear`)
    }
    const server = await peer(stack, { hostName: name, tls: { certificate }, log, timeScale: 10 })
    t.teardown(() => server.close())
    const { address, port } = server
    this.hosts[id] = { name, address, port, ...(preference === undefined ? {} : { preference }) }
  }

  delivery(policy: Policy, ids: readonly string[] = Object.keys(this.hosts)): Delivery {
    const hosts = ids.flatMap((id) => this.hosts[id] ?? [])
    const [first] = hosts
    return {
      cell: 'reference-mta/test',
      policy,
      hostName: first?.name ?? '',
      address: first?.address ?? '',
      port: first?.port ?? 0,
      hosts,
      from: `sender@${DOMAIN}`,
      to: [`recipient@${DOMAIN}`],
      message: Buffer.from('Subject: hello\r\n\r\nbody\r\n'),
      caFile,
      folder,
      timeScale: 10,
      deadlineMs: 20_000,
    }
  }
}

async function worldOf(t: Tap, hosts: Readonly<Record<string, Host>>): Promise<World> {
  const world = new World()
  for (const [id, host] of Object.entries(hosts)) await world.open(t, id, host)
  return world
}

async function started(t: Tap, ...flaws: readonly string[]): Promise<RunningClient> {
  const client = await referenceMtaWith(flaws).start()
  t.teardown(() => client.stop())
  return client
}

const signal = new AbortController().signal
const FAILS: Stacks = [{ use: 'answer-client-hello' }]
const GOES: Stacks = [{ use: 'reset-connection' }]

/** What a client with and without the flaw does, in one line each. */
interface Row {
  readonly hosts: Readonly<Record<string, Host>>
  readonly job: (client: RunningClient, world: World) => Promise<ClientWord>
  readonly sound: readonly string[]
  readonly flawed: readonly string[]
}

const TWO: Row['hosts'] = { mx2: { preference: 20 }, mx1: { preference: 10, stack: FAILS } }

/** One message, and where the client keeps it, a second attempt. */
const twice: Row['job'] = async (client, world) => {
  const delivery = world.delivery('encrypt')
  const word = await client.deliver(delivery, signal)
  return word.state === 'queued' && client.retry !== undefined ? client.retry(delivery, signal) : word
}

/** Two messages. */
const both: Row['job'] = async (client, world) => {
  await client.deliver(world.delivery('may'), signal)
  return client.deliver(world.delivery('may'), signal)
}

/** One message, left to the client's own schedule. */
function alone(horizonSeconds: number): Row['job'] {
  return async (client, world) => {
    const delivery = world.delivery('encrypt')
    let word = await client.deliver(delivery, signal)
    while (word.state === 'queued' && (word.ageSeconds ?? 0) < horizonSeconds)
      word = (await client.wait?.(delivery, horizonSeconds, signal)) ?? word
    return word
  }
}

const visits = (id: string, count: number): readonly string[] => Array.from({ length: count }, () => id)

const ROWS: Readonly<Record<string, Row>> = {
  'stop-at-first-host': {
    hosts: TWO,
    job: twice,
    sound: ['mx1', 'mx2', 'delivered'],
    flawed: ['mx1', 'mx1', 'queued'],
  },
  'ignore-preference': { hosts: TWO, job: twice, sound: ['mx1', 'mx2', 'delivered'], flawed: ['mx2', 'delivered'] },
  'never-retry': {
    hosts: { mx1: { preference: 10, stack: FAILS } },
    job: twice,
    sound: ['mx1', 'mx1', 'queued'],
    flawed: ['mx1', 'queued'],
  },
  'hammer-host': {
    hosts: { mx1: { preference: 10, stack: GOES } },
    job: (client, world) => client.deliver(world.delivery('may'), signal),
    sound: ['mx1', 'queued'],
    flawed: [...Array.from({ length: 12 }, () => 'mx1'), 'queued'],
  },
  'want-mx-record': {
    hosts: { mx1: {} },
    job: (client, world) => client.deliver(world.delivery('verify'), signal),
    sound: ['mx1', 'delivered'],
    flawed: ['queued'],
  },
  'keep-first-lookup': {
    hosts: { mx1: { preference: 10 }, mx2: { preference: 10 } },
    job: async (client, world) => {
      await client.deliver(world.delivery('may', ['mx1']), signal)
      return client.deliver(world.delivery('may', ['mx2']), signal)
    },
    sound: ['mx1', 'mx2', 'delivered'],
    flawed: ['mx1', 'mx1', 'delivered'],
  },
  'dotted-names': {
    hosts: { mx1: { preference: 10 } },
    job: (client, world) => client.deliver(world.delivery('verify'), signal),
    sound: ['mx1', 'delivered'],
    flawed: ['mx1', 'queued'],
  },
  'unicode-names': {
    hosts: { 'xn--bcher-kva': { preference: 10 } },
    job: (client, world) => client.deliver(world.delivery('verify'), signal),
    sound: ['xn--bcher-kva', 'delivered'],
    flawed: ['xn--bcher-kva', 'queued'],
  },
  'remember-broken-tls': {
    hosts: { mx1: { preference: 10, stack: [{ use: 'answer-client-hello', with: { visits: '1' } }] } },
    job: both,
    sound: ['mx1', 'mx1', 'delivered'],
    flawed: ['mx1', 'mx1', 'mx1 clear', 'delivered'],
  },
  'spread-broken-tls': {
    hosts: TWO,
    job: (client, world) => client.deliver(world.delivery('may'), signal),
    sound: ['mx1', 'mx2', 'delivered'],
    flawed: ['mx1', 'mx2', 'mx2 clear', 'delivered'],
  },
  'cleartext-on-retry': {
    hosts: { mx1: { preference: 10, stack: FAILS } },
    job: twice,
    sound: ['mx1', 'mx1', 'queued'],
    flawed: ['mx1', 'mx1', 'mx1 clear', 'delivered'],
  },
  'hasty-retries': {
    hosts: { mx1: { preference: 10, stack: FAILS } },
    job: alone(150),
    sound: ['mx1', '150 s: queued'],
    flawed: ['mx1', 'mx1', 'mx1', 'mx1', 'mx1', '150 s: queued'],
  },
  'give-up-within-a-day': {
    hosts: { mx1: { preference: 10, stack: FAILS } },
    job: alone(90_000),
    sound: [...visits('mx1', 26), '90000 s: queued'],
    flawed: [...visits('mx1', 26), '88500 s: bounced'],
  },
}

t.test('every flaw of the queue does its own wrong thing, and the correct client does not', async (t) => {
  t.same(Object.keys(ROWS).sort(), Object.keys(QUEUE_FLAWS).sort(), 'no flaw without a test')
  for (const [flaw, { hosts, job, sound, flawed }] of Object.entries(ROWS)) {
    for (const [flaws, want] of [
      [[], sound],
      [[flaw], flawed],
    ] as const) {
      const world = await worldOf(t, hosts)
      const word = await job(await started(t, ...flaws), world)
      const end = word.ageSeconds === undefined ? word.state : `${word.ageSeconds} s: ${word.state}`
      t.same([...world.visits, end], want, `${flaw}: ${flaws.length === 0 ? 'without' : 'with'}`)
    }
  }
})

t.test('a refusal of the message ends it, one of the session does not', async (t) => {
  const refused = await worldOf(t, {
    mx1: { preference: 10, stack: [{ use: 'answer-command', with: { verbs: ['MAIL'], code: 550 } }] },
    mx2: { preference: 20 },
  })
  t.equal((await twice(await started(t), refused)).state, 'bounced')
  t.same(refused.visits, ['mx1'])

  const away = await worldOf(t, {
    mx1: { preference: 10, stack: [{ use: 'turn-client-away' }] },
    mx2: { preference: 20 },
  })
  t.equal((await twice(await started(t), away)).state, 'delivered')
  t.same(away.visits, ['mx1', 'mx2'])
})

t.test('hosts of equal preference share the load', async (t) => {
  const world = await worldOf(t, { mx1: { preference: 10 }, mx2: { preference: 10 } })
  const client = await started(t)
  for (let message = 0; message < 4; message += 1) await client.deliver(world.delivery('may'), signal)
  t.same([...world.visits].sort(), ['mx1', 'mx1', 'mx2', 'mx2'])
})

t.test('left alone it comes back after 300 s, then doubles up to 4000 s, and gives up after five days', async (t) => {
  const world = await worldOf(t, { mx1: { preference: 10, stack: GOES } })
  const client = await started(t)
  const delivery = world.delivery('may')
  await client.deliver(delivery, signal)
  const ages: number[] = []
  let word: ClientWord | undefined
  do {
    word = await client.wait?.(delivery, 518_400, signal)
    ages.push(word?.ageSeconds ?? 0)
  } while (word?.state === 'queued')
  t.same(ages.slice(0, 6), [300, 900, 2100, 4500, 8500, 12500])
  t.match(word, { state: 'bounced', kind: 'permanent' })
  t.ok((ages.at(-1) ?? 0) >= 432_000 && (ages.at(-2) ?? 0) < 432_000)
})

t.test('five addresses in one attempt', async (t) => {
  const ids = Array.from({ length: 7 }, (_, at) => `mx${at}`)
  const world = await worldOf(t, Object.fromEntries(ids.map((id, at) => [id, { preference: at, stack: GOES }])))
  t.match(await (await started(t)).deliver(world.delivery('may'), signal), { state: 'queued', kind: 'temporary' })
  t.same(world.visits, ids.slice(0, 5))
})
