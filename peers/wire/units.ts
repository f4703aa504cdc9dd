/**
 * The vocabulary of the wire: what travels between the layers of a stack, and what a layer may ask for.
 *
 * A connection is a row of layers between two ends, the client's (index 0 is nearest to it) and the server's:
 *
 *     client ⇄ [record plane: bytes under TLS] ⇄ framing and TLS ⇄ layer 0 ⇄ layer 1 ⇄ … ⇄ termination ⇄ server
 *
 * Layers are sans-IO: an event goes in, outputs come out. They hold no socket, timer, clock or randomness of their own;
 * the driver has all of those. Units (commands, content, replies, bytes, eof) are events and outputs alike: a layer lets
 * one pass by returning it, drops it by returning nothing, and speaks for itself by returning one of its own making.
 * A unit has its direction in its type: commands and content go to the server, replies to the client, bytes and eof
 * carry the end that they come from.
 *
 * What always holds:
 * - every command has an id; every reply carries the id of the command that it answers, or null when the server spoke
 *   unasked; id 0 is the connection itself, answered by the banner (RFC 5321 §3.1);
 * - `last` is true on the final reply of a command and false on interim ones (354, 334, pieces of a reply); the
 *   sequencer at the client's end lets no reply overtake the final reply of an earlier command (RFC 2920 §3.2);
 * - a command that nobody answers is ended by an empty final reply ({@link swallow}).
 */

/** The two ends of a connection as a layer sees them. */
export type End = 'client' | 'server'

/** A command line of the client, RFC 5321 §4.1. */
export interface Command {
  readonly type: 'command'
  /** 1 for the first command of a connection, then counting; never reused. */
  readonly id: number
  /** The first word, in upper case; '' for an empty line. */
  readonly verb: string
  /** What follows the verb, without the line end; octets as latin1. */
  readonly argument: string
  /** The line as it was sent, line end included. */
  readonly bytes: Buffer
  /** True when it came inside TLS. */
  readonly secured: boolean
}

/** Octets that the client sends as the body of a command: DATA text, a BDAT chunk, or an AUTH response line. */
export interface Content {
  readonly type: 'content'
  /** The id of the DATA, BDAT or AUTH command. */
  readonly id: number
  readonly of: 'DATA' | 'BDAT' | 'AUTH'
  readonly bytes: Buffer
  /** True on the piece that ends it: the final dot line, the last octet of the chunk, the whole AUTH line. */
  readonly last: boolean
  readonly secured: boolean
}

/** A whole reply of the server (all its lines), or a piece of one that a layer makes, RFC 5321 §4.2. */
export interface Reply {
  readonly type: 'reply'
  readonly id: number | null
  /** The reply code, 0 where the bytes are no reply. */
  readonly code: number
  /** All lines with their line ends, exactly as they go out. */
  readonly bytes: Buffer
  readonly last: boolean
  readonly secured: boolean
  /** TLS starts at the client's end, as server, when these bytes have been sent. A layer that replaces the reply drops it. */
  readonly upgrade?: Upgrade
}

/** Octets of an opaque stream: after a STARTTLS that is passed through, or when framing has been given up. */
export interface Bytes {
  readonly type: 'bytes'
  readonly from: End
  readonly bytes: Buffer
}

/** The end `from` will send no more (FIN, or close_notify inside TLS). */
export interface Eof {
  readonly type: 'eof'
  readonly from: End
}

/** Anything that travels. */
export type Unit = Command | Content | Reply | Bytes | Eof

/** What TLS is to be like at an end where badmx terminates it. */
export interface Upgrade {
  /** Names an entry of the driver's TLS contexts; the driver owns keys and certificates. */
  readonly context: string
  /**
   * What is done with octets that the client sent between STARTTLS and the 220 (RFC 3207 §4.2 wants them discarded):
   * `drop` discards, `handshake` lets TLS read them, `commands` reads them as commands after TLS (CVE-2011-0411).
   */
  readonly residue: 'drop' | 'handshake' | 'commands'
}

/** The driver tells every layer once, when the connection stands; outer layers first. */
export interface Open {
  readonly type: 'open'
}

/**
 * How a ClientHello offers a session: a pre-shared key (RFC 8446 §4.2.11), a ticket (RFC 5077 §3.2), a session id (RFC 5246
 * §7.4.1.2).
 */
export type SessionOffer = 'psk' | 'ticket' | 'session-id'

/** The state of TLS at one end changed; goes to every layer, outer layers first. */
export interface TlsState {
  readonly type: 'tls'
  readonly end: End
  /** `presented`, at the client's end: the certificate has left, and with it the choice of a full handshake. */
  readonly state: 'hello' | 'presented' | 'up' | 'failed'
  /** For `failed`: what OpenSSL or the socket said. */
  readonly reason?: string
  /** For `hello`: how it offers a session of before, where it does. */
  readonly offer?: SessionOffer
  /** For `up`: the session that was offered goes on; no certificate was shown. */
  readonly resumed?: boolean
  /** For `up` at the client's end. */
  readonly session?: TlsSession
}

/** A TLS session that has come up with a client. */
export interface TlsSession {
  /** As OpenSSL names it: `TLSv1.3`. */
  readonly version: string
  /** The IANA name. */
  readonly cipher: string
  /** What the client presented, DER, leaf first, in the order of the wire; empty for none. */
  readonly clientChain: readonly Buffer[]
  /** server_application_traffic_secret_0 of TLS 1.3 (RFC 8446 §7.1): what is written under it, a layer can write too. */
  readonly serverSecret?: Buffer
}

/** An alarm that the layer itself asked for. */
export interface WakeUp {
  readonly type: 'wake'
  readonly alarm: string
}

export type WireEvent = Unit | Open | TlsState | WakeUp

/** Start TLS as client at the server's end (interception). The client's end starts with {@link Reply.upgrade}. */
export interface StartTls {
  readonly type: 'start-tls'
  readonly end: 'server'
  /** The name that goes into SNI; none where absent. */
  readonly serverName?: string
}

/** The origin is told that its session is now inside TLS and starts afresh (RFC 3207 §4.2). */
export interface Secure {
  readonly type: 'secure'
}

/** Hold what the client sends after the command just seen, until its reply has gone out: TLS will be terminated here. */
export interface Hold {
  readonly type: 'hold'
}

/** From now on the client's octets are no longer framed into commands: they come as {@link Bytes}. */
export interface Opaque {
  readonly type: 'opaque'
}

/** End the connection at one end. What was sent before goes out first. `fin` inside TLS sends close_notify first. */
export interface Close {
  readonly type: 'close'
  readonly end: End
  readonly how: 'fin' | 'rst'
  /** Inside TLS, with `fin`: send no close_notify (a truncation, RFC 8446 §6.1). */
  readonly withoutNotify?: boolean
  /** Inside TLS: end TLS with close_notify but keep the TCP connection, and go on in clear. */
  readonly keepTcp?: boolean
}

/** Ask for a {@link WakeUp} after `afterMs` milliseconds. */
export interface Wake {
  readonly type: 'wake-me'
  readonly alarm: string
  /** Milliseconds, 0 or more. */
  readonly afterMs: number
  /** `scaled` is divided by the run's timeScale; `wall` is real time, for windows that watch a client's reaction. */
  readonly clock: 'scaled' | 'wall'
  /** Ring only when the client's end has taken what was sent before: a sender without end never outruns its reader. */
  readonly drained?: true
}

/** Read nothing of the client any more: its octets stay in the kernel, and in time its TCP window is zero. */
export interface StopReading {
  readonly type: 'stop-reading'
}

/**
 * The layer answers the ClientHello itself, in reply to {@link TlsState} `hello`: no TLS is started at the client's end, and
 * only what layers send follows.
 */
export interface NoTls {
  readonly type: 'no-tls'
}

/** The client gave this behaviour its chance. */
export interface Opportunity {
  readonly type: 'opportunity'
  readonly detail: string
}

/** The behaviour did its thing on the wire. */
export interface Fired {
  readonly type: 'fired'
  readonly detail: string
  /** The original octets that were replaced or kept back, where there were any, for the ladder. */
  readonly original?: Buffer
}

export type WireOutput =
  | Unit
  | StartTls
  | Secure
  | Hold
  | Opaque
  | Close
  | Wake
  | StopReading
  | NoTls
  | Opportunity
  | Fired

/** A pure state machine. Called with one event at a time, never re-entered. */
export interface Layer {
  on(event: WireEvent): readonly WireOutput[]
}

/** No output: the event is dropped. */
export const NOTHING: readonly WireOutput[] = []

/** The empty final reply that ends a command which nobody answers. */
export function swallow(command: { readonly id: number; readonly secured: boolean }): Reply {
  return { type: 'reply', id: command.id, code: 0, bytes: Buffer.alloc(0), last: true, secured: command.secured }
}

/**
 * A final reply to `command`, made from lines without line ends: `reply(command, 250, 'mx', 'SIZE 10')` is
 * `250-mx CRLF 250 SIZE 10 CRLF`. Octets are latin1.
 */
export function replyTo(
  command: { readonly id: number; readonly secured: boolean },
  code: number,
  ...lines: readonly string[]
): Reply {
  return {
    type: 'reply',
    id: command.id,
    code,
    bytes: Buffer.from(replyText(code, lines), 'latin1'),
    last: true,
    secured: command.secured,
  }
}

/** The text of a reply, every line but the last with a hyphen after its code (RFC 5321 §4.2.1). */
export function replyText(code: number, lines: readonly string[]): string {
  const all = lines.length === 0 ? [''] : lines
  return all.map((line, index) => `${code}${index < all.length - 1 ? '-' : ' '}${line}\r\n`).join('')
}

/** The lines of a reply without their code, separator and line end; octets as latin1. */
export function replyLines(reply: { readonly bytes: Buffer }): string[] {
  const lines = reply.bytes.toString('latin1').split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  return lines.map((line) => line.slice(4))
}
