/**
 * `smtp-server`, in process, over a Duplex: the sessions of the sound server that {@link openOrigin} has.
 *
 * Nothing here listens. Its 100 ms wait for early talkers and its reverse look-up are left out: the one is a behaviour, the
 * other would leave the machine.
 */
import { Duplex } from 'node:stream'
import { SMTPServer } from 'smtp-server'
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js'
import type { OriginHandlers, OriginOptions } from './origin.ts'

/** What smtp-server keeps on its connections that has to be set when TLS starts in front of it. */
interface ConnectionState {
  secure: boolean
  session: { secure: boolean; user?: unknown }
  hostNameAppearsAs: unknown
  openingCommand: unknown
  name: string
  _resetSession(): void
}

class Connection extends SMTPConnection {
  private greeted = false

  override init(): void {
    super.init()
    this.connectionReady()
  }

  override connectionReady(): void {
    if (this.greeted) return
    this.greeted = true
    super.connectionReady()
  }

  /** The banner has been sent already; from here on it takes commands. */
  override _sendGreeting(): void {
    ;(this as unknown as { readonly _socket: Pipe })._socket.open()
  }
}

/** The near end of the pipe to smtp-server: what it writes comes out at the handlers. */
class Pipe extends Duplex {
  /** smtp-server drops replies silently on anything that is not open. */
  readonly readyState = 'open'
  private readonly handlers: OriginHandlers
  /** What came before smtp-server was ready: it turns early talkers away. */
  private early: (Buffer | null)[] | undefined = []

  constructor(handlers: OriginHandlers) {
    super({ decodeStrings: true, allowHalfOpen: false })
    this.handlers = handlers
  }

  /** The client's octets, or null for its end. */
  give(octets: Buffer | null): void {
    if (this.early === undefined) this.push(octets)
    else this.early.push(octets)
  }

  /** smtp-server reads from now on. */
  open(): void {
    const early = this.early ?? []
    this.early = undefined
    for (const octets of early) this.push(octets)
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.handlers.data(chunk)
    done()
  }

  override _final(done: (error?: Error | null) => void): void {
    this.handlers.end()
    done()
  }

  setTimeout(): this {
    return this
  }
}

/** One smtp-server for each set of options: making one costs 1.3 ms, for a TLS context that is never used. */
const servers = new Map<boolean, SMTPServer>()
let sessions = 0

function serverFor(authInClear: boolean): SMTPServer {
  const known = servers.get(authInClear)
  if (known !== undefined) return known
  const server = new SMTPServer({
    // Else each connection asks the system for its own; the peer's name is set below.
    name: 'peer',
    disableReverseLookup: true,
    authOptional: true,
    allowInsecureAuth: authInClear,
    authMethods: ['PLAIN', 'LOGIN', 'CRAM-MD5', 'XOAUTH2'],
    hideSTARTTLS: true,
    hideENHANCEDSTATUSCODES: false,
    heloResponse: '%s',
    logger: false,
    socketTimeout: 2 ** 31 - 1,
    onAuth: (auth, _session, done) => done(null, { user: auth.username ?? 'user' }),
    onData(stream, _session, done) {
      stream.on('end', () => done(null))
      stream.resume()
    },
    maxAllowedUnauthenticatedCommands: false,
  } as ConstructorParameters<typeof SMTPServer>[0])
  server.on('error', () => {})
  servers.set(authInClear, server)
  return server
}

/** One session. */
export class SoundSession {
  private readonly pipe: Pipe
  private readonly state: ConnectionState

  constructor({ authInClear, hostName }: OriginOptions, handlers: OriginHandlers) {
    const server = serverFor(authInClear)
    this.pipe = new Pipe(handlers)
    sessions += 1
    const connection = new Connection(
      server as never,
      this.pipe as never,
      { id: String(sessions), ...handlers.remote } as never,
    )
    this.state = connection as unknown as ConnectionState
    this.state.name = hostName
    server.connections.add(connection as never)
    connection.on('error', () => {})
    this.pipe.on('error', () => {})
    connection.init()
  }

  /** The client's octets, or null for its end. */
  give(octets: Buffer | null): void {
    this.pipe.give(octets)
  }

  /** See {@link OriginSession.secured}. */
  secured(): void {
    const { state } = this
    state.secure = true
    state.session.secure = true
    state.session.user = undefined
    state.hostNameAppearsAs = false
    state.openingCommand = false
    state._resetSession()
  }

  destroy(): void {
    this.pipe.destroy()
  }
}
