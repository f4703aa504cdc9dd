/**
 * Reading replies, RFC 5321 §4.2: octets in, whole replies out. Only CRLF ends a line, all lines of a reply have one
 * code, and nothing is guessed: what does not parse is a {@link Failure}. What has not been taken as a reply stays
 * visible as {@link ReplyReader.pending}, because octets that nobody asked for are evidence.
 */
import { Failure, type Stage } from './failure.ts'

/** One line of a reply. */
export interface ReplyLine {
  readonly code: number
  /** True on `250-`, false on `250 ` and on a bare `250`. */
  readonly more: boolean
  /** Octets as latin1, without code, separator and line end. */
  readonly text: string
}

export interface Reply {
  readonly code: number
  /** The text of each line. */
  readonly lines: readonly string[]
}

/** What of reading replies is a decision; see {@link ./decisions.ts}. */
export interface ReplyDecisions {
  /** The octets that are looked at, of those that arrived. */
  readonly received: (octets: Buffer) => Buffer
  readonly lineEnd: 'crlf' | 'crlf-or-lf'
  /** Octets of a line and of a whole reply, at most. */
  readonly longest: { readonly line: number; readonly reply: number }
  readonly readLine: (line: string, stage: Stage) => ReplyLine
  /** Makes a reply of its lines, the last of which says that no more follow. */
  readonly assemble: (lines: readonly ReplyLine[], stage: Stage) => Reply
}

/** Sixteen times what RFC 5321 §4.5.3.1.5 grants, in octets. */
export const LONGEST = { line: 8 * 1024, reply: 128 * 1024 } as const

/** Reply codes by RFC 5321 §4.2: only the first digit is relied upon (§4.3.2); a code alone is a line (§4.2). */
export function readLine(line: string, stage: Stage): ReplyLine {
  const [, code, separator, text] = /^([2-5][0-9]{2})(?:([ -])(.*))?$/s.exec(line) ?? []
  if (code === undefined) throw new Failure('protocol', stage, `no reply: ${JSON.stringify(line.slice(0, 80))}`)
  return { code: Number(code), more: separator === '-', text: text ?? '' }
}

export function assemble(lines: readonly ReplyLine[], stage: Stage): Reply {
  const code = lines[0]?.code ?? 0
  const other = lines.find((line) => line.code !== code)
  if (other !== undefined) throw new Failure('protocol', stage, `the codes ${code} and ${other.code} in one reply`)
  return { code, lines: lines.map((line) => line.text) }
}

export class ReplyReader {
  readonly #decide: ReplyDecisions
  #octets: Buffer = Buffer.alloc(0)
  #lines: ReplyLine[] = []
  #size = 0

  constructor(decide: ReplyDecisions) {
    this.#decide = decide
  }

  push(octets: Buffer): void {
    this.#octets = Buffer.concat([this.#octets, this.#decide.received(octets)])
  }

  /** Octets that arrived and belong to no reply taken so far. */
  get pending(): Buffer {
    return this.#octets
  }

  /** Forgets what is pending and goes on with `octets` instead. */
  restart(octets: Buffer): void {
    this.#octets = octets
    this.#lines = []
    this.#size = 0
  }

  /** The next whole reply, or undefined until more arrives. Throws a {@link Failure} on anything that is none. */
  next(stage: Stage): Reply | undefined {
    for (let line = this.#line(stage); line !== undefined; line = this.#line(stage)) {
      this.#size += line.length + '\r\n'.length
      if (this.#size > this.#decide.longest.reply) throw new Failure('protocol', stage, 'a reply without an end')
      const parsed = this.#decide.readLine(line, stage)
      this.#lines.push(parsed)
      if (parsed.more) continue
      const lines = this.#lines
      this.#lines = []
      this.#size = 0
      return this.#decide.assemble(lines, stage)
    }
    return undefined
  }

  #line(stage: Stage): string | undefined {
    const end = this.#octets.indexOf('\n')
    const line = this.#octets.subarray(0, end < 0 ? this.#octets.length : end).toString('latin1')
    if (line.length > this.#decide.longest.line) throw new Failure('protocol', stage, 'a line without an end')
    const stray = line.slice(0, -1).includes('\r')
    const bare = end >= 0 && !line.endsWith('\r') && this.#decide.lineEnd === 'crlf'
    if (stray || bare) throw new Failure('protocol', stage, `a bare ${stray ? 'CR' : 'LF'} in a reply`)
    if (end < 0) return undefined
    this.#octets = this.#octets.subarray(end + 1)
    return line.endsWith('\r') ? line.slice(0, -1) : line
  }
}
