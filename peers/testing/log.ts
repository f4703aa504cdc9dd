/** For the tests of the driver: an event log that can be asked, and certificates. */
import { type Authority, createAuthority } from '../certificates/authority.ts'
import type { BytesCrossed, ConnClosed, PeerEvent } from '../events.ts'
import type { Certificate } from '../peer.ts'

type OfType<Type extends PeerEvent['type']> = Extract<PeerEvent, { type: Type }>

export class Log {
  readonly events: PeerEvent[] = []
  private readonly waiting: { matches: (event: PeerEvent) => boolean; found: (event: PeerEvent) => void }[] = []

  readonly sink = (event: PeerEvent): void => {
    this.events.push(event)
    for (const each of [...this.waiting]) {
      if (!each.matches(event)) continue
      this.waiting.splice(this.waiting.indexOf(each), 1)
      each.found(event)
    }
  }

  of<Type extends PeerEvent['type']>(type: Type): OfType<Type>[] {
    return this.events.filter((event): event is OfType<Type> => event.type === type)
  }

  /** The first event that matches, which may be still to come. */
  when(matches: (event: PeerEvent) => boolean): Promise<PeerEvent> {
    const known = this.events.find(matches)
    return known !== undefined ? Promise.resolve(known) : new Promise((found) => this.waiting.push({ matches, found }))
  }

  /** All octets of one direction that the log has, in order; of all layers where none is named. */
  octets(side: BytesCrossed['side'], direction: BytesCrossed['direction'], ...layers: BytesCrossed['layer'][]): Buffer {
    const events = this.of('bytes').filter((event) => event.side === side && event.direction === direction)
    return Buffer.concat(
      events.filter(({ layer }) => layers.length === 0 || layers.includes(layer)).map(({ data }) => data),
    )
  }

  /** `client fin`, once the first connection (or `conn`) has closed. */
  async ending(conn?: string): Promise<string> {
    const event = await this.when(
      (each) => each.type === 'conn' && each.state === 'closed' && (conn ?? each.conn) === each.conn,
    )
    const { by, how } = event as ConnClosed
    return `${by} ${how}`
  }

  /** `opportunity hide-starttls`, `fired …`, in order. */
  proofs(): string[] {
    return this.events.flatMap((event) =>
      event.type === 'opportunity' || event.type === 'fired' ? [`${event.type} ${event.behaviour}`] : [],
    )
  }

  /** The states of TLS at the client's end, in order, secrets apart. */
  tls(): string[] {
    return this.of('tls').flatMap((event) => (event.side === 'client' && event.state !== 'secret' ? [event.state] : []))
  }
}

export const NAMES = { host: 'mx.badmx.test', domain: 'badmx.test' }

let made: Authority | undefined

/** One authority for a test file; its certificates are valid at the time of the run. */
export function authority(): Authority {
  made ??= createAuthority({ now: new Date(), seed: 1 })
  return made
}

export function certificate(fault = 'good'): Promise<Certificate> {
  return authority().issue(fault, NAMES)
}
