/**
 * Where messages are handed over: to the instance of an MTA that runs, and where that has ended by itself, to the next, which
 * has nothing in its queue. The first is started for the first message.
 */
import type { Instance } from './instance.ts'
import type { OwnSchedule } from './own-schedule.ts'

/** An instance, and the clock of one whose times are untouched. */
export interface Line {
  readonly instance: Instance
  readonly schedule?: OwnSchedule
}

export class Counter {
  private line: Line | undefined
  private readonly open: () => Promise<Line>
  private opening: Promise<Line> | undefined

  constructor(open: () => Promise<Line>) {
    this.open = open
  }

  /** @throws {LabError} where it does not start */
  async next(): Promise<Line> {
    if (this.line !== undefined && this.line.instance.tracker.ended === undefined) return this.line
    this.opening ??= this.reopen().finally(() => {
      this.opening = undefined
    })
    return this.opening
  }

  private async reopen(): Promise<Line> {
    await this.line?.instance.stop()
    this.line = undefined
    this.line = await this.open()
    return this.line
  }

  async stop(): Promise<void> {
    await this.opening?.catch(() => {})
    await this.line?.instance.stop()
  }
}
