/** Cells that were spoilt, in a run with a client that only speaks. */
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test as Tap } from 'tap'
import { createAuthority } from '../peers/certificates/authority.ts'
import { type ClientWord, type Delivery, type Foreseen, type RunningClient, SpoiltError } from './client.ts'
import type { CellBegun, CellEnded, LogEvent } from './events.ts'
import { judge } from './judge/judge.ts'
import { type PlanClient, plan } from './plan.ts'
import { POLICIES } from './policy.ts'
import { runPlan } from './run.ts'
import { SAMPLE_CONTROLS, sampleScenario } from './test/sample-scenario.ts'

const MTA: PlanClient = {
  ...{ id: 'mta', kind: 'queue', namesPeers: true, passwords: true },
  policies: Object.fromEntries(POLICIES.map((policy) => [policy, { options: '' }])) as PlanClient['policies'],
  documented: { policy: 'may', source: 'its manual' },
}

const SPOILT = 'strip/strip-spoilt/encrypt/mta'
const SOUND = 'strip/strip-sound/encrypt/mta'

const queued: ClientWord = { state: 'queued', log: [], reason: 'stays in the queue' }

/** Connects, so that there is something on the wire. */
async function visit({ address, port }: Delivery): Promise<void> {
  await new Promise<void>((resolve) => {
    const socket = connect({ host: address, port }, () => socket.end())
    socket.resume().on('close', () => resolve())
  })
}

interface Ran {
  readonly events: readonly LogEvent[]
  readonly foreseen: readonly Foreseen[]
  readonly beside: readonly Delivery[]
  readonly alone: readonly Delivery[]
  /** Lone clients that are over. */
  readonly stopped: number
  readonly again: readonly string[]
  readonly progress: readonly string[]
}

interface Doing {
  /** Of the attempts that are spoilt, with the first client. */
  readonly spoils: 'deliver' | 'retry'
  readonly alone?: (delivery: Delivery) => Promise<ClientWord>
  /** There is one client for all cells. */
  readonly single?: true
  readonly interrupt?: true
  /** How often each cell is run; {@link SPOILT} is the first of its scenario. */
  readonly repeat?: number
}

async function run(t: Tap, { spoils, alone = async () => queued, single, interrupt, repeat = 1 }: Doing): Promise<Ran> {
  const clock = new Date()
  const began = performance.now()
  const folder = await mkdtemp(join(tmpdir(), 'badmx-run-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const controller = new AbortController()
  const ran = {
    ...{ events: [] as LogEvent[], foreseen: [] as Foreseen[], beside: [] as Delivery[], alone: [] as Delivery[] },
    ...{ stopped: 0, again: [] as string[], progress: [] as string[] },
  }
  const spoil = async (delivery: Delivery): Promise<ClientWord> => {
    if (delivery.cell !== SPOILT) return queued
    if (interrupt === true) controller.abort()
    throw new SpoiltError('the MTA ended with 7 cells in hand')
  }
  const first: RunningClient = {
    deliver: async (delivery) => {
      ran.beside.push(delivery)
      await visit(delivery)
      return spoils === 'deliver' ? spoil(delivery) : queued
    },
    retry: async (delivery) => (spoils === 'retry' ? spoil(delivery) : queued),
    stop: async () => {},
    ...(single === true
      ? {}
      : {
          alone: async (foreseen) => {
            ran.foreseen.push(foreseen)
            return {
              deliver: async (delivery) => {
                ran.alone.push(delivery)
                await visit(delivery)
                return alone(delivery)
              },
              retry: async () => queued,
              forget: async () => {
                t.fail('its queue goes with it')
              },
              stop: async () => {
                ran.stopped += 1
              },
            }
          },
        }),
  }
  const reference: RunningClient = { deliver: async () => ({ ...queued, state: 'failed' }), stop: async () => {} }
  await runPlan({
    plan: plan({
      scenarios: [
        ...SAMPLE_CONTROLS,
        ...['strip-spoilt', 'strip-sound'].map((id) => sampleScenario(id, { expect: { encrypt: 'D' } })),
      ],
      ...{ clients: [MTA], reference: { ...MTA, kind: 'one-shot', id: 'reference' }, policies: ['encrypt'] },
      ...{ only: ['strip'], seed: 1, timeScale: 1, repeat },
    }),
    clients: new Map([
      ['mta', first],
      ['reference', reference],
    ]),
    issuer: createAuthority({ now: clock, seed: 1 }),
    log: (event) => ran.events.push(event),
    now: () => performance.now() - began,
    again: ({ id }) => ran.again.push(id),
    progress: ({ id }) => ran.progress.push(id),
    ...{ clock, caFile: 'none', folder, jobs: 4, signal: controller.signal },
  })
  return ran
}

const of = <Type extends LogEvent['type']>(ran: Ran, type: Type, cell = SPOILT) =>
  ran.events.filter((event): event is Extract<LogEvent, { type: Type }> => event.type === type && event.cell === cell)

const verdictOf = (ran: Ran, cell = SPOILT) => {
  const begun = { schema: 'badmx/events/1', badmx: '0', seed: 1, startedAt: '', timeScale: 1, shard: '1/1' } as const
  const rest = { node: '', openssl: '', clients: [], plan: '', cells: [cell] }
  // The harness's controls fail, for these clients only speak; of this cell by itself:
  const own = ran.events.filter((event) => event.cell === cell)
  return judge([{ type: 'run', t: 0, ...begun, ...rest }, ...own]).cells[0]
}

for (const spoils of ['deliver', 'retry'] as const)
  t.test(`a cell that is spoilt in ${spoils} is run again after all others, alone`, async (t) => {
    const ran = await run(t, { spoils })
    t.strictSame(
      of(ran, 'cell-end').map(({ status }: CellEnded) => status),
      ['spoilt', 'done'],
    )
    t.strictSame(
      of(ran, 'cell').map(({ alone }: CellBegun) => alone),
      [undefined, true],
    )
    t.equal(of(ran, 'cell', SOUND).length, 1, 'the other is not')
    const starts = ran.events.filter((event) => event.type === 'cell')
    t.match(starts.at(-1), { cell: SPOILT, alone: true }, 'when all others have been begun')

    t.strictSame(ran.again, [SPOILT])
    t.strictSame(
      ran.progress.filter((cell) => cell === SPOILT),
      [SPOILT],
      'it is told once that it is over',
    )
    t.equal(ran.progress.length, starts.length - 1)
    t.equal(ran.stopped, 1)

    const [old] = ran.beside.filter(({ cell }) => cell === SPOILT)
    const [own, ...more] = ran.alone
    t.equal(more.length, 0)
    t.equal(ran.foreseen[0]?.domain, own?.to[0]?.split('@')[1])
    for (const field of ['from', 'hostName', 'port'] as const) t.not(own?.[field], old?.[field], field)
    t.not(own?.to[0], old?.to[0])
    const conns = of(ran, 'conn').filter(({ state }) => state === 'open')
    t.equal(new Set(conns.map(({ conn }) => conn)).size, 2, 'no two share an id')
    t.match(verdictOf(ran), { verdict: 'pass', again: { counts: 'second' } }, 'it is judged as others')
    t.match(verdictOf(ran, SOUND), { verdict: 'pass', reason: verdictOf(ran)?.reason })
  })

t.test('a crash of a client that has the cell alone is its own', async (t) => {
  const crash = async (): Promise<ClientWord> => ({ state: 'crashed', log: [], reason: 'ended by itself' })
  t.match(verdictOf(await run(t, { spoils: 'deliver', alone: crash })), {
    verdict: 'fail',
    outcome: { final: 'crashed' },
  })
})

t.test('there is no third try', async (t) => {
  const spoil = async (): Promise<ClientWord> => {
    throw new SpoiltError('it happens')
  }
  const ran = await run(t, { spoils: 'deliver', alone: spoil })
  t.equal(of(ran, 'cell').length, 2)
  t.match(verdictOf(ran), { verdict: 'error', reason: 'it happens' })
  t.equal(ran.stopped, 1, 'what was started is stopped')
  t.equal(ran.progress.filter((cell) => cell === SPOILT).length, 1)
})

t.test('it waits for those that have not been begun yet', async (t) => {
  const starts = (await run(t, { spoils: 'deliver', repeat: 20 })).events.filter((event) => event.type === 'cell')
  t.ok(starts.length > 40, 'more than can begin at once')
  t.match(starts.at(-1), { cell: SPOILT, alone: true })
})

t.test('nor a second one where there is one client for all, or the run is interrupted', async (t) => {
  for (const doing of [{ single: true }, { interrupt: true }] as const) {
    const ran = await run(t, { spoils: 'deliver', ...doing })
    t.equal(of(ran, 'cell').length, 1)
    t.match(verdictOf(ran), { verdict: 'error', reason: 'the MTA ended with 7 cells in hand' })
    t.strictSame(ran.again, [])
  }
})
