/**
 * What the runner needs of a world with names and addresses of its own, which a lab has: each mail host at an address of
 * its own on the well-known port, and a zone for the domain of each cell. Implemented in `harness/lab/`. Without one,
 * peers get a port each on loopback, and only a client that is pointed at host and port can be run.
 */
import type { ListenOptions } from '../peers/listener.ts'
import type { MailHost } from './client.ts'

/** Where a host is to listen. */
export type Place = Required<ListenOptions>

export interface Internet {
  /** An address that no other host of the run has. */
  place(family: 'ipv4' | 'ipv6', port: 25 | 465): Place
  /** Makes the zone of a cell's domain, or changes it. */
  publish(cell: string, domain: string, hosts: readonly MailHost[]): void
  /**
   * The delivery status notification (RFC 3464) that came back to an envelope sender: its whole content. Undefined when
   * none comes within `limitMs`.
   */
  notice(sender: string, limitMs: number, signal: AbortSignal): Promise<Buffer | undefined>
}
