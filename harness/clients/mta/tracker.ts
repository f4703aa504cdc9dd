/**
 * Follows messages through an MTA by its log: which lines speak of which message, and when an attempt with it is over.
 * The log is the second witness only; what crossed the wire is the peers' to tell.
 *
 * What always holds: each awaited attempt ends, by what the log says, at its deadline, or when the MTA dies; a line that
 * comes before anybody waits for it is not lost.
 */
import { type ClientWord, SpoiltError } from '../../../scenarios/client.ts'
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
  /** The cell that it is of. */
  readonly owner: string
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
  /** Cells of which it had messages in hand. */
  readonly inHand: ReadonlySet<string>
}

export class Tracker {
  private readonly read: LogReader
  private readonly byMark = new Map<string, Followed>()
  /** Lines and reports of messages whose id is not known yet: the log can be faster than the reply to the submission. */
  private early: { readonly heard: HeardLine; readonly report: Report | undefined }[] = []
  private readonly last: HeardLine[] = []
  /** Cells of which it has ever had a message. */
  private readonly owners = new Set<string>()
  /** The cells of messages that are being submitted. */
  private readonly taking = new Set<{ readonly owner: string }>()
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
   * @param owner the cell that it is of
   */
  follow(marks: readonly string[], owner: string): void {
    this.owners.add(owner)
    const followed: Followed = { owner, marks, lines: [], reports: [], inHand: true, wake: undefined }
    for (const mark of marks) this.byMark.set(mark, followed)
    const own = this.early.filter(({ heard }) => marks.some((mark) => heard.line.includes(mark)))
    this.early = this.early.filter((each) => !own.includes(each))
    for (const { heard, report } of own) this.sort(heard, report)
  }

  /** A message of a cell is being submitted: whether the MTA has it, nobody knows until what this returns is called. */
  takes(owner: string): () => void {
    const each = { owner }
    this.taking.add(each)
    return () => this.taking.delete(each)
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
    const inHand = [...all].filter((each) => each.inHand && each.reports.length === 0)
    this.death ??= { how, inHand: new Set([...inHand, ...this.taking].map(({ owner }) => owner)) }
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

  /** It said since then (of this process's clock) that it was blocked, while it had messages of other cells in hand, too. */
  wasBlockedSince(time: number, owner: string): boolean {
    return this.blockedAt !== undefined && this.blockedAt >= time && this.others(owner) > 0
  }

  /** Cells of which it has messages in hand, but for one. */
  others(owner: string): number {
    const inHand = [...this.byMark.values()].filter((each) => each.inHand)
    const owners = new Set([...inHand, ...this.taking].map((each) => each.owner))
    owners.delete(owner)
    return owners.size
  }

  /** The lines that the MTA logged last. */
  lastWords(): readonly string[] {
    return this.last.map(({ line }) => line)
  }

  /**
   * The end of the attempt that is under way with a message, as the MTA tells it.
   *
   * @throws {SpoiltError} as {@link crash} does
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
      if (this.death !== undefined) return this.crash(followed.owner, followed.lines)
      const left = end - performance.now()
      if (left <= 0 || signal.aborted)
        return {
          state: 'hung',
          // What else it logs may tell why.
          ...this.andLastWords(followed.lines),
          reason: 'its log says nothing of how the attempt ended',
        }
      await this.next(followed, left, signal)
    }
  }

  /** What it logged of the message, and what it logged last. */
  private andLastWords(lines: readonly HeardLine[]): ReturnType<typeof logOf> {
    return logOf([...lines, { line: '…', at: this.last[0]?.at ?? performance.now() }, ...this.last])
  }

  /**
   * The end of the MTA, as the word on a message of a cell that it had in hand alone, or of the only cell that it ever had.
   *
   * @throws {SpoiltError} where it had others in hand: which of them did it, nobody knows
   */
  crash(owner: string, lines: readonly HeardLine[] = []): ClientWord {
    const { how, inHand } = this.death ?? { how: 'did not end', inHand: new Set() }
    const onlyOne = inHand.size === 1 && inHand.has(owner)
    const never = [...this.owners].every((each) => each === owner) && [...inHand].every((each) => each === owner)
    if (onlyOne || never) return { state: 'crashed', ...this.andLastWords(lines), reason: how }
    const cells = inHand.size === 1 ? 'another cell' : `${inHand.size} cells`
    const whose = `with ${cells} in hand, and a run of this one alone shows whether it is its doing`
    throw new SpoiltError(`${how} ${whose}; its log ends with ${this.lastWords().slice(-3).join(' | ')}`)
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
