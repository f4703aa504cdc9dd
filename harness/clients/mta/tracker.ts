/**
 * Follows messages through an MTA by its log: which lines speak of which message, and when an attempt with it is over.
 * The log is the second witness only; what crossed the wire is the peers' to tell.
 *
 * What always holds: each awaited attempt ends, by what the log says, at its deadline, or when the MTA dies; a line that
 * comes before anybody waits for it is not lost.
 */
import type { ClientWord } from '../../../scenarios/client.ts'

/** What a line of the log says of a message. */
export interface Report {
  /** The queue's id of the message. */
  readonly id: string
  readonly state: 'delivered' | 'queued' | 'bounced'
  readonly kind?: ClientWord['kind']
  readonly claims?: ClientWord['claims']
  /** In the words of the MTA. */
  readonly reason: string
}

/** Reads a log line by line; one for each MTA that runs, since lines that go together are told by a process id. */
export type LogReader = (line: string) => Report | undefined

/** Lines that are kept of one message. */
const LINES = 200
/** Lines kept that speak of no message, for the time that an MTA dies. */
const LAST_WORDS = 40

interface Followed {
  readonly marks: readonly string[]
  readonly lines: string[]
  /** Reports that nobody has waited for yet. */
  readonly reports: Report[]
  wake: (() => void) | undefined
}

export class Tracker {
  private readonly read: LogReader
  private readonly byMark = new Map<string, Followed>()
  /** Lines and reports of messages whose id is not known yet: the log can be faster than the reply to the submission. */
  private early: { readonly line: string; readonly report: Report | undefined }[] = []
  private readonly last: string[] = []
  private death: string | undefined
  private heard: (() => void) | undefined
  private watcher: { readonly pattern: RegExp; end(trouble: string | undefined): void } | undefined

  constructor(read: LogReader) {
    this.read = read
  }

  /**
   * Follows a message.
   *
   * @param marks what its lines hold: the queue's id first, then names and addresses of its hosts (Sendmail's line of a handshake has the name only).
   */
  follow(marks: readonly string[]): void {
    const followed: Followed = { marks, lines: [], reports: [], wake: undefined }
    for (const mark of marks) this.byMark.set(mark, followed)
    const own = this.early.filter(({ line }) => marks.some((mark) => line.includes(mark)))
    this.early = this.early.filter((each) => !own.includes(each))
    for (const { line, report } of own) this.sort(line, report)
  }

  /** The message is of no interest any more. */
  leave(id: string): void {
    const followed = this.byMark.get(id)
    for (const mark of followed?.marks ?? []) if (this.byMark.get(mark) === followed) this.byMark.delete(mark)
  }

  line(line: string): void {
    this.last.push(line)
    if (this.last.length > LAST_WORDS) this.last.shift()
    if (this.watcher?.pattern.test(line)) this.watcher.end(undefined)
    this.heard?.()
    this.sort(line, this.read(line))
  }

  private sort(line: string, report: Report | undefined): void {
    const owners = new Set<Followed>()
    const own = report === undefined ? undefined : this.byMark.get(report.id)
    if (own !== undefined) owners.add(own)
    for (const mark of marksIn(line)) {
      const owner = this.byMark.get(mark)
      if (owner !== undefined) owners.add(owner)
    }
    if (owners.size === 0) this.keepEarly(line, report)
    for (const owner of owners) {
      owner.lines.push(line)
      if (owner.lines.length > LINES) owner.lines.shift()
    }
    if (own === undefined || report === undefined) return
    own.reports.push(report)
    own.wake?.()
  }

  private keepEarly(line: string, report: Report | undefined): void {
    this.early.push({ line, report })
    if (this.early.length > LINES) this.early.shift()
  }

  /** The MTA has ended; what waits, ends with it. */
  died(how: string): void {
    this.death ??= how
    this.watcher?.end(how)
    for (const followed of new Set(this.byMark.values())) followed.wake?.()
  }

  /** Waits for a line; resolves with what was in the way, if anything. */
  async seen(pattern: RegExp, limitMs: number): Promise<string | undefined> {
    if (this.last.some((line) => pattern.test(line))) return undefined
    if (this.death !== undefined) return this.death
    return new Promise((resolve) => {
      const end = (trouble: string | undefined): void => {
        clearTimeout(timer)
        this.watcher = undefined
        resolve(trouble)
      }
      const timer = setTimeout(() => end(`was not ready after ${limitMs / 1000} s`), limitMs)
      this.watcher = { pattern, end }
    })
  }

  /**
   * What the MTA has said last of a message since it was last asked, without waiting: after its last attempt Sendmail says
   * first that the message is deferred, and then that it was returned.
   */
  told(id: string): ClientWord | undefined {
    const followed = this.byMark.get(id)
    const report = followed?.reports.splice(0).at(-1)
    if (followed === undefined || report === undefined) return undefined
    return wordOf(report, followed.lines)
  }

  /** Resolves when nothing was logged for so many milliseconds. */
  quiet(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.heard = undefined
        resolve()
      }
      let timer = setTimeout(done, limitMs)
      this.heard = () => {
        clearTimeout(timer)
        timer = setTimeout(done, limitMs)
      }
    })
  }

  /** The lines that the MTA logged last. */
  lastWords(): readonly string[] {
    return this.last
  }

  /** The end of the attempt that is under way with a message, as the MTA tells it. */
  async outcome(id: string, deadlineMs: number, signal: AbortSignal): Promise<ClientWord> {
    const followed = this.byMark.get(id)
    if (followed === undefined) throw new Error(`the message ${id} is not followed`)
    const end = performance.now() + deadlineMs
    for (;;) {
      const report = followed.reports.shift()
      if (report !== undefined) return wordOf(report, followed.lines)
      if (this.death !== undefined)
        return { state: 'crashed', log: [...followed.lines, ...this.last], reason: this.death }
      const left = end - performance.now()
      if (left <= 0 || signal.aborted)
        return {
          state: 'hung',
          // What else it logs may tell why.
          log: [...followed.lines, '…', ...this.last],
          reason: 'its log says nothing of how the attempt ended',
        }
      await this.next(followed, left, signal)
    }
  }

  private async next(followed: Followed, limitMs: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, limitMs)
      const wake = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', wake)
        followed.wake = undefined
        resolve()
      }
      followed.wake = wake
      signal.addEventListener('abort', wake)
    })
  }
}

function wordOf({ state, kind, claims, reason }: Report, lines: readonly string[]): ClientWord {
  return {
    state,
    ...(kind === undefined ? {} : { kind }),
    ...(claims === undefined ? {} : { claims }),
    log: [...lines],
    reason,
  }
}

/** What may be a queue's id or an address. */
function marksIn(line: string): readonly string[] {
  return line.match(/[A-Za-z0-9](?:[\w.:-]*[A-Za-z0-9])?/g) ?? []
}
