/** One MTA that runs in a root of its own, and the messages that it has been given. */
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { ClientStage, ClientWord, Delivery } from '../../../scenarios/client.ts'
import type { Layer } from '../../lab/layer.ts'
import { LAB_NETWORK } from '../../lab/network.ts'
import { type ClientRoot, openRoot } from '../../lab/root.ts'
import { LabError } from '../process.ts'
import type { Mta, MtaDefinition, MtaSetup } from './definition.ts'
import { Submission } from './submission.ts'
import { Tracker } from './tracker.ts'

/** Each MTA of a lab takes messages at a loopback port of its own, in the order of their start. */
const SUBMISSION_ADDRESS = '127.0.0.1'
let lastPort = 10_024
/** Milliseconds within which an MTA has to be ready. */
const START_MS = 20_000

export class Instance {
  readonly root: ClientRoot
  readonly tracker: Tracker
  readonly mta: Mta
  readonly version: string
  private readonly definition: MtaDefinition
  private readonly submission: Submission

  private constructor(definition: MtaDefinition, setup: MtaSetup, mta: Mta, tracker: Tracker) {
    this.definition = definition
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
      const setup: MtaSetup = { root, stage, times, ...where, version, said: () => tracker.lastWords() }
      const mta = await definition.start(setup)
      await untilReady(definition, mta, tracker)
      return new Instance(definition, setup, mta, tracker)
    } catch (error) {
      await root.close()
      throw error
    }
  }

  /** Hands a message over; resolves with the queue's id. */
  async submit(delivery: Delivery): Promise<string> {
    const id = await (this.mta.submit?.(delivery) ?? this.submitBySmtp(delivery))
    this.tracker.follow([id, ...delivery.hosts.flatMap(({ name, address }) => [name, address])])
    return id
  }

  private async submitBySmtp(delivery: Delivery): Promise<string> {
    const { name, queuedAs } = this.definition
    const response = await this.submission.send(delivery, delivery.message)
    const id = queuedAs.exec(response)?.[1]
    if (id === undefined) throw new Error(`${name} took the message and named no queue id: ${response}`)
    return id
  }

  outcome(id: string, deadlineMs: number, signal: AbortSignal): Promise<ClientWord> {
    return this.tracker.outcome(id, deadlineMs, signal)
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

async function untilReady(definition: MtaDefinition, mta: Mta, tracker: Tracker): Promise<void> {
  const end = (how: string): void => tracker.died(`${definition.name} ${how}`)
  mta.process.on('error', (error) => end(`could not be started: ${error.message}`))
  mta.process.on('exit', (code, signal) => end(`ended by itself (${signal ?? `status ${code}`})`))
  for (const stream of [mta.process.stdout, mta.process.stderr])
    if (stream !== null) createInterface({ input: stream }).on('line', (line) => tracker.line(line))
  const trouble = await tracker.seen(mta.ready, START_MS)
  if (trouble === undefined) await mta.listening
  if (trouble !== undefined)
    throw new LabError(
      'client-start',
      `${trouble}; its log ends with\n${tracker.lastWords().join('\n')}`,
      `\`npx badmx lab shell ${definition.id}\` opens a shell in its root`,
    )
}
