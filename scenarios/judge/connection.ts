/**
 * One connection of the client under test as judging sees it: its transcript, its TLS, what was offered on it, and the mail
 * transactions made on it. Pure.
 */
import type { ConnClosed, ConnOpened, PeerEvent, TlsFailed, TlsHello, TlsPresented, TlsUp } from '../../peers/events.ts'
import { replyLines } from '../../peers/wire/units.ts'
import {
  type CommandEntry,
  type ContentEntry,
  type Entry,
  type Layer,
  type Placed,
  type ReplyEntry,
  readTranscript,
} from './transcript.ts'

export interface Connection {
  readonly conn: string
  readonly host: string
  readonly opened: Placed<ConnOpened>
  readonly closed?: Placed<ConnClosed>
  /** Side client. */
  readonly entries: readonly Entry[]
  readonly commands: readonly CommandEntry[]
  readonly replies: readonly ReplyEntry[]
  readonly hellos: readonly Placed<TlsHello>[]
  readonly presented: readonly Placed<TlsPresented>[]
  readonly ups: readonly Placed<TlsUp>[]
  readonly failures: readonly Placed<TlsFailed>[]
  readonly transactions: readonly Transaction[]
  /** TLS records crossed in both directions that nobody here terminated: what was in them is not known. */
  readonly opaque: boolean
}

/** From MAIL to the reply that ends it, RFC 5321 §3.3. */
export interface Transaction {
  readonly conn: string
  readonly layer: Layer
  readonly mail: CommandEntry
  readonly recipients: readonly CommandEntry[]
  /** Recipients that were answered 2xx. */
  readonly accepted: readonly CommandEntry[]
  readonly content: readonly ContentEntry[]
  /** The 2xx that followed the whole content. */
  readonly acceptedBy?: ReplyEntry
}

/** Makes connections of the events of a cell, in order of opening. */
export function readConnections(events: readonly Placed<PeerEvent>[]): Connection[] {
  const byConn = new Map<string, Placed<PeerEvent>[]>()
  for (const placed of events) {
    const { event } = placed
    if (!('conn' in event) || event.conn === undefined) continue
    const known = byConn.get(event.conn)
    if (known === undefined) byConn.set(event.conn, [placed])
    else known.push(placed)
  }
  const connections: Connection[] = []
  for (const own of byConn.values()) {
    const connection = readConnection(own)
    if (connection !== undefined) connections.push(connection)
  }
  return connections.sort((a, b) => a.opened.seq - b.opened.seq)
}

function readConnection(events: readonly Placed<PeerEvent>[]): Connection | undefined {
  let opened: Placed<ConnOpened> | undefined
  let closed: Placed<ConnClosed> | undefined
  const hellos: Placed<TlsHello>[] = []
  const presented: Placed<TlsPresented>[] = []
  const ups: Placed<TlsUp>[] = []
  const failures: Placed<TlsFailed>[] = []
  for (const { event, seq } of events) {
    if (event.type === 'conn') {
      if (event.state === 'open') opened = { event, seq }
      else closed = { event, seq }
    } else if (event.type === 'tls' && event.side === 'client') {
      if (event.state === 'hello') hellos.push({ event, seq })
      else if (event.state === 'presented') presented.push({ event, seq })
      else if (event.state === 'up') ups.push({ event, seq })
      else if (event.state === 'failed') failures.push({ event, seq })
    }
  }
  if (opened === undefined) return undefined
  const entries = readTranscript(events, 'client')
  const records = entries.filter((entry) => entry.kind === 'bytes' && entry.what === 'tls-records')
  return {
    conn: opened.event.conn,
    host: opened.event.host,
    opened,
    ...(closed === undefined ? {} : { closed }),
    entries,
    commands: entries.filter((entry) => entry.kind === 'command'),
    replies: entries.filter((entry) => entry.kind === 'reply'),
    hellos,
    presented,
    ups,
    failures,
    transactions: readTransactions(entries),
    opaque:
      records.some((entry) => entry.from === 'client') &&
      records.some((entry) => entry.from === 'peer') &&
      ups.length === 0,
  }
}

interface Building {
  readonly layer: Layer
  readonly mail: CommandEntry
  readonly recipients: CommandEntry[]
  readonly content: ContentEntry[]
}

function readTransactions(entries: readonly Entry[]): Transaction[] {
  const transactions: Transaction[] = []
  const finals = new Map<number, ReplyEntry>()
  for (const entry of entries) {
    if (entry.kind === 'reply' && entry.answers !== null && !entry.interim) finals.set(entry.answers, entry)
  }
  let open: Building | undefined
  /** BDAT 0 LAST has no content entry of its own. */
  let chunks: number[] = []
  const end = (): void => {
    if (open === undefined) return
    const acceptedBy = open.content
      .map(({ id }) => finals.get(id))
      .concat(chunks.map((id) => finals.get(id)))
      .find((reply) => reply?.accepts === true)
    const accepted = open.recipients.filter(({ id }) => positive(finals.get(id)?.code))
    transactions.push({ ...open, conn: open.mail.conn, accepted, ...(acceptedBy === undefined ? {} : { acceptedBy }) })
    open = undefined
    chunks = []
  }
  for (const entry of entries) {
    if (entry.kind === 'command') {
      if (entry.verb === 'MAIL') {
        end()
        open = { layer: entry.layer, mail: entry, recipients: [], content: [] }
      } else if (entry.verb === 'RCPT') open?.recipients.push(entry)
      else if (entry.verb === 'BDAT') chunks.push(entry.id)
      else if (ENDS_TRANSACTION.has(entry.verb)) end()
    } else if (entry.kind === 'content' && entry.of !== 'AUTH') open?.content.push(entry)
    else if (entry.kind === 'tls' && (entry.state === 'up' || entry.state === 'closed')) end()
  }
  end()
  return transactions
}

const ENDS_TRANSACTION: ReadonlySet<string> = new Set(['EHLO', 'HELO', 'LHLO', 'RSET', 'STARTTLS'])

function positive(code: number | undefined): boolean {
  return code !== undefined && code >= 200 && code < 300
}

/** The final reply to a command, whenever it came. */
export function replyFor(connection: Connection, command: CommandEntry): ReplyEntry | undefined {
  return connection.replies.find((reply) => reply.answers === command.id && !reply.interim)
}

/** A reply to EHLO and the service extensions that it offers, RFC 5321 §4.1.1.1. */
export interface Offer {
  readonly command: CommandEntry
  readonly reply: ReplyEntry
  /** Keyword in upper case, and its parameters. */
  readonly keywords: ReadonlyMap<string, readonly string[]>
}

/** The offers of a connection in one layer, in order: positive replies to EHLO (or LHLO). */
export function offersIn(connection: Connection, layer: Layer): Offer[] {
  const offers: Offer[] = []
  for (const command of connection.commands) {
    if (command.layer !== layer || (command.verb !== 'EHLO' && command.verb !== 'LHLO')) continue
    const reply = replyFor(connection, command)
    if (reply !== undefined && reply.code === 250) offers.push({ command, reply, keywords: keywordsOf(reply) })
  }
  return offers
}

/** Keywords by the grammar: after the first line, letters, digits and hyphens, then a space or the end. */
function keywordsOf(reply: ReplyEntry): Map<string, readonly string[]> {
  const keywords = new Map<string, readonly string[]>()
  for (const line of replyLines(reply).slice(1)) {
    if (!/^[A-Za-z0-9][A-Za-z0-9-]*( [!-~]+)*$/.test(line)) continue
    const [keyword = '', ...parameters] = line.split(' ')
    keywords.set(keyword.toUpperCase(), parameters)
  }
  return keywords
}

/** What the client could know when it sent `entry`: the last offer in its layer before it. */
export function offerBefore(
  connection: Connection,
  entry: { readonly layer: Layer; readonly seq: number },
): Offer | undefined {
  return offersIn(connection, entry.layer).findLast(({ reply }) => reply.seq < entry.seq)
}

/** The reply 220 to STARTTLS in clear, after which RFC 3207 §4 allows nothing but TLS. */
export function goAhead(connection: Connection): ReplyEntry | undefined {
  const asked = connection.commands.filter(({ verb, layer }) => verb === 'STARTTLS' && layer === 'clear')
  for (const command of asked) {
    const reply = replyFor(connection, command)
    if (reply?.code === 220) return reply
  }
  return undefined
}

/** The client tried to start TLS here: by the verb, or by a ClientHello. */
export function triedTls(connection: Connection): boolean {
  return (
    connection.hellos.some(({ event }) => event.hello.format !== 'none') ||
    connection.ups.length > 0 ||
    connection.commands.some(({ verb }) => verb === 'STARTTLS') ||
    connection.entries.some(
      (entry) => entry.kind === 'bytes' && entry.what === 'tls-records' && entry.from === 'client',
    )
  )
}

/** TLS was offered to the client here, in clear, by a line that the grammar takes for STARTTLS. */
export function offeredTls(connection: Connection): boolean {
  return offersIn(connection, 'clear').some(({ keywords }) => keywords.has('STARTTLS'))
}
