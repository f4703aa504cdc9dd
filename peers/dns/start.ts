/**
 * Starts the DNS of a run: the name servers of an internet, and a resolver for its clients. One function starts all of it,
 * one call ends it.
 */
import type { EventSink, SocketAddress } from '../events.ts'
import { Authority } from './authority.ts'
import type { Internet } from './internet.ts'
import { Resolver } from './resolver.ts'
import { type DnsPort, openDnsPort } from './sockets.ts'

export interface DnsOptions {
  readonly internet: Internet
  /** Where clients ask; default 127.0.0.1 port 53. Port 0: one that is free. None for an empty list. */
  readonly resolver?: readonly SocketAddress[]
  /** Set to have the name servers listen at their addresses, all on this port. Without it they are asked in process. */
  readonly authority?: { readonly port: number }
  /** Addresses beyond loopback may be listened on. */
  readonly allowRemote?: boolean
  readonly log?: EventSink
  /** Milliseconds since the run began, monotonic; default since now. */
  readonly now?: () => number
  /** Delays and time limits are divided by it; default 1. */
  readonly timeScale?: number
}

export interface Dns {
  /** Where the resolver listens, in the order in which it was asked to. */
  readonly resolver: readonly SocketAddress[]
  /** Where the name servers listen. */
  readonly authority: readonly SocketAddress[]
  /** Ends everything; resolves when no socket and no timer is left. May be called again. */
  close(): Promise<void>
}

const RESOLVER: readonly SocketAddress[] = [{ address: '127.0.0.1', port: 53 }]

/**
 * @throws {ListenError} when a port is taken or an address is not this machine's; then nothing listens.
 */
export async function startDns(options: DnsOptions): Promise<Dns> {
  const { internet, timeScale = 1, log = () => {}, now = sinceNow() } = options
  const authority = new Authority({ internet, log, now, timeScale })
  const resolver = new Resolver({ internet, authority, log, now, timeScale })
  const ports: DnsPort[] = []
  let closed: Promise<unknown> | undefined
  const close = async (): Promise<void> => {
    resolver.close()
    authority.close()
    closed ??= Promise.all(ports.map((port) => port.close()))
    await closed
  }
  const open = async (at: SocketAddress, who: Authority | Resolver): Promise<SocketAddress> => {
    const allowRemote = options.allowRemote ?? false
    const port = await openDnsPort({ ...at, allowRemote }, (octets, local, from, transport, reply) =>
      who.receive(octets, local, from, transport, reply),
    )
    ports.push(port)
    return port.local
  }
  try {
    const bound: SocketAddress[] = []
    for (const at of options.resolver ?? RESOLVER) bound.push(await open(at, resolver))
    const servers: SocketAddress[] = []
    for (const address of options.authority === undefined ? [] : internet.addresses)
      servers.push(await open({ address, port: options.authority?.port ?? 0 }, authority))
    return { resolver: bound, authority: servers, close }
  } catch (error) {
    await close()
    throw error
  }
}

function sinceNow(): () => number {
  const start = performance.now()
  return () => performance.now() - start
}
