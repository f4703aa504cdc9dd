/**
 * Watches the replies to DATA, AUTH and STARTTLS as they reach the client, and tells the framer what its next octets are:
 * content after 354 and 334 (RFC 5321 §4.1.1.4, RFC 4954 §4), something opaque after a 220 to a STARTTLS that nobody
 * terminates here (RFC 3207 §4), else the next command. What reached the client decides, not what the server said. Pure.
 */
import { type CommandFramer, ReplyParser } from './framing.ts'
import type { Reply } from './units.ts'

interface Watched {
  readonly verb: string
  readonly parser: ReplyParser
  seen: boolean
}

export class ReplyWatch {
  private readonly framer: CommandFramer
  /** Made with the first command that is watched. */
  private watched: Map<number, Watched> | undefined

  constructor(framer: CommandFramer) {
    this.framer = framer
  }

  /** A command has been framed. */
  command(id: number, verb: string, secured: boolean): void {
    if (verb === 'DATA' || verb === 'AUTH' || (verb === 'STARTTLS' && !secured)) {
      this.watched ??= new Map()
      this.watched.set(id, { verb, parser: new ReplyParser(), seen: false })
    }
  }

  /** The verb of a watched command that has not been answered for good. */
  verb(id: number): string | undefined {
    return this.watched?.get(id)?.verb
  }

  /** A reply, or a piece of one, has been sent. */
  sent({ id, bytes, last, upgrade }: Reply): void {
    const watched = id === null ? undefined : this.watched?.get(id)
    if (id === null || watched === undefined) return
    for (const { code } of watched.parser.push(bytes)) {
      if (watched.verb === 'STARTTLS') {
        if (!watched.seen && code === 220 && upgrade === undefined) this.framer.goOpaque()
        watched.seen = true
      } else this.framer.settle(code)
    }
    if (!last) return
    this.watched?.delete(id)
    this.framer.settle(0)
  }

  /** Forgets all commands: the session starts afresh inside TLS. */
  reset(): void {
    this.watched = undefined
  }
}
