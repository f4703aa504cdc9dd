/**
 * Starts the DNS of a run: the name servers of an internet, and a resolver for its clients. One function starts all of
 * it, one call ends it.
 */
import type { EventSink, SocketAddress } from '../events.ts'
import { Authority } from './authority.ts'
import type { Internet } from './internet.ts'
import { decodeMessage, encodeMessage, type Message, queryFor } from './message.ts'
import { parseName, ROOT } from './name.ts'
import { TYPE, type TypeName } from './numbers.ts'
import { Resolver } from './resolver/resolver.ts'
import { type DnsPort, openDnsPort } from './sockets.ts'
import { publicAddress } from './zone-tree.ts'

export interface DnsOptions {
  readonly internet: Internet
  /** Where clients ask; default 127.0.0.1 port 53. Port 0: one that is free. None for an empty list. */
  readonly resolver?: readonly SocketAddress[]
  /** Set to have the name servers listen at their addresses, all on this port. Without it they are asked in process. */
  readonly authority?: { readonly port: number }
  /**
   * One port for both, in the place of the name servers' own: a query that desires recursion (RD, RFC 1035 §4.1.1), as a
   * stub's or a forwarder's, is the resolver's; any other, as a recursive resolver's, is for the name server of the zone
   * that is nearest to its name. The name servers of the internet are to be at this address.
   */
  readonly onePort?: SocketAddress
  /** Addresses beyond loopback may be listened on. */
  readonly allowRemote?: boolean
  readonly log?: EventSink
  /** Milliseconds since the run began, monotonic; default since now. */
  readonly now?: () => number
  /** Seconds since 1970, against which signatures are checked; default the system's. */
  readonly clock?: () => number
  /** Delays and time limits are divided by it; default 1. */
  readonly timeScale?: number
}

export interface Dns {
  /** Where the resolver listens, in the order in which it was asked to. */
  readonly resolver: readonly SocketAddress[]
  /** Where the name servers listen. */
  readonly authority: readonly SocketAddress[]
  /** Where both listen, where that was asked for. */
  readonly onePort: SocketAddress | undefined
  /** What the resolver answers to a client in this process. Never settles when the resolver is closed meanwhile. */
  ask(name: string, type: TypeName): Promise<Message>
  /** Ends everything; resolves when no socket and no timer is left. May be called again. */
  close(): Promise<void>
}

/** Where queries in process come from: no socket has port 0. */
const IN_PROCESS: SocketAddress = { address: '127.0.0.1', port: 0 }

const RESOLVER: readonly SocketAddress[] = [{ address: '127.0.0.1', port: 53 }]

/**
 * @throws {ListenError} when a port is taken or an address is not this machine's; then nothing listens.
 */
export async function startDns(options: DnsOptions): Promise<Dns> {
  const { internet, timeScale = 1, log, now = sinceNow() } = options
  const authority = new Authority({ internet, log, now, timeScale })
  const root = () => internet.zoneFor({ name: ROOT, type: TYPE.SOA })
  const resolver = new Resolver({
    internet,
    send: (query, address, transport, reply) =>
      authority.receive(query, { address, port: 0 }, IN_PROCESS, transport, reply),
    hints: () => root()?.servers.map(publicAddress) ?? [],
    anchor: () => root()?.signer?.ds,
    log,
    now,
    seconds: options.clock ?? (() => Date.now() / 1000),
    timeScale,
  })
  const unwatch = internet.watch(({ apex }) => resolver.forget(apex))
  const ports: DnsPort[] = []
  let closed: Promise<unknown> | undefined
  const close = async (): Promise<void> => {
    unwatch()
    resolver.close()
    authority.close()
    closed ??= Promise.all(ports.map((port) => port.close()))
    await closed
  }
  const open = async (at: SocketAddress, whose: (octets: Buffer) => Authority | Resolver): Promise<SocketAddress> => {
    const allowRemote = options.allowRemote ?? false
    const port = await openDnsPort({ ...at, allowRemote }, (octets, local, from, transport, reply) =>
      whose(octets).receive(octets, local, from, transport, reply),
    )
    ports.push(port)
    return port.local
  }
  try {
    const bound: SocketAddress[] = []
    for (const at of options.resolver ?? RESOLVER) bound.push(await open(at, () => resolver))
    const servers: SocketAddress[] = []
    for (const address of options.authority === undefined ? [] : internet.addresses)
      servers.push(await open({ address, port: options.authority?.port ?? 0 }, () => authority))
    const onePort =
      options.onePort && (await open(options.onePort, (octets) => (desiresRecursion(octets) ? resolver : authority)))
    const ask = (name: string, type: TypeName): Promise<Message> => {
      const query = queryFor(parseName(name), TYPE[type], { rd: true, ad: true, edns: {} })
      const receive = (reply: (octets: Buffer | 'close') => void): void =>
        resolver.receive(encodeMessage(query), IN_PROCESS, IN_PROCESS, 'tcp', reply)
      return new Promise((resolve) => receive((octets) => octets !== 'close' && resolve(decodeMessage(octets))))
    }
    return { resolver: bound, authority: servers, onePort, ask, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** The bit RD. What is too short for a header has none. */
function desiresRecursion(octets: Buffer): boolean {
  return octets.length > 2 && (octets.readUInt8(2) & 0x01) !== 0
}

function sinceNow(): () => number {
  const start = performance.now()
  return () => performance.now() - start
}
