/**
 * What the runner needs of a world with names: zones for the domain of each cell, and in a lab an address of its own for each
 * mail host on the well-known port, and the host that bounces come home to. Implemented in `harness/`. Without addresses
 * peers get a port each on loopback, and only a client that is pointed at host and port can be run.
 */

import type { Zone } from '../peers/dns/zone.ts'
import type { ListenOptions } from '../peers/listener.ts'
import type { Ask } from './client.ts'

/** Where a host is to listen. */
export type Place = Required<ListenOptions>

/** There is no such address where this run is: what wants one cannot be run, and nothing is wrong. */
export class NoPlaceError extends Error {
  override readonly name = 'NoPlaceError'
}

export interface Internet {
  /** An address that no other host of the run has. @throws {NoPlaceError} */
  place?(family: 'ipv4' | 'ipv6', port: 25 | 465): Place
  /** Makes the zones of a cell, or changes them. */
  publish(zones: readonly Zone[]): void
  /** Asks the validating resolver. */
  readonly ask: Ask
  /**
   * The delivery status notification (RFC 3464) that came back to an envelope sender: its whole content. Undefined when
   * none comes within `limitMs`.
   */
  notice?(sender: string, limitMs: number, signal: AbortSignal): Promise<Buffer | undefined>
}
