/**
 * A client that is an MTA: one instance in a lab takes the messages of all its cells, DNS leads each to its own hosts, and
 * the settings by domain give each its policy. What the MTAs differ in is an {@link MtaDefinition}; what they share
 * (submission, the log, attempts and their ends) is in this folder.
 *
 * An attempt is over when the MTA says so in its log; what happened in it the peers tell. Cells that leave a message to the
 * MTA's own schedule go to a second instance, of which no time is configured and whose clock is moved.
 *
 * A cell lives with one instance. An MTA that ends by itself takes with it all that it had, in hand or in its queue, and the
 * next one starts with nothing: what was the doing of another's message says nothing of this one.
 */
import type {
  ClientAdapter,
  ClientStage,
  ClientWord,
  Delivery,
  Foreseen,
  RunningClient,
} from '../../../scenarios/client.ts'
import { insideLab, labContents } from '../../lab/enter.ts'
import type { Layer } from '../../lab/layer.ts'
import { DEFAULT_RELEASE, type LayerSpec, layerName, layerSpec } from '../../lab/packages.ts'
import { LabError } from '../../process/program.ts'
import { policySupport } from '../environment.ts'
import type { Counter, Line } from './counter.ts'
import { Counters } from './counters.ts'
import type { MtaDefinition } from './definition.ts'
import type { Instance } from './instance.ts'

/** RFC 1035 section 4.1.1. */
const NO_ERROR = 0

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
  const { name, policies, documented, passwords, exceptions } = definition
  const layer = layerSpec(`${definition.id}@${release}`)
  return {
    id,
    name,
    kind: 'queue',
    ...{ policies, documented, passwords, layer },
    ...(exceptions === undefined ? {} : { exceptions }),
    namesPeers: true,
    inLab: true,
    at: (other) => ofRelease(definition, other, `${definition.id}@${other}`),
    probe: async () => {
      const built = layerInLab(layer)
      return built === undefined
        ? { found: false, install: `\`npx badmx lab build ${layerName(layer)}\` builds it` }
        : { found: true, version: built.version, release }
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

/** How often a message is handed to an MTA that dies of others before it has taken it. */
const SUBMISSIONS = 3

/** A message in the queue of an instance. */
interface Queued extends Line {
  readonly id: string
  /** When it was submitted, of this process's clock, in milliseconds. */
  readonly at: number
}

class RunningMta implements RunningClient {
  readonly version: string
  readonly configuration: string
  private readonly definition: MtaDefinition
  private readonly stage: ClientStage
  private readonly layer: Layer
  private readonly counters: Counters
  private readonly policies: ReadonlyMap<string, string>
  private readonly queued = new WeakMap<Delivery, Queued>()
  /** The instance that each cell lives with. */
  private readonly homes = new Map<string, Instance>()

  private constructor(
    definition: MtaDefinition,
    stage: ClientStage,
    layer: Layer,
    counters: Counters,
    { version, mta }: Instance,
  ) {
    this.definition = definition
    this.stage = stage
    this.layer = layer
    this.counters = counters
    this.version = version
    const { client, packages, release } = layer.spec
    this.configuration = `# ${packages[0] ?? client} ${layer.version} of ${release}\n${mta.configuration}`
    this.policies = new Map(stage.foreseen.map(({ cell, policy }) => [cell, policy]))
  }

  /** One instance is started at once, so that an MTA that does not start is told before the first cell. */
  static async start(definition: MtaDefinition, stage: ClientStage, layer: Layer): Promise<RunningMta> {
    const counters = new Counters(definition, stage, layer)
    const { instance } = await counters.usual.next()
    return new RunningMta(definition, stage, layer, counters, instance)
  }

  /** With an instance and a queue of its own. */
  alone(foreseen: Foreseen): Promise<RunningClient> {
    return RunningMta.start(this.definition, { ...this.stage, foreseen: [foreseen] }, this.layer)
  }

  async deliver(delivery: Delivery, signal: AbortSignal): Promise<ClientWord> {
    const support = policySupport(this.definition, delivery.policy)
    if ('unsupported' in support) return { state: 'unsupported', log: [], reason: support.unsupported }
    const cannot = this.cannot(delivery) ?? (await this.withoutHost(delivery))
    if (cannot !== undefined) return { state: 'unsupported', log: [], reason: cannot }
    if (this.policies.get(delivery.cell) !== delivery.policy) {
      const reason = 'it keeps the policy of a domain in its files, and cannot change it from one message to the next'
      return { state: 'unsupported', log: [], reason }
    }
    if (this.counters.lacksClock(delivery.cell)) {
      const reason = `no fast clock: badmx does not move that of ${this.definition.name}`
      return { state: 'unsupported', log: [], reason }
    }
    const word = await this.submit(delivery, this.counters.of(delivery.cell))
    return word ?? this.outcome(delivery, signal)
  }

  /** Resolves with a word where it ended over that. @throws {SpoiltError} where it ended over another */
  private async submit(delivery: Delivery, counter: Counter): Promise<ClientWord | undefined> {
    const { cell } = delivery
    for (let tries = SUBMISSIONS; tries > 0; tries -= 1) {
      const home = this.homes.get(cell)?.tracker
      // It throws where that end was not the doing of this cell; a machine's init starts the MTA again after one that was.
      if (home?.ended !== undefined) home.crash(cell)
      const line = await counter.next()
      const taken = await line.instance.submit(delivery)
      if (taken === 'refused') continue
      this.homes.set(cell, line.instance)
      if ('word' in taken) return taken.word
      this.queued.set(delivery, { ...line, id: taken.id, at: performance.now() })
      line.schedule?.add(taken.id)
      return undefined
    }
    throw new Error(`${this.definition.name} ended before it took the message, ${SUBMISSIONS} times`)
  }

  /** Settings of a cell that this MTA is not given. */
  private cannot({ ciphers, clientCertificate }: Delivery): string | undefined {
    const { name, presentsCertificates } = this.definition
    if (ciphers !== undefined)
      return `the scenario sets the cipher suites of the client, and badmx sets none for ${name}`
    if (clientCertificate !== undefined && presentsCertificates === false)
      return `badmx gives ${name} no client certificate`
    return undefined
  }

  /**
   * A domain whose MX record set cannot be had, or that takes no mail (RFC 7505): a client of a smart host is not asked to find
   * that out, and its deliveries there say nothing.
   */
  private async withoutHost({ to: [recipient = ''], ask }: Delivery): Promise<string | undefined> {
    const { name, smartHost } = this.definition
    if (smartHost !== true || ask === undefined) return undefined
    const { rcode, records } = await ask(recipient.replace(/^.*@/, ''), 'MX')
    const none = records.some(({ type, data }) => type === 'MX' && /^\d+ \.$/.test(data))
    return none || rcode !== NO_ERROR
      ? `${name} is told its hosts and looks up no MX record: what DNS says of this domain it does not see`
      : undefined
  }

  agesInMs(delivery: Delivery): number {
    return this.definition.agesAfterMs(delivery.timeScale) - (performance.now() - this.of(delivery).at)
  }

  async retry(delivery: Delivery, signal: AbortSignal): Promise<ClientWord> {
    const { instance, id } = this.of(delivery)
    await instance.retry(id, delivery)
    return this.outcome(delivery, signal)
  }

  private async outcome(delivery: Delivery, signal: AbortSignal): Promise<ClientWord> {
    const { instance, id } = this.of(delivery)
    const word = await instance.outcome(id, delivery.deadlineMs, signal)
    const { fixedLimits } = this.definition
    return fixedLimits === undefined ? word : { ...word, limits: fixedLimits }
  }

  async wait(delivery: Delivery, horizonSeconds: number, signal: AbortSignal): Promise<ClientWord> {
    const { id, schedule } = this.of(delivery)
    if (schedule === undefined) throw new Error('the message is not left alone')
    return schedule.next(id, delivery.cell, horizonSeconds, signal)
  }

  async forget(delivery: Delivery): Promise<void> {
    const message = this.queued.get(delivery)
    if (message === undefined) return
    message.schedule?.leave(message.id)
    await message.instance.forget(message.id)
  }

  private of(delivery: Delivery): Queued {
    const message = this.queued.get(delivery)
    if (message === undefined) throw new Error('the message was never submitted')
    return message
  }

  async stop(): Promise<void> {
    await this.counters.stop()
  }
}
