/**
 * The reply to EHLO in clear, as lines that can be taken out, put in and moved, and the frame of every behaviour that
 * rewrites it (RFC 5321 §4.1.1.1, §4.2.1).
 *
 * What always holds: only a final 250 reply to an EHLO outside TLS is touched; a reply that does not offer STARTTLS
 * passes as it is and nothing is said to have fired: there was nothing to take away.
 */
import { passUnits } from '../wire/termination.ts'
import type { Command, Layer, Reply } from '../wire/units.ts'

/** One line of a reply. Octets as latin1. */
export interface ReplyLine {
  readonly code: string
  /** What follows the code and the separator. */
  readonly text: string
  readonly end: string
}

/** A reply to EHLO that offers STARTTLS. */
export interface EhloReply {
  readonly reply: Reply
  readonly ehlo: Command
  /** 1 for the first EHLO in clear on this connection, then counting. */
  readonly ordinal: number
  readonly lines: readonly ReplyLine[]
  /** Index of the first STARTTLS line; never 0, which is the greeting. */
  readonly starttls: number
}

/** What the client gets instead. */
export interface Rewriting {
  readonly bytes: Buffer
  /** What was done, for the log: `removed "250-STARTTLS"`. */
  readonly detail: string
}

/**
 * A layer that rewrites the EHLO reply.
 *
 * @param rewrite answers with undefined where it leaves this one alone.
 * @param concerns whether this EHLO gives the behaviour its chance; default: every one.
 */
export function rewriteEhloReply(
  rewrite: (offer: EhloReply) => Rewriting | undefined,
  concerns: (ehlo: Command, ordinal: number) => boolean = () => true,
): Layer {
  const asked = new Map<number, { ehlo: Command; ordinal: number }>()
  let count = 0
  return {
    on(event) {
      if (event.type === 'command' && event.verb === 'EHLO' && !event.secured) {
        count++
        if (concerns(event, count)) asked.set(event.id, { ehlo: event, ordinal: count })
      }
      if (event.type !== 'reply' || event.id === null || !event.last) return passUnits(event)
      const question = asked.get(event.id)
      asked.delete(event.id)
      if (question === undefined || event.code !== 250) return [event]
      const lines = parseLines(event)
      const starttls = lines.findIndex((line, at) => at > 0 && isKeyword(line, 'STARTTLS'))
      const opportunity = { type: 'opportunity', detail: 'the reply to EHLO in clear' } as const
      if (starttls < 0) return [opportunity, event]
      const rewriting = rewrite({ reply: event, ...question, lines, starttls })
      if (rewriting === undefined || rewriting.bytes.equals(event.bytes)) return [opportunity, event]
      return [
        opportunity,
        { type: 'fired', detail: rewriting.detail, original: event.bytes },
        { ...event, bytes: rewriting.bytes },
      ]
    },
  }
}

/** The lines of a reply, each with its own code. */
export function parseLines(reply: Reply): ReplyLine[] {
  const raw = reply.bytes.toString('latin1').match(/[^\n]*\n|[^\n]+$/g) ?? []
  return raw.map((line) => {
    const end = /\r?\n?$/.exec(line)?.[0] ?? ''
    return { code: line.slice(0, 3), text: line.slice(4, line.length - end.length), end }
  })
}

/** Octets of a reply: a hyphen after the code of every line but the last. */
export function joinLines(lines: readonly ReplyLine[]): Buffer {
  return Buffer.concat(lines.map((line, at) => lineBytes(line, at < lines.length - 1 ? '-' : ' ')))
}

export function lineBytes(line: ReplyLine, separator: '-' | ' '): Buffer {
  return Buffer.from(`${line.code}${separator}${line.text}${line.end}`, 'latin1')
}

/** Keywords are recognised in any case (RFC 5321 §2.4). */
export function isKeyword(line: ReplyLine, keyword: string): boolean {
  return line.text.trim().split(/\s/)[0]?.toUpperCase() === keyword
}

/** The line at `at` as it came, for the log: `"250-STARTTLS"`. */
export function quoteLine(lines: readonly ReplyLine[], at: number): string {
  const line = lines[at]
  return line === undefined ? '""' : JSON.stringify(`${line.code}${at < lines.length - 1 ? '-' : ' '}${line.text}`)
}
