/** What an MTA is to badmx: one object per client file, {@link ./mta.ts} makes the adapter of it. */
import type { ChildProcess } from 'node:child_process'
import type { ClientAdapter, ClientStage, Delivery, OwnLimits, PolicySupport } from '../../../scenarios/client.ts'
import type { Policy } from '../../../scenarios/policy.ts'
import type { ClientRoot } from '../../lab/root.ts'
import type { LogReader } from './tracker.ts'

/** Where in the client's root the test CA stands, and nothing else that it trusts. */
export const CA_FILE = '/etc/ssl/certs/ca-certificates.crt'

/** Milliseconds within which an MTA has to be ready, and to have taken a message. */
export const START_MS = 20_000

/** What an MTA is given when it starts. */
export interface MtaSetup {
  readonly root: ClientRoot
  /** `foreseen` has the cells of this instance only. */
  readonly stage: ClientStage
  /**
   * `scaled`: its time limits are divided by the time scale, and its own schedule is out of the way. `untouched`: nothing of
   * its times is configured, and the clock of its root is moved.
   */
  readonly times: 'scaled' | 'untouched'
  /** Where it has to take messages. */
  readonly address: string
  readonly port: number
  /** As {@link MtaDefinition.version} finds it. */
  readonly version: string
  /** The last lines of its log. */
  said(): readonly string[]
  /** Takes a line of its log that comes neither from {@link Mta.daemon} nor from the system log. */
  hear(line: string): void
  /** Resolves with the next line of its log that matches; rejects when there was none after {@link START_MS}. */
  heard(pattern: RegExp): Promise<RegExpExecArray>
}

/** An MTA that runs. */
export interface Mta {
  /** What runs as long as the MTA does; absent where each message has a process of its own. */
  readonly daemon?: {
    /** Its standard output and error are a part of its log, what it tells the system log is the rest. */
    readonly process: ChildProcess
    /** Matches the line of its log after which it takes messages. */
    readonly ready: RegExp
    /** Resolves when it takes messages, or has ended, where that may be later than its line {@link ready}. */
    readonly listening?: Promise<void>
  }
  /** Its settings, as a maintainer reads them. */
  readonly configuration: string
  /** Takes a message in its own way and resolves with the queue's id. Absent where it is done by SMTP. */
  submit?(delivery: Delivery): Promise<string>
  /** Starts an attempt with a message in the queue, for a domain whose mail hosts have these addresses. */
  retry(id: string, addresses: readonly string[]): Promise<void>
  /**
   * An attempt with a message has ended, says the log, and it stays in the queue; resolves when another can be asked for. Absent
   * where that is at once, and where none of the MTA's own schedule comes before.
   */
  rest?(id: string): Promise<void>
  /** Takes a message out of the queue. Absent where none of its own schedule comes during a run. */
  remove?(id: string): Promise<void>
  /** With untouched times: has it look at its queue, now that its clock was moved; resolves when all attempts are over. */
  lookAtQueue?(): Promise<void>
  /** Its log has told all of these attempts by then; else it is waited for until it is quiet. */
  readonly looksAreTold?: true
  /** With untouched times: resolves when an attempt is over for its queue too, where that is later than in its log. */
  beforeClockMoves?(): Promise<void>
}

export interface MtaDefinition {
  readonly id: string
  readonly name: string
  readonly policies: Readonly<Record<Policy, PolicySupport>>
  readonly documented: ClientAdapter['documented']
  readonly passwords: boolean
  readonly exceptions?: ClientAdapter['exceptions']
  /** False where it cannot be given a client certificate; scenarios about one are then unsupported. */
  readonly presentsCertificates?: false
  /** True where it is told its hosts and looks up nothing of the recipient's domain; a domain without any is then unsupported. */
  readonly smartHost?: true
  /** The first group is the queue's id in the reply to a submission. Absent where messages come in another way. */
  readonly queuedAs?: RegExp
  /** Milliseconds that a message must be old before the MTA takes another way with it, at a time scale. */
  agesAfterMs(timeScale: number): number
  /**
   * Seconds after which an untouched configuration looks at its queue again: a moved clock goes on in such steps. Absent
   * where its clock cannot be moved.
   */
  readonly looksEverySeconds?: number
  /** True where it is known to end, or to stand still, over what a peer does: see `counters.ts`. */
  readonly fragile?: true
  /** True where one thread has all messages: one of them can keep it from the others, and they look hung. */
  readonly oneThread?: true
  /** Its limits, where none can be set: most are over only after the harness has ended it, and what it would have done nobody knows. */
  readonly fixedLimits?: OwnLimits
  /** What the program in the root says of its version. */
  version(root: ClientRoot): Promise<string>
  start(setup: MtaSetup): Promise<Mta>
  reader(): LogReader
}

/** The policy of each domain: that of its cell, but `may` where the operator has switched DANE off for it. */
export function policiesByDomain(foreseen: ClientStage['foreseen']): readonly (readonly [domain: string, Policy])[] {
  const policies = new Map<string, Policy>(foreseen.map(({ domain, policy }) => [domain, policy]))
  for (const { withoutDane } of foreseen) if (withoutDane !== undefined) policies.set(withoutDane, 'may')
  return [...policies]
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
