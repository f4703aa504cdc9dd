/**
 * Listening sockets. One listener may serve many peers, told apart by the local address of a connection: in a lab a single
 * one on port 25 serves every mail host; on loopback a peer usually has one of its own, on a port that the system chooses.
 *
 * What always holds: nothing beyond loopback without `allowRemote`; after `close` nothing listens and no connection is left.
 */
import { createServer, isIPv6, type Server, type Socket } from 'node:net'
import type { SocketAddress } from './events.ts'

/** The address or port cannot be used. `code` is for programs, the message for people. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
  readonly code: 'port-in-use' | 'not-loopback' | 'listen'

  constructor(code: ListenError['code'], message: string) {
    super(message)
    this.code = code
  }
}

export interface ListenOptions {
  /** An IP address; default 127.0.0.1. */
  readonly address?: string
  /** Default 0: the system chooses. */
  readonly port?: number
  /** Peers are weak on purpose: they answer beyond loopback only when told so. */
  readonly allowRemote?: boolean
}

/** Takes a connection; ends it when `close` is called on what it returns. */
export interface Host {
  accept(socket: Socket): void
  /** Ends every connection that it has. */
  close(): void
}

/** At most so many connections at once; more are refused by the system's queue. */
const MOST_CONNECTIONS = 20_000

export class Listener {
  private readonly server: Server
  private readonly hosts = new Map<string, Host>()
  private fallback: Host | undefined
  readonly address: SocketAddress

  private constructor(server: Server, address: SocketAddress) {
    this.server = server
    this.address = address
    server.on('connection', (socket) => this.dispatch(socket))
  }

  /**
   * Listens.
   *
   * @throws {ListenError} when the port is taken, the address is not this machine's, or it is not loopback.
   */
  static async open(options: ListenOptions = {}): Promise<Listener> {
    const host = options.address ?? '127.0.0.1'
    const port = options.port ?? 0
    if (options.allowRemote !== true) requireLoopback(host)
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: false, noDelay: true })
    server.maxConnections = MOST_CONNECTIONS
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)))
      server.listen({ host, port, backlog: 1024 }, resolve)
    })
    const bound = server.address()
    if (bound === null || typeof bound === 'string') throw new ListenError('listen', `${host} has no port`)
    return new Listener(server, { address: bound.address, port: bound.port })
  }

  /** Connections to this local address go to `host`; without an address, all that no other host takes. */
  serve(host: Host, localAddress?: string): void {
    if (localAddress === undefined) this.fallback = host
    else this.hosts.set(canonical(localAddress), host)
  }

  /** The host takes no more connections; those that it has are its own to end. */
  leave(host: Host): void {
    for (const [address, each] of this.hosts) if (each === host) this.hosts.delete(address)
    if (this.fallback === host) this.fallback = undefined
  }

  /** Stops listening and ends every connection. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()))
    for (const host of [...this.hosts.values(), this.fallback]) host?.close()
    await closed
  }

  private dispatch(socket: Socket): void {
    const host =
      (this.hosts.size === 0 ? undefined : this.hosts.get(canonical(socket.localAddress ?? ''))) ?? this.fallback
    if (host === undefined) socket.resetAndDestroy()
    else host.accept(socket)
  }
}

/** 127.0.0.0/8 and ::1 (RFC 1122 §3.2.1.3, RFC 4291 §2.5.3). */
export function isLoopback(address: string): boolean {
  const plain = canonical(address)
  return plain === '::1' || /^127(\.\d{1,3}){3}$/.test(plain)
}

/** An IPv4 address that a dual-stack socket shows as ::ffff:a.b.c.d is that IPv4 address (RFC 4291 §2.5.5.2). */
export function canonical(address: string): string {
  // The pattern behind isIPv6 is long, and takes longer to compile than all else here.
  return address.includes(':') && isIPv6(address) ? address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '') : address
}

/** @throws {ListenError} for any other address. */
export function requireLoopback(host: string): void {
  if (isLoopback(host)) return
  throw new ListenError(
    'not-loopback',
    `${host} is not a loopback address: badmx is weak on purpose, and listens there only with --allow-remote`,
  )
}

/** Says what kept the system from listening, and what to do about it. */
export function listenError(error: NodeJS.ErrnoException, host: string, port: number): ListenError {
  const where = `${host} port ${port}`
  if (error.code === 'EADDRINUSE')
    return new ListenError(
      'port-in-use',
      `${where} is in use by another program: choose another port, or 0 for any free one`,
    )
  if (error.code === 'EACCES')
    return new ListenError('listen', `${where} is not open to this user: ports below 1024 need root`)
  if (error.code === 'EADDRNOTAVAIL') return new ListenError('listen', `${host} is not an address of this machine`)
  return new ListenError('listen', `cannot listen on ${where}: ${error.message}`)
}
