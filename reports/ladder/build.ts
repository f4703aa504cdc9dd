/**
 * From the event log of one cell and its record to the rows of a ladder. Pure: same log, same ladder.
 */
import { findCanaries } from '../../peers/canary.ts'
import type { BytesCrossed, ConnOpened, ProofEvent } from '../../peers/events.ts'
import type { Canary, CellBegun, ClientSaid, LogEvent } from '../../scenarios/events.ts'
import type { CellRecord, FlagRaised } from '../../scenarios/record.ts'
import { observed } from '../summary.ts'
import { clip, count, visible, visibleOctets } from '../text.ts'
import { Conversation, type Message } from './conversation.ts'
import { connectionText, tlsText } from './describe.ts'
import type { Ladder, LadderRow, Mark, MessageRow, PauseRow, Words } from './rows.ts'

/** Silence of so many milliseconds is told. */
const PAUSE_MS = 1000

/** Lines of a client's log that are shown. */
const LOG_LINES = 20

type Draft = { -readonly [Key in keyof MessageRow]: MessageRow[Key] } & { readonly octets: Buffer; readonly conn: string }
type ProofDraft = Extract<LadderRow, { kind: 'proof' }> & { original: { text: string; gone: boolean }[] }

interface Connection {
  readonly number: number
  readonly client: Conversation
  readonly server: Conversation
  /** A firing whose replacement is expected with the next octets of this connection. */
  fired: ProofDraft | undefined
}

/** Events of other cells are passed over; `events` may be the whole log. */
export function buildLadder(events: Iterable<LogEvent>, cell: CellRecord): Ladder {
  const own = [...events].filter((event) => event.cell === cell.id)
  const begun = own.find((event): event is CellBegun => event.type === 'cell')
  const opened = own.filter((event): event is ConnOpened => event.type === 'conn' && event.state === 'open')
  const story = new Story(cell, begun, own[0]?.t ?? 0)
  for (const event of own) story.tell(event)
  const proxied = opened.some((event) => event.upstream !== undefined)
  const host = visible(begun?.hostNames[opened[0]?.host ?? 'mx'] ?? opened[0]?.host ?? 'peer')
  return {
    ...heading(cell),
    timeScale: begun?.timeScale ?? 1,
    lanes: proxied ? [visible(cell.client), 'man in the middle', 'server'] : [visible(cell.client), host],
    rows: story.end(),
    words: own.filter((event): event is ClientSaid => event.type === 'client').map(words),
  }
}

function heading(cell: CellRecord): Omit<Ladder, 'timeScale' | 'lanes' | 'rows' | 'words'> {
  return {
    id: visible(cell.id),
    scenario: visible(cell.scenario),
    title: visible(cell.title),
    severity: cell.severity,
    policy: cell.policy === cell.judgedAs ? cell.policy : `${cell.policy} (judged as ${cell.judgedAs})`,
    client: visible(cell.client),
    verdict: cell.verdict,
    reason: visible(cell.reason),
    expected: visible(cell.expected),
    ...(cell.clause === undefined ? {} : { clause: visible(cell.clause) }),
    observed: observed(cell),
    findings: [
      ...cell.findings.map((finding) => findingMark(finding)),
      ...cell.asserts
        .filter((assert) => assert.held === false)
        .map((assert) => ({ kind: 'fail' as const, text: visible(`${assert.assert} does not hold: ${assert.detail}`) })),
    ],
    reproduce: visible(cell.reproduce),
  }
}

function findingMark(finding: FlagRaised): Mark {
  return { kind: finding.weight, text: visible(`${finding.flag}: ${finding.detail}`) }
}

function words(event: ClientSaid): Words {
  const { state, kind, exitCode, signal, reason, log } = event.word
  const facts = [
    state,
    ...(kind === undefined ? [] : [kind]),
    ...(exitCode === undefined ? [] : [`exit code ${exitCode}`]),
    ...(signal === undefined ? [] : [`signal ${signal}`]),
  ]
  return {
    attempt: event.attempt,
    state: visible(facts.join(', ')),
    reason: visible(reason),
    log: log.slice(-LOG_LINES).map((line) => clip(visible(line), 400)),
  }
}

/** Collects the rows, in the order of the log. */
class Story {
  private readonly cell: CellRecord
  private readonly canaries: readonly Canary[]
  private readonly origin: number
  private readonly rows: LadderRow[] = []
  private readonly messages: Draft[] = []
  private readonly connections = new Map<string, Connection>()
  private readonly secured = new Map<string, { client: boolean; server: boolean }>()

  constructor(cell: CellRecord, begun: CellBegun | undefined, origin: number) {
    this.cell = cell
    this.canaries = begun?.canaries ?? []
    this.origin = origin
  }

  tell(event: LogEvent): void {
    const at = event.t - this.origin
    switch (event.type) {
      case 'attempt':
        if (event.state === 'begun') this.rows.push({ kind: 'attempt', text: `attempt ${event.attempt}, ${event.cause}`, ...this.place(at, '') })
        break
      case 'conn': {
        if (event.state === 'closed') this.flush(event.conn)
        const text = connectionText(event)
        if (event.state === 'closed') this.secured.delete(event.conn)
        this.rows.push({ kind: 'connection', state: event.state, text, ...this.place(at, event.conn) })
        break
      }
      case 'bytes':
        if (event.layer !== 'cipher') this.crossed(event)
        break
      case 'tls': {
        const span = event.side === 'client' ? 'client' : 'server'
        if (event.state === 'secret') break
        this.flush(event.conn, span)
        if (event.state === 'up' || event.state === 'closed' || event.state === 'failed') this.secure(event.conn, span, event.state === 'up')
        this.rows.push({ kind: 'tls', span, state: event.state, text: tlsText(event), ...this.place(at, event.conn) })
        break
      }
      case 'armed':
      case 'opportunity':
      case 'fired':
        this.proof(event, at)
        break
    }
  }

  /** All rows, sorted, with marks and pauses. */
  end(): LadderRow[] {
    for (const conn of this.connections.keys()) this.flush(conn)
    const { cell } = this
    for (const finding of cell.findings) this.markFinding(finding)
    const messages = new Set<LadderRow>(this.messages)
    const rows = this.rows.map((row) => (messages.has(row) ? finished(row as Draft) : row))
    return withPauses(joined(rows.sort((a, b) => a.at - b.at)))
  }

  private place(at: number, conn: string): Pick<LadderRow, 'at' | 'connection' | 'secured'> {
    const connection = conn === '' ? 0 : this.connection(conn).number
    return { at, connection, secured: this.secured.get(conn) ?? { client: false, server: false } }
  }

  private connection(conn: string): Connection {
    let connection = this.connections.get(conn)
    if (connection === undefined) {
      const number = this.connections.size + 1
      connection = { number, client: new Conversation(), server: new Conversation(), fired: undefined }
      this.connections.set(conn, connection)
    }
    return connection
  }

  private secure(conn: string, span: 'client' | 'server', up: boolean): void {
    this.secured.set(conn, { client: false, server: false, ...this.secured.get(conn), [span]: up })
  }

  private flush(conn: string, only?: 'client' | 'server'): void {
    const connection = this.connection(conn)
    for (const span of ['client', 'server'] as const) {
      if (only !== undefined && only !== span) continue
      for (const message of connection[span].end()) this.message(message, conn, span)
    }
  }

  private crossed(event: BytesCrossed): void {
    const connection = this.connection(event.conn)
    const span = event.side === 'client' ? 'client' : 'server'
    const from = (event.side === 'client') === (event.direction === 'in') ? 'client' : 'server'
    const { fired } = connection
    connection.fired = undefined
    const before = this.messages.length
    for (const message of connection[span].push(event, from)) this.message(message, event.conn, span)
    const replacement = event.direction === 'out' ? this.messages.slice(before).find((row) => row.from === from) : undefined
    if (fired === undefined || replacement === undefined || replacement.from !== authorOf(fired)) return
    replacement.inPlaceBy = fired.behaviour
    const sent = new Set(replacement.lines.map(withoutCode))
    for (const line of fired.original) line.gone = !sent.has(withoutCode(line.text))
  }

  private proof(event: ProofEvent, at: number): void {
    const row: ProofDraft = {
      kind: 'proof',
      state: event.type,
      behaviour: visible(event.behaviour),
      host: visible(event.host),
      detail: visible(event.detail),
      original: event.data === undefined ? [] : abbreviated(event.data, 'reply').map((text) => ({ text, gone: true })),
      ...this.place(at, event.conn ?? ''),
    }
    this.rows.push(row)
    if (event.conn !== undefined && event.type === 'fired' && event.data !== undefined) this.connection(event.conn).fired = row
  }

  private message(message: Message, conn: string, span: 'client' | 'server'): void {
    const { from, tls, form, length, offset, pieces, octets } = message
    const place = this.place(message.at - this.origin, conn)
    const row: Draft = {
      kind: 'message',
      ...place,
      ...{ span, from, tls, form, length, offset, pieces, octets, conn },
      began: message.began - this.origin,
      lines: form === 'opaque' ? [`${count(length, 'octet')} of TLS passed through`] : abbreviated(octets, form, length),
      marks: span === 'client' && from === 'client' && !tls && form !== 'opaque' ? this.canaryMarks(message, conn) : [],
    }
    this.messages.push(row)
    this.rows.push(row)
  }

  private canaryMarks(message: Message, conn: string): Mark[] {
    const found = findCanaries(message.octets, this.canaries).map((hit) => ({
      name: hit.name,
      where: `${hit.form === 'plain' ? '' : ` (${hit.form})`} at octet ${message.offset + hit.offset}`,
    }))
    const elided = message.hits.map((name) => ({ name, where: ' in what the log left out' }))
    return [...found, ...elided].map(({ name, where }) => {
      const leaked = this.leaked(name, message, conn)
      return { kind: leaked ? 'leak' : 'canary', text: visible(`${leaked ? 'leaked' : 'in clear'}: ${name}${where}`) }
    })
  }

  /** Whether judging found that this canary must not have been in clear. */
  private leaked(name: string, message: Message, conn: string): boolean {
    const credentials = name === 'user' || name === 'password'
    const content = message.of === 'DATA' || message.of === 'BDAT'
    const flag = `leak.${credentials ? 'credentials' : content ? 'content' : 'envelope'}-clear`
    return this.cell.findings.some(
      (finding) => finding.flag === flag && finding.weight === 'leak' && (finding.conn === undefined || finding.conn === conn),
    )
  }

  /** Puts a finding at the message of the client that holds its evidence. */
  private markFinding(finding: FlagRaised): void {
    const { conn, offset, atMs } = finding
    if (conn === undefined || offset === undefined) return
    const layer = finding.flag.endsWith('-clear') ? false : finding.flag.endsWith('-unauth') ? true : undefined
    const candidates = this.messages.filter(
      (row) =>
        row.conn === conn &&
        row.span === 'client' &&
        row.from === 'client' &&
        (layer === undefined || row.tls === layer) &&
        row.offset <= offset &&
        offset < row.offset + row.length,
    )
    const distance = (row: Draft): number => (atMs === undefined ? 0 : Math.abs(row.at + this.origin - atMs))
    const [nearest] = candidates.sort((a, b) => distance(a) - distance(b))
    if (nearest !== undefined) nearest.marks = [findingMark(finding), ...nearest.marks]
  }
}

function finished(draft: Draft): MessageRow {
  const { octets: _octets, conn: _conn, ...row } = draft
  return row
}

/** The same message on both spans, passed on at once, is one row across both. */
function joined(rows: readonly LadderRow[]): LadderRow[] {
  const gone = new Set<LadderRow>()
  return rows
    .map((row, index) => {
      if (row.kind !== 'message' || gone.has(row) || row.inPlaceBy !== undefined) return row
      const other = rows.slice(index + 1, index + 10).find((next) => isEcho(row, next) && !gone.has(next))
      if (other === undefined) return row
      gone.add(other)
      const marks = other.kind === 'message' ? [...row.marks, ...other.marks] : row.marks
      return { ...row, span: 'both' as const, marks, secured: other.secured }
    })
    .filter((row) => !gone.has(row))
}

function isEcho(row: MessageRow, next: LadderRow): boolean {
  if (next.kind !== 'message' || next.inPlaceBy !== undefined || next.connection !== row.connection) return false
  const onward = row.from === 'client' ? row.span === 'client' && next.span === 'server' : row.span === 'server' && next.span === 'client'
  const same = next.from === row.from && next.tls === row.tls && next.form === row.form && next.length === row.length
  return onward && same && next.at - row.at < 50 && next.lines.join('\n') === row.lines.join('\n')
}

function withPauses(rows: readonly LadderRow[]): LadderRow[] {
  return rows.flatMap((row, index) => {
    const before = rows[index - 1]
    const began = row.kind === 'message' ? row.began : row.at
    const ms = before === undefined ? 0 : began - before.at
    if (before === undefined || ms < PAUSE_MS) return [row]
    const pause: PauseRow = { kind: 'pause', ms, at: began, connection: row.connection, secured: before.secured }
    return [pause, row]
  })
}

/** Octets as lines: a message's first six, a reply's also its last three, each of at most 300 characters. */
function abbreviated(octets: Buffer, form: MessageRow['form'], length = octets.length): string[] {
  const all: string[] = []
  for (let start = 0; start < octets.length; ) {
    const end = octets.indexOf(0x0a, start)
    const whole = octets.subarray(start, end === -1 ? octets.length : end + 1)
    const crlf = whole.at(-1) === 0x0a && whole.at(-2) === 0x0d
    all.push(clip(visibleOctets(crlf ? whole.subarray(0, -2) : whole), 300))
    start += whole.length
  }
  const tail = form === 'content' ? 1 : 3
  const left = all.length - 6 - tail
  if (left < 2) return length > octets.length ? [...all, `… ${count(length, 'octet')} in all`] : all
  return [...all.slice(0, 6), `… ${count(left, 'more line')}, ${count(length, 'octet')} in all`, ...all.slice(-tail)]
}

/** Who would have sent the octets that a behaviour replaced: replies begin with a code. */
function authorOf(fired: ProofDraft): 'client' | 'server' {
  return /^\d{3}([ -]|$)/.test(fired.original[0]?.text ?? '') ? 'server' : 'client'
}

/** A line of a reply without its code and hyphen, so that `250-SIZE` is `250 SIZE`. */
function withoutCode(line: string): string {
  return line.replace(/^\d{3}[ -]/, '')
}
