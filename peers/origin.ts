/**
 * The sound server behind every peer: `smtp-server`, in process, over a Duplex. MAIL, RCPT, DATA, AUTH, sizes and
 * dot-stuffing are its; STARTTLS, TLS and the EHLO keywords are ours, for they are what is under test.
 *
 * It is loaded when the first banner has left, or before, where somebody asks for it: to load it takes longer than all that a
 * banner needs. What clients say until then is kept, in order.
 */
import type { SoundSession } from './sound-server.ts'

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

export interface Remote {
  readonly localAddress: string
  readonly localPort: number
  readonly remoteAddress: string
  readonly remotePort: number
}

let soundServer: typeof import('./sound-server.ts') | undefined
let loading: Promise<void> | undefined

/** Loads smtp-server, once. From then on it answers without delay. */
export function loadOrigin(): Promise<void> {
  loading ??= import('./sound-server.ts').then((module) => {
    soundServer = module
  })
  return loading
}

/**
 * Opens a session; the banner comes at once, before this returns. smtp-server itself, which costs more memory than all the
 * rest of an idle connection, is only set up when the client says something.
 */
export function openOrigin(options: OriginOptions, handlers: OriginHandlers): OriginSession {
  const session = new LazySession(options, handlers)
  handlers.data(Buffer.from(`220 ${options.hostName} ESMTP\r\n`))
  void loadOrigin()
  return session
}

class LazySession implements OriginSession {
  private readonly options: OriginOptions
  private readonly handlers: OriginHandlers
  private opened: SoundSession | undefined
  /** What came before smtp-server was loaded. */
  private early: ((session: SoundSession) => void)[] | undefined
  private over = false

  constructor(options: OriginOptions, handlers: OriginHandlers) {
    this.options = options
    this.handlers = handlers
  }

  write(octets: Buffer): void {
    this.reach((session) => session.give(octets))
  }

  end(): void {
    this.reach((session) => session.give(null))
  }

  secured(): void {
    this.reach((session) => session.secured())
  }

  destroy(): void {
    this.over = true
    this.opened?.destroy()
  }

  private reach(what: (session: SoundSession) => void): void {
    if (this.early !== undefined) this.early.push(what)
    else if (soundServer !== undefined) this.pass(what, soundServer)
    else {
      this.early = [what]
      void loadOrigin().then(() => this.catchUp())
    }
  }

  private catchUp(): void {
    const early = this.early ?? []
    this.early = undefined
    for (const what of early) this.reach(what)
  }

  private pass(what: (session: SoundSession) => void, { SoundSession }: typeof import('./sound-server.ts')): void {
    if (this.over) return
    this.opened ??= new SoundSession(this.options, this.handlers)
    what(this.opened)
  }
}
