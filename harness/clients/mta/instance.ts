/** One MTA that runs in a root of its own, from its start to its end, and the messages that it has been given. */
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { type ClientStage, type ClientWord, type Delivery, SpoiltError } from '../../../scenarios/client.ts'
import type { Layer } from '../../lab/layer.ts'
import { LAB_NETWORK } from '../../lab/network.ts'
import { type ClientRoot, openRoot } from '../../lab/root.ts'
import { LabError } from '../../process/program.ts'
import { type Mta, type MtaDefinition, type MtaSetup, START_MS } from './definition.ts'
import { Submission } from './submission.ts'
import { Tracker } from './tracker.ts'

/** Milliseconds from the death of one of its processes, which shows first, to the end of the whole. */
const DYING_MS = 2_000

/** Each MTA of a lab takes messages at a loopback port of its own, in the order of their start. */
const SUBMISSION_ADDRESS = '127.0.0.1'
let lastPort = 10_024

export class Instance {
  readonly root: ClientRoot
  readonly tracker: Tracker
  readonly version: string
  readonly mta: Mta
  private readonly definition: MtaDefinition
  private readonly setup: MtaSetup
  private readonly submission: Submission
  /** The cell of each message. */
  private readonly owners = new Map<string, string>()

  private constructor(definition: MtaDefinition, setup: MtaSetup, mta: Mta, tracker: Tracker) {
    this.definition = definition
    this.setup = setup
    this.root = setup.root
    this.version = setup.version
    this.mta = mta
    this.tracker = tracker
    this.submission = new Submission(setup.address, setup.port)
  }

  /** @throws {LabError} with the end of its log where it does not start. */
  static async start(
    definition: MtaDefinition,
    stage: ClientStage,
    layer: Layer,
    times: MtaSetup['times'],
  ): Promise<Instance> {
    lastPort += 1
    const port = lastPort
    const tracker = new Tracker(definition.reader())
    const root = await openRoot(layer, {
      resolvers: [LAB_NETWORK.resolver4],
      ca: await readFile(stage.caFile, 'utf8'),
      clock: times === 'untouched',
      onLog: (line) => tracker.line(line),
      ...(stage.overlay === undefined ? {} : { overlay: stage.overlay }),
    })
    try {
      const version = await definition.version(root)
      const where = { address: SUBMISSION_ADDRESS, port }
      const log = {
        said: () => tracker.lastWords(),
        hear: (line: string) => tracker.line(line),
        heard: (pattern: RegExp) => tracker.heard(pattern, START_MS),
      }
      const setup: MtaSetup = { root, stage, times, ...where, version, ...log }
      const mta = await definition.start(setup)
      await untilReady(definition, mta, tracker)
      return new Instance(definition, setup, mta, tracker)
    } catch (error) {
      await root.close()
      throw error
    }
  }

  /**
   * Hands a message over; resolves with the queue's id, with the client's word where it ended over that, or with `refused` where
   * it had ended before and has taken nothing.
   *
   * @throws {SpoiltError} where it ended, or stood still, with other cells in hand
   */
  async submit(delivery: Delivery): Promise<{ readonly id: string } | { readonly word: ClientWord } | 'refused'> {
    const { cell, hosts } = delivery
    if (this.tracker.ended !== undefined) return 'refused'
    const began = performance.now()
    const taken = this.tracker.takes(cell)
    try {
      const id = await (this.mta.submit?.(delivery) ?? this.submitBySmtp(delivery))
      this.owners.set(id, cell)
      this.tracker.follow([id, ...hosts.flatMap(({ name, address }) => [name, address])], cell)
      return { id }
    } catch (error) {
      // nodemailer has a code of its own
      const isRefused = error instanceof Error && error.message.includes('ECONNREFUSED')
      if (!(await this.hasEnded(isRefused ? START_MS : DYING_MS))) {
        await this.requireUnblocked(began, cell)
        throw error
      }
      return isRefused ? 'refused' : { word: this.tracker.crash(cell) }
    } finally {
      taken()
    }
  }

  private async submitBySmtp(delivery: Delivery): Promise<string> {
    const { name, queuedAs } = this.definition
    const response = await this.submission.send(delivery, delivery.message)
    const id = queuedAs?.exec(response)?.[1]
    if (id === undefined) throw new Error(`${name} took the message and named no queue id: ${response}`)
    return id
  }

  /** After something that may be the first sign of its end. */
  private async hasEnded(limitMs: number): Promise<boolean> {
    if (this.mta.daemon === undefined) return false
    await this.tracker.end(limitMs)
    return this.tracker.ended !== undefined
  }

  /** Starts another attempt with a message in the queue. Of its end {@link outcome} tells. */
  async retry(id: string, { hosts }: Delivery): Promise<void> {
    await this.unlessEnded(() =>
      this.mta.retry(
        id,
        hosts.map(({ address }) => address),
      ),
    )
  }

  async outcome(id: string, deadlineMs: number, signal: AbortSignal): Promise<ClientWord> {
    const began = performance.now()
    const word = await this.tracker.outcome(id, deadlineMs, signal)
    if (word.state === 'queued') await this.unlessEnded(() => this.mta.rest?.(id))
    if (word.state === 'hung' && !signal.aborted) await this.requireUnblocked(began, this.owners.get(id) ?? '')
    return word
  }

  /** @throws {SpoiltError} where a message of one cell kept an MTA of one thread from the others: which of them hung, nobody knows */
  private async requireUnblocked(began: number, cell: string): Promise<void> {
    const { definition, setup, tracker } = this
    if (definition.oneThread !== true) return
    const others = tracker.others(cell)
    const blocked = tracker.wasBlockedSince(began, cell) || (others > 0 && !(await greets(setup.address, setup.port)))
    if (!blocked) return
    const whose = 'and a run of this one alone shows whether it is its doing'
    throw new SpoiltError(`${definition.name} was blocked by one of ${others + 1} cells in hand, ${whose}`)
  }

  async forget(id: string): Promise<void> {
    this.tracker.leave(id)
    await this.unlessEnded(() => this.mta.remove?.(id))
  }

  /** What is asked of an MTA that dies over it is in vain, and no trouble. */
  private async unlessEnded(ask: () => Promise<void> | undefined): Promise<void> {
    if (this.tracker.ended !== undefined) return
    try {
      await ask()
    } catch (error) {
      if (!(await this.hasEnded(DYING_MS))) throw error
    }
  }

  async stop(): Promise<void> {
    this.submission.close()
    await this.root.close()
  }
}

/** Milliseconds within which an MTA that is not blocked says something to whoever connects. */
const GREETING_MS = 3_000

function greets(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const end = (greeted: boolean): void => {
      socket.destroy()
      resolve(greeted)
    }
    socket.setTimeout(GREETING_MS, () => end(false))
    socket.once('data', () => end(true))
    socket.once('error', () => end(false))
  })
}

async function untilReady(definition: MtaDefinition, { daemon }: Mta, tracker: Tracker): Promise<void> {
  if (daemon === undefined) return
  const end = (how: string): void => tracker.died(`${definition.name} ${how}`)
  daemon.process.on('error', (error) => end(`could not be started: ${error.message}`))
  daemon.process.on('exit', (code, signal) => end(`ended by itself (${signal ?? `status ${code}`})`))
  for (const stream of [daemon.process.stdout, daemon.process.stderr])
    if (stream !== null) createInterface({ input: stream }).on('line', (line) => tracker.line(line))
  const trouble = await tracker.seen(daemon.ready, START_MS)
  if (trouble === undefined) await daemon.listening
  if (trouble !== undefined)
    throw new LabError(
      'client-start',
      `${trouble}; its log ends with\n${tracker.lastWords().join('\n')}`,
      `\`npx badmx lab shell ${definition.id}\` opens a shell in its root`,
    )
}
