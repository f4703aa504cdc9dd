/** What is to be seen in a message: canaries in clear, and the evidence of findings. */
import { findCanaries } from '../../peers/canary.ts'
import type { Canary } from '../../scenarios/events.ts'
import type { FlagRaised } from '../../scenarios/record.ts'
import { visible } from '../text.ts'
import type { Message, MessageDraft } from './messages.ts'
import type { Mark } from './rows.ts'

export function findingMark(finding: FlagRaised): Mark {
  return { kind: finding.weight, text: visible(`${finding.flag}: ${finding.detail}`) }
}

/** The canaries that the client sent in clear; a leak where judging says so of their kind and connection. */
export function canaryMarks(
  message: Message,
  conn: string,
  canaries: readonly Canary[],
  findings: readonly FlagRaised[],
): Mark[] {
  if (message.from !== 'client' || message.tls || message.form === 'opaque') return []
  const found = findCanaries(message.octets, canaries).map(({ name, form, offset }) => {
    const way = form === 'plain' ? '' : ` (${form})`
    return { name, where: `${way} at octet ${message.offset + offset}` }
  })
  const elided = message.hits.map((name) => ({ name, where: ' in what the log left out' }))
  return [...found, ...elided].map(({ name, where }) => {
    const leaked = findings.some(
      (finding) =>
        finding.flag === leakOf(name, message) && finding.weight === 'leak' && (finding.conn ?? conn) === conn,
    )
    return { kind: leaked ? 'leak' : 'canary', text: visible(`${leaked ? 'leaked' : 'in clear'}: ${name}${where}`) }
  })
}

/** The flag that would say that a canary of this name must not have been in such a message. */
function leakOf(name: string, message: Message): string {
  if (name === 'user' || name === 'password') return 'leak.credentials-clear'
  return message.of === 'DATA' || message.of === 'BDAT' ? 'leak.content-clear' : 'leak.envelope-clear'
}

/** Puts each finding at the message of the client that holds its evidence; where several could, the nearest in time. */
export function markFindings(drafts: readonly MessageDraft[], findings: readonly FlagRaised[], origin: number): void {
  for (const finding of findings) {
    const { conn, offset, atMs } = finding
    if (conn === undefined || offset === undefined) continue
    const tls = finding.flag.endsWith('-clear') ? false : finding.flag.endsWith('-unauth') ? true : undefined
    const candidates = drafts.filter(
      ({ row, conn: own }) =>
        own === conn &&
        row.span === 'client' &&
        row.from === 'client' &&
        (tls === undefined || row.tls === tls) &&
        row.offset <= offset &&
        offset < row.offset + row.length,
    )
    const distance = ({ row }: MessageDraft): number => (atMs === undefined ? 0 : Math.abs(row.at + origin - atMs))
    const [nearest] = candidates.sort((a, b) => distance(a) - distance(b))
    if (nearest !== undefined) nearest.row = { ...nearest.row, marks: [findingMark(finding), ...nearest.row.marks] }
  }
}
