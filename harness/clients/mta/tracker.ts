/**
 * Follows messages through an MTA by its log: which lines speak of which message, and when an attempt with it is over.
 * The log is the second witness only; what crossed the wire is the peers' to tell.
 *
 * What always holds: each awaited attempt ends, by what the log says, at its deadline, or when the MTA dies; a line that
 * comes before anybody waits for it is not lost.
 */
import type { ClientWord } from '../../../scenarios/client.ts'
import type { HeardLine } from '../../process/program.ts'
import { logOf } from '../word.ts'

/** What a line of the log says of a message. */
export interface Report {
  /** The queue's id of the message. */
  readonly id: string
  /** `crashed`: the process that had this message alone. */
  readonly state: 'delivered' | 'queued' | 'bounced' | 'crashed'
  readonly kind?: ClientWord['kind']
  readonly claims?: ClientWord['claims']
  /** In the words of the MTA. */
  readonly reason: string
}

/** Reads a log line by line; one for each MTA that runs, since lines that go together are told by a process id. */
export type LogReader = (line: string) => Report | undefined

/** Lines that are kept of one message. */
const LINES = 200
/** Reports kept of messages that nobody follows: notices, and those whose submission is not over. */
const EARLY_REPORTS = 5_000
/** Lines kept that speak of no message, for the time that an MTA dies. */
const LAST_WORDS = 40

/** An MTA of one thread says so, by a few lines of ours in it, when one message has kept it from all others. */
const BLOCKED = /^badmx: was blocked for \d+ ms$/

interface Followed {
  readonly marks: readonly string[]
  readonly lines: HeardLine[]
  /** Reports that nobody has waited for yet. */
  readonly reports: Report[]
  /** The MTA has it in hand: from its submission, or the begin of another attempt, to the next report. */
  inHand: boolean
  wake: (() => void) | undefined
}

interface Death {
  readonly how: string
  /** Messages that it had in hand. */
  readonly inHand: number
}

export class Tracker {
  private readonly read: LogReader
  private readonly byMark = new Map<string, Followed>()
  /** Lines and reports of messages whose id is not known yet: the log can be faster than the reply to the submission. */
  private early: { readonly heard: HeardLine; readonly report: Report | undefined }[] = []
  private readonly last: HeardLine[] = []
  private death: Death | undefined
  private stirred: (() => void) | undefined
  /** When it last said that it was blocked, of this process's clock. */
  private blockedAt: number | undefined
  private readonly listeners = new Set<(line: string) => void>()
  private readonly waitForEnd = new Set<() => void>()
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
    const followed: Followed = { marks, lines: [], reports: [], inHand: true, wake: undefined }
    for (const mark of marks) this.byMark.set(mark, followed)
    const own = this.early.filter(({ heard }) => marks.some((mark) => heard.line.includes(mark)))
    this.early = this.early.filter((each) => !own.includes(each))
    for (const { heard, report } of own) this.sort(heard, report)
  }

  /** The message is of no interest any more. */
  leave(id: string): void {
    const followed = this.byMark.get(id)
    for (const mark of followed?.marks ?? []) if (this.byMark.get(mark) === followed) this.byMark.delete(mark)
  }

  line(line: string): void {
    const heard = { line, at: performance.now() }
    this.last.push(heard)
    if (this.last.length > LAST_WORDS) this.last.shift()
    if (this.watcher?.pattern.test(line)) this.watcher.end(undefined)
    if (BLOCKED.test(line)) this.blockedAt = performance.now()
    this.stirred?.()
    for (const listen of this.listeners) listen(line)
    this.sort(heard, this.read(line))
  }

  private sort(heard: HeardLine, report: Report | undefined): void {
    const owners = new Set<Followed>()
    const own = report === undefined ? undefined : this.byMark.get(report.id)
    if (own !== undefined) owners.add(own)
    for (const mark of marksIn(heard.line)) {
      const owner = this.byMark.get(mark)
      if (owner !== undefined) owners.add(owner)
    }
    if (owners.size === 0) this.keepEarly(heard, report)
    for (const owner of owners) {
      owner.lines.push(heard)
      if (owner.lines.length > LINES) owner.lines.shift()
    }
    if (own === undefined || report === undefined) return
    own.reports.push(report)
    own.wake?.()
  }

  private keepEarly(heard: HeardLine, report: Report | undefined): void {
    this.early.push({ heard, report })
    if (this.early.length <= LINES) return
    // A report that is dropped would make its message hang; others' lines can be many while a submission is under way.
    const dull = this.early.findIndex((each) => each.report === undefined)
    if (dull >= 0) this.early.splice(dull, 1)
    else if (this.early.length > EARLY_REPORTS) this.early.shift()
  }

  /** The MTA has ended; what waits, ends with it. */
  died(how: string): void {
    const all = new Set(this.byMark.values())
    this.death ??= { how, inHand: [...all].filter(({ inHand, reports }) => inHand && reports.length === 0).length }
    this.watcher?.end(how)
    for (const tell of this.waitForEnd) tell()
    this.waitForEnd.clear()
    for (const followed of all) followed.wake?.()
  }

  /** How it ended, if it did. */
  get ended(): string | undefined {
    return this.death?.how
  }

  /** Resolves when it has ended, or after so many milliseconds. */
  end(limitMs: number): Promise<void> {
    if (this.death !== undefined) return Promise.resolve()
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        this.waitForEnd.delete(done)
        resolve()
      }
      const timer = setTimeout(done, limitMs)
      this.waitForEnd.add(done)
    })
  }

  /** The MTA starts again, with the queue that it had. */
  startsAgain(): void {
    this.death = undefined
    this.last.length = 0
  }

  /** Waits for a line; resolves with what was in the way, if anything. */
  async seen(pattern: RegExp, limitMs: number): Promise<string | undefined> {
    if (this.last.some(({ line }) => pattern.test(line))) return undefined
    if (this.death !== undefined) return this.death.how
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

  /** The next line that matches; rejects when there was none in time. */
  heard(pattern: RegExp, limitMs: number): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer)
        this.listeners.delete(listen)
      }
      const listen = (line: string): void => {
        const found = pattern.exec(line)
        if (found === null) return
        end()
        resolve(found)
      }
      const timer = setTimeout(() => {
        end()
        reject(new Error(`nothing like ${pattern} in its log after ${limitMs / 1000} s`))
      }, limitMs)
      this.listeners.add(listen)
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
        this.stirred = undefined
        resolve()
      }
      let timer = setTimeout(done, limitMs)
      this.stirred = () => {
        clearTimeout(timer)
        timer = setTimeout(done, limitMs)
      }
    })
  }

  /** It said since then (of this process's clock) that it was blocked, while it had other messages in hand, too. */
  wasBlockedSince(time: number): boolean {
    return this.blockedAt !== undefined && this.blockedAt >= time && this.others() > 0
  }

  /** Messages that it has in hand, but for one. */
  others(): number {
    return [...new Set(this.byMark.values())].filter(({ inHand }) => inHand).length - 1
  }

  /** The lines that the MTA logged last. */
  lastWords(): readonly string[] {
    return this.last.map(({ line }) => line)
  }

  /**
   * The end of the attempt that is under way with a message, as the MTA tells it.
   *
   * @throws where the MTA ended with this and other messages in hand: which of them did it, nobody knows
   */
  async outcome(id: string, deadlineMs: number, signal: AbortSignal): Promise<ClientWord> {
    const followed = this.byMark.get(id)
    if (followed === undefined) throw new Error(`the message ${id} is not followed`)
    const end = performance.now() + deadlineMs
    followed.inHand = true
    for (;;) {
      const report = followed.reports.shift()
      if (report !== undefined) {
        followed.inHand = false
        return wordOf(report, followed.lines)
      }
      if (this.death !== undefined) return this.crashed(this.death, followed)
      const left = end - performance.now()
      if (left <= 0 || signal.aborted)
        return {
          state: 'hung',
          // What else it logs may tell why.
          ...this.andLastWords(followed),
          reason: 'its log says nothing of how the attempt ended',
        }
      await this.next(followed, left, signal)
    }
  }

  /** What it logged of the message, and what it logged last. */
  private andLastWords({ lines }: Followed): ReturnType<typeof logOf> {
    return logOf([...lines, { line: '…', at: this.last[0]?.at ?? performance.now() }, ...this.last])
  }

  private crashed({ how, inHand }: Death, followed: Followed): ClientWord {
    if (inHand <= 1) return { state: 'crashed', ...this.andLastWords(followed), reason: how }
    const others = `with ${inHand} messages in hand: a run of this cell alone shows whether it is this one`
    throw new Error(`${how} ${others}; its log ends with ${this.lastWords().slice(-3).join(' | ')}`)
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

function wordOf({ state, kind, claims, reason }: Report, lines: readonly HeardLine[]): ClientWord {
  return {
    state,
    ...(kind === undefined ? {} : { kind }),
    ...(claims === undefined ? {} : { claims }),
    ...logOf(lines),
    reason,
  }
}

/** What may be a queue's id or an address. */
function marksIn(line: string): readonly string[] {
  return line.match(/[A-Za-z0-9](?:[\w.:-]*[A-Za-z0-9])?/g) ?? []
}
