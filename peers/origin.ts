/**
 * The sound server behind every peer: `smtp-server`, in process, over a Duplex. MAIL, RCPT, DATA, AUTH, sizes and
 * dot-stuffing are its; STARTTLS, TLS and the EHLO keywords are ours, for they are what is under test.
 *
 * Nothing here listens. Its 100 ms wait for early talkers and its reverse look-up are left out: the one is a behaviour, the
 * other would leave the machine.
 */
import { Duplex } from 'node:stream'
import { SMTPServer } from 'smtp-server'
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js'

/** One session with the real server of a connection, wherever that is. */
export interface OriginSession {
  /** Octets of the client. smtp-server reads them at once: nothing piles up. */
  write(octets: Buffer): void
  /** The client will send no more. */
  end(): void
  /** TLS is up at the client's end: forget the session so far (RFC 3207 §4.2). */
  secured(): void
  destroy(): void
}

export interface OriginHandlers {
  /** The addresses of the client's connection. */
  readonly remote: Remote
  data(octets: Buffer): void
  end(): void
}

export interface OriginOptions {
  /** The name in the banner and the EHLO reply. */
  readonly hostName: string
  /** AUTH is accepted in clear too; else it is refused with 538 (RFC 4954 §6). */
  readonly authInClear: boolean
}

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

export interface Remote {
  readonly localAddress: string
  readonly localPort: number
  readonly remoteAddress: string
  readonly remotePort: number
}

/**
 * Opens a session; the banner comes at once, before this returns. smtp-server itself, which costs more memory than all the
 * rest of an idle connection, is only set up when the client says something.
 */
export function openOrigin(options: OriginOptions, handlers: OriginHandlers): OriginSession {
  const session = new LazySession(options, handlers)
  handlers.data(Buffer.from(`220 ${options.hostName} ESMTP\r\n`))
  return session
}

class LazySession implements OriginSession {
  private readonly options: OriginOptions
  private readonly handlers: OriginHandlers
  private opened: Opened | undefined
  private over = false

  constructor(options: OriginOptions, handlers: OriginHandlers) {
    this.options = options
    this.handlers = handlers
  }

  write(octets: Buffer): void {
    this.reached()?.pipe.give(octets)
  }

  end(): void {
    this.reached()?.pipe.give(null)
  }

  secured(): void {
    const state = this.reached()?.state
    if (state === undefined) return
    state.secure = true
    state.session.secure = true
    state.session.user = undefined
    state.hostNameAppearsAs = false
    state.openingCommand = false
    state._resetSession()
  }

  destroy(): void {
    this.over = true
    this.opened?.pipe.destroy()
  }

  private reached(): Opened | undefined {
    if (!this.over) this.opened ??= connect(this.options, this.handlers)
    return this.opened
  }
}

interface Opened {
  readonly pipe: Pipe
  readonly state: ConnectionState
}

function connect({ authInClear, hostName }: OriginOptions, handlers: OriginHandlers): Opened {
  const server = serverFor(authInClear)
  const pipe = new Pipe(handlers)
  sessions += 1
  const connection = new Connection(
    server as never,
    pipe as never,
    { id: String(sessions), ...handlers.remote } as never,
  )
  const state = connection as unknown as ConnectionState
  state.name = hostName
  server.connections.add(connection as never)
  connection.on('error', () => {})
  pipe.on('error', () => {})
  connection.init()
  return { pipe, state }
}
