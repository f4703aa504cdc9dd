/**
 * From the event log of one cell and its record to the rows of a ladder. Pure: same log, same ladder.
 */
import type { ConnOpened, PeerEvent, ProofEvent } from '../../peers/events.ts'
import type { AttemptBegun, CellBegun, ClientSaid, LogEvent } from '../../scenarios/events.ts'
import type { Placed } from '../../scenarios/judge/transcript.ts'
import type { CellRecord } from '../../scenarios/record.ts'
import { observed } from '../summary.ts'
import { clip, count, visible } from '../text.ts'
import { connectionText, tlsText } from './describe.ts'
import { abbreviated, withoutCode } from './lines.ts'
import { lookUpsOf } from './look-ups.ts'
import { canaryMarks, findingMark, markFindings } from './marks.ts'
import { type Draft, type MessageDraft, messagesOf } from './messages.ts'
import type { Ladder, LadderRow, MessageRow, PauseRow, ProofRow, Words } from './rows.ts'

/** Silence of so many milliseconds is told. */
const PAUSE_MS = 1000

/** A message that both sides of the man in the middle show within so many milliseconds was passed on at once. */
const AT_ONCE_MS = 50

/** Lines of a client's log that are shown. */
const LOG_LINES = 20

const UNPLACED = { connection: 0, secured: { client: false, server: false } } as const

/** Events of other cells are passed over; `events` may be the whole log. */
export function buildLadder(events: Iterable<LogEvent>, cell: CellRecord): Ladder {
  const own = [...events].filter((event) => event.cell === cell.id).map((event, seq) => ({ event, seq }))
  const begun = own.map(({ event }) => event).find((event): event is CellBegun => event.type === 'cell')
  const opened = own.map(({ event }) => event).filter(isOpening)
  const origin = own[0]?.event.t ?? 0
  const messages = messageDrafts(own, cell, begun, origin)
  markFindings(messages, cell.findings, origin)
  const lookUps = lookUpsOf(own).map(({ seq, at, text }): Draft => {
    return { seq, row: { kind: 'look-up', text, at: at - origin, ...UNPLACED } }
  })
  const drafts = [...own.flatMap((placed) => eventDrafts(placed, origin)), ...lookUps, ...messages]
  const rows = drafts.sort((a, b) => a.seq - b.seq)
  linkReplacements(rows)
  const host = visible(begun?.hostNames[opened[0]?.host ?? ''] ?? opened[0]?.host ?? 'peer')
  const proxied = opened.some((event) => event.upstream !== undefined)
  return {
    ...heading(cell),
    timeScale: begun?.timeScale ?? 1,
    lanes: proxied ? [visible(cell.client), 'man in the middle', 'server'] : [visible(cell.client), host],
    rows: withPauses(joined(placed(rows))),
    words: own.flatMap(({ event }) => (event.type === 'client' ? [words(event, origin)] : [])),
    resolver: own.flatMap(({ event }) => (event.type === 'resolver-log' ? [clip(visible(event.line), 400)] : [])),
  }
}

function isOpening(event: LogEvent): event is ConnOpened {
  return event.type === 'conn' && event.state === 'open'
}

function heading(cell: CellRecord): Omit<Ladder, 'timeScale' | 'lanes' | 'rows' | 'words' | 'resolver'> {
  const broken = cell.asserts.filter((assert) => assert.held === false)
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
      ...cell.findings.map(findingMark),
      ...broken.map(({ assert, detail }) => ({
        kind: 'fail' as const,
        text: visible(`${assert} does not hold: ${detail}`),
      })),
    ],
    reproduce: visible(cell.reproduce),
  }
}

function words(event: ClientSaid, origin: number): Words {
  const { state, kind, exitCode, signal, reason } = event.word
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
    log: loggedLines(event)
      .slice(-LOG_LINES)
      .map(({ line, t }) => ({ text: clip(visible(line), 400), ...(t === undefined ? {} : { at: t - origin }) })),
  }
}

/** The lines of a client's log, with their times on the clock of the event log where it tells them. */
export function loggedLines({ word, logAt }: ClientSaid): readonly { readonly line: string; readonly t?: number }[] {
  const times = logAt?.length === word.log.length ? logAt : []
  return word.log.map((line, index) => ({ line, ...(times[index] === undefined ? {} : { t: times[index] }) }))
}

function messageDrafts(
  own: readonly Placed<LogEvent>[],
  cell: CellRecord,
  begun: CellBegun | undefined,
  origin: number,
): MessageDraft[] {
  const byConnection = new Map<string, Placed<PeerEvent>[]>()
  for (const { event, seq } of own) {
    if (!('conn' in event) || event.conn === undefined) continue
    const events = byConnection.get(event.conn) ?? []
    events.push({ event, seq })
    byConnection.set(event.conn, events)
  }
  return [...byConnection].flatMap(([conn, events]) =>
    (['client', 'upstream'] as const).flatMap((side) =>
      messagesOf(events, side).map((message) => {
        const { from, tls, form, stray, length, offset, pieces, seq } = message
        const span = side === 'client' ? ('client' as const) : ('server' as const)
        const times = { at: message.at - origin, began: message.began - origin }
        const lines = form === 'opaque' ? [`${count(length, 'octet')} of TLS, not opened here`] : abbreviated(message)
        const marks = span === 'client' ? canaryMarks(message, conn, begun?.canaries ?? [], cell.findings) : []
        const row = { kind: 'message' as const, span, from, tls, form, stray, lines, length, offset, pieces, marks }
        return { seq, conn, message, row: { ...row, ...times, ...UNPLACED } }
      }),
    ),
  )
}

function attemptText({ attempt, cause, policy }: AttemptBegun): string {
  return `attempt ${attempt}, ${cause}${policy === undefined ? '' : `, under ${policy}`}`
}

function eventDrafts({ event, seq }: Placed<LogEvent>, origin: number): Draft[] {
  const place = { at: event.t - origin, ...UNPLACED }
  switch (event.type) {
    case 'attempt':
      if (event.state === 'ended') return []
      return [{ seq, row: { kind: 'attempt', text: attemptText(event), ...place } }]
    case 'conn': {
      const { conn, state } = event
      return [{ seq, conn, row: { kind: 'connection', state, text: connectionText(event), ...place } }]
    }
    case 'tls': {
      if (event.state === 'secret') return []
      const { conn, state } = event
      const span = event.side === 'client' ? 'client' : 'server'
      return [{ seq, conn, row: { kind: 'tls', span, state, text: tlsText(event), ...place } }]
    }
    case 'armed':
    case 'opportunity':
    case 'fired':
      return [{ seq, ...(event.conn === undefined ? {} : { conn: event.conn }), row: { ...proofRow(event), ...place } }]
    default:
      return []
  }
}

function proofRow({ type, behaviour, host, detail, data }: ProofEvent): Omit<ProofRow, keyof typeof UNPLACED | 'at'> {
  const original = data === undefined ? [] : abbreviated({ octets: data, form: 'reply', length: data.length })
  return {
    ...{ kind: 'proof', state: type, behaviour: visible(behaviour), host: visible(host), detail: visible(detail) },
    original: original.map((text) => ({ text, gone: true })),
  }
}

/**
 * A behaviour that fires with original octets sends something else right after, or nothing. It is told apart by what comes
 * next on the connection: a message from the same author as the original, sent from here.
 */
function linkReplacements(drafts: readonly Draft[]): void {
  const fired = new Map<string, Draft<ProofRow>>()
  for (const draft of drafts) {
    const { row, conn } = draft
    if (conn === undefined) continue
    if (row.kind === 'proof' && row.original.length > 0) fired.set(conn, draft as Draft<ProofRow>)
    if (row.kind !== 'message') continue
    const source = fired.get(conn)
    fired.delete(conn)
    if (
      source === undefined ||
      row.from !== authorOf(source.row) ||
      (row.span === 'client') !== (row.from === 'server')
    )
      continue
    draft.row = { ...row, inPlaceBy: source.row.behaviour }
    const sent = new Set(row.lines.map(withoutCode))
    const original = source.row.original.map(({ text }) => ({ text, gone: !sent.has(withoutCode(text)) }))
    source.row = { ...source.row, original }
  }
}

/** Who would have sent the original octets: replies begin with a code. */
function authorOf(row: ProofRow): 'client' | 'server' {
  return /^\d{3}([ -]|$)/.test(row.original[0]?.text ?? '') ? 'server' : 'client'
}

/** The rows, each with the number of its connection and the state of TLS. */
function placed(drafts: readonly Draft[]): LadderRow[] {
  const numbers = new Map<string, number>()
  const states = new Map<string, LadderRow['secured']>()
  return drafts.map(({ row, conn }) => {
    if (conn === undefined) return row
    const connection = numbers.get(conn) ?? numbers.size + 1
    numbers.set(conn, connection)
    let secured = states.get(conn) ?? UNPLACED.secured
    if (row.kind === 'tls' && row.state !== 'hello' && row.state !== 'presented')
      secured = { ...secured, [row.span]: row.state === 'up' }
    if (row.kind === 'connection') secured = UNPLACED.secured
    states.set(conn, secured)
    return { ...row, connection, secured }
  })
}

/** The same message on both spans, passed on at once, is one row across both. */
function joined(rows: readonly LadderRow[]): LadderRow[] {
  const gone = new Set<LadderRow>()
  return rows
    .map((row, index) => {
      if (row.kind !== 'message' || gone.has(row)) return row
      const echo = rows.slice(index + 1, index + 10).find((next) => !gone.has(next) && isEcho(row, next))
      if (echo?.kind !== 'message') return row
      gone.add(echo)
      return { ...row, span: 'both' as const, marks: [...row.marks, ...echo.marks], secured: echo.secured }
    })
    .filter((row) => !gone.has(row))
}

function isEcho(row: MessageRow, next: LadderRow): boolean {
  if (next.kind !== 'message' || next.inPlaceBy !== undefined || next.connection !== row.connection) return false
  const onward = row.from === next.from && row.span !== next.span && (row.span === 'client') === (row.from === 'client')
  const same = next.tls === row.tls && next.form === row.form && next.length === row.length
  return onward && same && next.at - row.at < AT_ONCE_MS && next.lines.join('\n') === row.lines.join('\n')
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
