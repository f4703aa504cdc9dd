/**
 * A client that is an MTA: one instance in a lab takes the messages of all its cells, DNS leads each to its own hosts, and
 * the settings by domain give each its policy. What the MTAs differ in is an {@link MtaDefinition}; what they share
 * (submission, the log, attempts and their ends) is here.
 *
 * An attempt is over when the MTA says so in its log; what happened in it the peers tell.
 */
import type { ChildProcess } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type {
  ClientAdapter,
  ClientStage,
  ClientWord,
  Delivery,
  PolicySupport,
  RunningClient,
} from '../../../scenarios/client.ts'
import type { Policy } from '../../../scenarios/policy.ts'
import { insideLab, labContents } from '../../lab/enter.ts'
import type { Layer } from '../../lab/layer.ts'
import { LAB_NETWORK } from '../../lab/network.ts'
import { DEFAULT_RELEASE, type LayerSpec, layerName, layerSpec } from '../../lab/packages.ts'
import { type ClientRoot, openRoot } from '../../lab/root.ts'
import { policySupport } from '../environment.ts'
import { LabError } from '../process.ts'
import { Submission } from './submission.ts'
import { type LogReader, Tracker } from './tracker.ts'

/** Where in the client's root the test CA stands, and nothing else that it trusts. */
export const CA_FILE = '/etc/ssl/certs/ca-certificates.crt'

/** What an MTA is given when it starts. */
export interface MtaSetup {
  readonly root: ClientRoot
  readonly stage: ClientStage
  /** Where it has to take messages. */
  readonly address: string
  readonly port: number
  /** As {@link MtaDefinition.version} finds it. */
  readonly version: string
  /** The last lines of its log. */
  said(): readonly string[]
}

/** An MTA that runs. */
export interface Mta {
  /** Its standard output and error are a part of its log, what it tells the system log is the rest. */
  readonly process: ChildProcess
  /** Matches the line of its log after which it takes messages. */
  readonly ready: RegExp
  /** Its settings, as a maintainer reads them. */
  readonly configuration: string
  /** Starts an attempt with a message in the queue. */
  retry(id: string): Promise<void>
  /** Takes a message out of the queue. Absent where none of its own schedule comes during a run. */
  remove?(id: string): Promise<void>
}

export interface MtaDefinition {
  readonly id: string
  readonly name: string
  readonly policies: Readonly<Record<Policy, PolicySupport>>
  readonly documented: ClientAdapter['documented']
  readonly passwords: boolean
  /** The first group is the queue's id in the reply to a submission. */
  readonly queuedAs: RegExp
  /** Milliseconds that a message must be old before the MTA takes another way with it, at a time scale. */
  agesAfterMs(timeScale: number): number
  /** What the program in the root says of its version. */
  version(root: ClientRoot): Promise<string>
  start(setup: MtaSetup): Promise<Mta>
  reader(): LogReader
}

export interface LabClient extends ClientAdapter {
  readonly inLab: true
  readonly layer: LayerSpec
  /** The same client of another release of the distribution, `postfix@trixie`. */
  at(release: LayerSpec['release']): LabClient
}

export function isLabClient(client: ClientAdapter): client is LabClient {
  return client.inLab === true
}

/** The adapter of an MTA, as the distribution's usual release has it. */
export function mtaClient(definition: MtaDefinition): LabClient {
  return ofRelease(definition, DEFAULT_RELEASE, definition.id)
}

function ofRelease(definition: MtaDefinition, release: LayerSpec['release'], id: string): LabClient {
  const { name, policies, documented, passwords } = definition
  const layer = layerSpec(`${definition.id}@${release}`)
  return {
    id,
    name,
    kind: 'queue',
    ...{ policies, documented, passwords, layer },
    namesPeers: true,
    inLab: true,
    at: (other) => ofRelease(definition, other, `${definition.id}@${other}`),
    probe: async () => {
      const built = layerInLab(layer)
      return built === undefined
        ? { found: false, install: `\`npx badmx lab build ${layerName(layer)}\` builds it` }
        : { found: true, version: built.version, release: `${release}, package ${built.version}` }
    },
    start: async (stage) => {
      const built = layerInLab(layer)
      if (stage === undefined || built === undefined)
        throw new LabError('client-start', `${name} runs in a lab`, '`npx badmx run` enters one by itself')
      return RunningMta.start(definition, stage, built)
    },
  }
}

/** The layer of the lab that this is in. */
function layerInLab({ client, release }: LayerSpec): Layer | undefined {
  if (!insideLab()) return undefined
  return labContents().layers.find(({ spec }) => spec.client === client && spec.release === release)
}

/** Each MTA of a lab takes messages at a loopback port of its own, in the order of their start. */
const SUBMISSION_ADDRESS = '127.0.0.1'
let lastPort = 10_024
/** Milliseconds within which an MTA has to be ready. */
const START_MS = 20_000

class RunningMta implements RunningClient {
  readonly version: string
  readonly configuration: string
  private readonly definition: MtaDefinition
  private readonly mta: Mta
  private readonly root: ClientRoot
  private readonly tracker: Tracker
  private readonly submission: Submission
  /** Queue's id and time of submission of each message. */
  private readonly queued = new WeakMap<Delivery, { readonly id: string; readonly at: number }>()

  private constructor(
    definition: MtaDefinition,
    version: string,
    mta: Mta,
    root: ClientRoot,
    tracker: Tracker,
    submission: Submission,
  ) {
    this.version = version
    this.definition = definition
    this.mta = mta
    this.root = root
    this.tracker = tracker
    this.submission = submission
    this.configuration = mta.configuration
  }

  static async start(definition: MtaDefinition, stage: ClientStage, layer: Layer): Promise<RunningMta> {
    lastPort += 1
    const [address, port] = [SUBMISSION_ADDRESS, lastPort]
    const tracker = new Tracker(definition.reader())
    const root = await openRoot(layer, {
      resolvers: [LAB_NETWORK.resolver4],
      ca: await readFile(stage.caFile, 'utf8'),
      onLog: (line) => tracker.line(line),
      ...(stage.overlay === undefined ? {} : { overlay: stage.overlay }),
    })
    try {
      const version = await definition.version(root)
      const setup = { root, stage, address, port, version, said: () => tracker.lastWords() }
      const mta = await definition.start(setup)
      await untilReady(definition, mta, tracker)
      return new RunningMta(definition, version, mta, root, tracker, new Submission(address, port))
    } catch (error) {
      await root.close()
      throw error
    }
  }

  async deliver(delivery: Delivery, signal: AbortSignal): Promise<ClientWord> {
    const support = policySupport(this.definition, delivery.policy)
    if ('unsupported' in support) return { state: 'unsupported', log: [], reason: support.unsupported }
    const response = await this.submission.send(delivery, delivery.message)
    const id = this.definition.queuedAs.exec(response)?.[1]
    if (id === undefined) throw new Error(`${this.definition.name} took the message and named no queue id: ${response}`)
    this.queued.set(delivery, { id, at: performance.now() })
    this.tracker.follow([id, ...delivery.hosts.map(({ address }) => address)])
    return this.tracker.outcome(id, delivery.deadlineMs, signal)
  }

  agesInMs(delivery: Delivery): number {
    const message = this.queued.get(delivery)
    if (message === undefined) return 0
    return this.definition.agesAfterMs(delivery.timeScale) - (performance.now() - message.at)
  }

  async retry(delivery: Delivery, signal: AbortSignal): Promise<ClientWord> {
    const message = this.queued.get(delivery)
    if (message === undefined) throw new Error('the message was never submitted')
    await this.mta.retry(message.id)
    return this.tracker.outcome(message.id, delivery.deadlineMs, signal)
  }

  async forget(delivery: Delivery): Promise<void> {
    const message = this.queued.get(delivery)
    if (message === undefined) return
    this.tracker.leave(message.id)
    await this.mta.remove?.(message.id)
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
  if (trouble !== undefined)
    throw new LabError(
      'client-start',
      `${definition.name} ${trouble}; its log ends with\n${tracker.lastWords().join('\n')}`,
      `\`npx badmx lab shell ${definition.id}\` opens a shell in its root`,
    )
}

/**
 * What is added to each limit of an MTA that the scale divides, in milliseconds: its processes, those of other MTAs and the
 * peers share a machine, and a limit of three seconds would judge that machine.
 */
const SLACK_MS = 8_000

/** A limit of the client, given in seconds, divided by the time scale: whole seconds, and less than half of the deadline. */
export function scaledLimit(seconds: number, { timeScale, deadlineMs }: ClientStage): number {
  const scaled = Math.min((seconds * 1000) / timeScale + SLACK_MS, seconds * 1000, deadlineMs * 0.4)
  return Math.max(1, Math.floor(scaled / 1000))
}
