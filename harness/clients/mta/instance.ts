/** One MTA that runs in a root of its own, and the messages that it has been given. */
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import type { ClientStage, ClientWord, Delivery } from '../../../scenarios/client.ts'
import type { Layer } from '../../lab/layer.ts'
import { LAB_NETWORK } from '../../lab/network.ts'
import { type ClientRoot, openRoot } from '../../lab/root.ts'
import { LabError } from '../../process/program.ts'
import { type Mta, type MtaDefinition, type MtaSetup, START_MS } from './definition.ts'
import { Submission } from './submission.ts'
import { Tracker } from './tracker.ts'

/** How often a message is handed to an MTA that dies of others. */
const SUBMISSIONS = 3

/** Each MTA of a lab takes messages at a loopback port of its own, in the order of their start. */
const SUBMISSION_ADDRESS = '127.0.0.1'
let lastPort = 10_024

export class Instance {
  readonly root: ClientRoot
  readonly tracker: Tracker
  readonly version: string
  private readonly definition: MtaDefinition
  private readonly setup: MtaSetup
  private readonly submission: Submission
  private running: Mta
  private starting: Promise<void> | undefined

  private constructor(definition: MtaDefinition, setup: MtaSetup, mta: Mta, tracker: Tracker) {
    this.definition = definition
    this.setup = setup
    this.root = setup.root
    this.version = setup.version
    this.running = mta
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

  get mta(): Mta {
    return this.running
  }

  /** An MTA that has ended by itself is started again, as the machine's init would. */
  private async alive(): Promise<void> {
    if (this.tracker.ended === undefined && this.starting === undefined) return
    this.starting ??= this.startAgain().finally(() => {
      this.starting = undefined
    })
    await this.starting
  }

  private async startAgain(): Promise<void> {
    const { definition, setup, tracker } = this
    tracker.startsAgain()
    this.running = await definition.start(setup)
    await untilReady(definition, this.running, tracker)
  }

  /** Starts another attempt with a message in the queue. */
  async retry(id: string): Promise<void> {
    await this.alive()
    await this.mta.retry(id)
  }

  /** Hands a message over; resolves with the queue's id. */
  async submit(delivery: Delivery): Promise<string> {
    const id = await this.handOver(delivery, SUBMISSIONS)
    this.tracker.follow([id, ...delivery.hosts.flatMap(({ name, address }) => [name, address])])
    return id
  }

  private async handOver(delivery: Delivery, tries: number): Promise<string> {
    await this.alive()
    try {
      return await (this.mta.submit?.(delivery) ?? this.submitBySmtp(delivery))
    } catch (error) {
      // nodemailer has a code of its own
      const isRefused = error instanceof Error && error.message.includes('ECONNREFUSED')
      if (!isRefused || tries <= 1) throw error
      // Nobody listens, and nothing was taken: one of its processes has ended, and the others are about to.
      if (this.starting === undefined) await this.tracker.end(START_MS)
      return this.handOver(delivery, tries - 1)
    }
  }

  private async submitBySmtp(delivery: Delivery): Promise<string> {
    const { name, queuedAs } = this.definition
    const response = await this.submission.send(delivery, delivery.message)
    const id = queuedAs?.exec(response)?.[1]
    if (id === undefined) throw new Error(`${name} took the message and named no queue id: ${response}`)
    return id
  }

  async outcome(id: string, deadlineMs: number, signal: AbortSignal): Promise<ClientWord> {
    const began = performance.now()
    const word = await this.tracker.outcome(id, deadlineMs, signal)
    if (word.state === 'queued') await this.mta.rest?.(id)
    if (word.state === 'hung' && !signal.aborted) await this.requireUnblocked(began)
    return word
  }

  /** @throws where one of several messages kept an MTA of one thread from the others: which of them hung, nobody knows */
  private async requireUnblocked(began: number): Promise<void> {
    const { definition, setup, tracker } = this
    if (definition.oneThread !== true) return
    const others = tracker.others()
    const blocked = tracker.wasBlockedSince(began) || (others > 0 && !(await greets(setup.address, setup.port)))
    if (!blocked) return
    const alone = 'a run of this cell alone shows whether it is this one'
    throw new Error(`${definition.name} was blocked by one message while it had ${others + 1} in hand: ${alone}`)
  }

  async forget(id: string): Promise<void> {
    this.tracker.leave(id)
    await this.mta.remove?.(id)
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
