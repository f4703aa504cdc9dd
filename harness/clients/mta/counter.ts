/**
 * Where messages are handed over: to the instance of an MTA that runs, and where that has ended by itself, to the next, which
 * has nothing in its queue.
 */
import type { Instance } from './instance.ts'
import type { OwnSchedule } from './own-schedule.ts'

/** An instance, and the clock of one whose times are untouched. */
export interface Line {
  readonly instance: Instance
  readonly schedule?: OwnSchedule
}

export class Counter {
  private line: Line
  private readonly open: () => Promise<Line>
  private opening: Promise<Line> | undefined

  private constructor(line: Line, open: () => Promise<Line>) {
    this.line = line
    this.open = open
  }

  static async start(open: () => Promise<Line>): Promise<Counter> {
    return new Counter(await open(), open)
  }

  get first(): Instance {
    return this.line.instance
  }

  /** @throws {LabError} where it does not start again */
  async next(): Promise<Line> {
    if (this.line.instance.tracker.ended === undefined) return this.line
    this.opening ??= this.reopen().finally(() => {
      this.opening = undefined
    })
    return this.opening
  }

  private async reopen(): Promise<Line> {
    await this.line.instance.stop()
    this.line = await this.open()
    return this.line
  }

  async stop(): Promise<void> {
    await this.opening?.catch(() => {})
    await this.line.instance.stop()
  }
}
