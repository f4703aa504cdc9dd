/** What a run is asked to do, and what it is given for it. */
import type { ClientChain } from '../peers/certificates/authority.ts'
import type { RunningClient } from './client.ts'
import type { CellEnded, LogEvent } from './events.ts'
import type { HostIssuer } from './host-tls.ts'
import type { Internet } from './internet.ts'
import type { Plan, PlannedCell } from './plan.ts'

/** What the runner needs of a certificate authority. */
export interface Issuer extends HostIssuer {
  readonly rootPem: string
  readonly rootDer: Buffer
  clientChain(id: string): Promise<ClientChain>
}

export interface RunRequest {
  readonly plan: Plan
  /** Started clients by id. */
  readonly clients: ReadonlyMap<string, RunningClient>
  readonly issuer: Issuer
  readonly log: (event: LogEvent) => void
  /** Milliseconds since the run began, monotonic. */
  readonly now: () => number
  /** The run's date: certificates are made and judged relative to it. */
  readonly clock: Date
  /** PEM file of the issuer's root, for clients that read one. */
  readonly caFile: string
  /** An existing folder for files of the deliveries. */
  readonly folder: string
  /** Record the TLS records too, so that captures can be made of the log. */
  readonly capture?: boolean
  /** Names and addresses of its own for every host; without it, peers get a port each on loopback. */
  readonly internet?: Internet
  /** What `badmx run --resolver` says, where it is not the default; the line that reproduces a cell of a lab has it. */
  readonly resolver?: string
  /** Cells at once, 1 or more; those of clients with a queue have limits of their own. */
  readonly jobs: number
  readonly signal: AbortSignal
  /** Told of a cell that is to be tried again, alone, once all others have been begun. */
  readonly again?: (cell: PlannedCell) => void
  /** Told when a cell is over, once for each. */
  readonly progress?: (cell: PlannedCell, status: CellEnded['status']) => void
}

/** The wall clock, as the run has it. */
export function present({ clock, now }: Pick<RunRequest, 'clock' | 'now'>): Date {
  return new Date(clock.getTime() + now())
}
