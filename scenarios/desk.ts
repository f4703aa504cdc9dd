/**
 * Where the messages of a cell are handed over, and its attempts counted.
 *
 * What always holds: each attempt has its begin, the client's word and its end in the event log, in this order.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { CellWorld } from './cell-world.ts'
import type { ClientWord, Delivery, RetryCause, RunningClient } from './client.ts'
import { foreseenOf, settingsOf } from './client-settings.ts'
import { deadlineOf } from './deadline.ts'
import type { AttemptBegun } from './events.ts'
import type { Turn } from './gate.ts'
import { envelopeOf, messageOf } from './message.ts'
import { pause } from './pause.ts'
import type { PlannedCell } from './plan.ts'
import type { Policy } from './policy.ts'
import type { RunRequest } from './run-request.ts'

/** Milliseconds that a client may take to bring a notice home after it gave a message up. */
const NOTICE_MS = 3_000

/** The run that a cell is part of, and its place in it. */
export interface Way {
  readonly request: RunRequest
  readonly turn: Turn
}

export class Desk {
  /** Set when the client says that it cannot do this. */
  refusal: string | undefined
  private readonly cell: PlannedCell
  private readonly client: RunningClient
  private readonly world: CellWorld
  private readonly common: Delivery
  private readonly request: RunRequest
  private readonly turn: Turn
  private readonly submitted: Delivery[] = []
  private attempts = 0
  private word: ClientWord | undefined

  private constructor(cell: PlannedCell, client: RunningClient, world: CellWorld, common: Delivery, way: Way) {
    this.cell = cell
    this.client = client
    this.world = world
    this.common = common
    this.request = way.request
    this.turn = way.turn
  }

  /** @param folder an existing one of the cell's own */
  static async open(cell: PlannedCell, world: CellWorld, folder: string, way: Way): Promise<Desk> {
    const { request } = way
    const common = await deliveryOf(cell, world, folder, request)
    const client = request.clients.get(cell.client)
    if (client === undefined) throw new Error(`the client ${cell.client} was not started`)
    if (cell.alone !== true) return new Desk(cell, client, world, common, way)
    const own = await client.alone?.(await foreseenOf(cell, request))
    if (own === undefined) throw new Error(`there is one ${cell.client} for all cells`)
    return new Desk(cell, own, world, common, way)
  }

  /** A message of its own for each submission. @param policy another one than the cell's, for a message that prepares */
  async submit(policy: Policy = this.cell.policy): Promise<void> {
    const { cell, common, request } = this
    const number = this.submitted.length + 1
    const envelope = { from: common.from, to: common.to[0] ?? '' }
    const message = messageOf(cell.canaries, envelope, request.clock, number, cell.scenario.job.octets)
    const folder = join(common.folder, String(number))
    await mkdir(folder)
    const { world } = this
    const delivery: Delivery = {
      ...common,
      policy,
      message,
      folder,
      // A phase of the world changes them, and clients know a message by its delivery.
      get hosts() {
        return world.mailHosts()
      },
    }
    this.submitted.push(delivery)
    await this.attempt('first', policy, () => this.client.deliver(delivery, request.signal))
  }

  /** Another attempt with the last message, if the client still has it. */
  async retry(cause: RetryCause): Promise<void> {
    const { client, request } = this
    const delivery = this.submitted.at(-1)
    if (delivery === undefined || this.word?.state !== 'queued' || request.signal.aborted) return
    if (cause === 'aged') await this.turn.aside(() => pause(client.agesInMs?.(delivery) ?? 0, request.signal))
    if (request.signal.aborted) return
    await this.attempt(cause, delivery.policy, () => client.retry?.(delivery, request.signal))
  }

  /** Leaves the last message, if the client still has it, to its own schedule until it is out of the queue, or so old. */
  async leaveAlone(horizonSeconds: number): Promise<void> {
    const { client, request } = this
    const delivery = this.submitted.at(-1)
    for (let age = 0; age < horizonSeconds; ) {
      if (delivery === undefined || this.word?.state !== 'queued' || request.signal.aborted) return
      if (client.wait === undefined) {
        this.refusal = `${this.cell.client} has no clock that can be made fast here`
        return
      }
      await this.attempt('own', delivery.policy, () => client.wait?.(delivery, horizonSeconds, request.signal))
      const { ageSeconds } = this.word
      if (ageSeconds === undefined || ageSeconds <= age)
        throw new Error(`${this.cell.client} was left alone, and does not say how old the message has become`)
      age = ageSeconds
    }
  }

  private async attempt(
    cause: AttemptBegun['cause'],
    under: Policy,
    make: () => Promise<ClientWord> | undefined,
  ): Promise<void> {
    const { log, now, signal } = this.request
    const cell = this.cell.id
    this.attempts += 1
    const attempt = this.attempts
    const policy = under === this.cell.policy ? {} : { policy: under }
    log({ type: 'attempt', state: 'begun', t: now(), cell, attempt, cause, ...policy })
    const said = await make()
    if (said === undefined) throw new Error(`${this.cell.client} has a queue and no way to retry`)
    const { heard, ...word } = said
    const t = now()
    log({ type: 'client', t, cell, attempt, word, ...(heard === undefined ? {} : { logAt: onTheClock(heard, t) }) })
    log({ type: 'attempt', state: 'ended', t: now(), cell, attempt, cause, ...policy })
    this.word = word
    if (word.state === 'unsupported') this.refusal = word.reason
    if (word.state !== 'bounced') return
    const notice = await this.request.internet?.notice?.(this.common.from, NOTICE_MS, signal)
    if (notice !== undefined) log({ type: 'notice', t: now(), cell, attempt, data: notice })
  }

  /** The client need not go on with what it still has; one that has this cell only is over. */
  async close(): Promise<void> {
    if (this.cell.alone === true) return this.client.stop()
    for (const delivery of this.submitted) await this.client.forget?.(delivery)
  }
}

/** Times of `performance.now()` on the clock of the event log, of which it is `t` now; in tenths of a millisecond. */
function onTheClock(heard: readonly number[], t: number): number[] {
  const began = performance.now() - t
  return heard.map((at) => Math.max(0, Math.round((at - began) * 10) / 10))
}

async function deliveryOf(cell: PlannedCell, world: CellWorld, folder: string, request: RunRequest): Promise<Delivery> {
  const hosts = world.mailHosts()
  const [first] = hosts
  if (first === undefined) throw new Error('the scenario has no host')
  const envelope = envelopeOf(cell.canaries, cell.recipientDomain)
  return {
    cell: cell.id,
    policy: cell.policy,
    hostName: first.name,
    address: first.address,
    port: first.port,
    hosts,
    ...(request.internet === undefined ? {} : { ask: request.internet.ask }),
    from: envelope.from,
    to: [envelope.to],
    message: Buffer.alloc(0),
    ...(await settingsOf(cell, request)),
    caFile: request.caFile,
    folder,
    timeScale: request.plan.timeScale,
    deadlineMs: deadlineOf(cell, request.plan.timeScale),
  }
}
