/**
 * The clock of an instance whose times are untouched: moved on in the steps in which the MTA looks at its queue, so that days
 * of its own schedule pass in seconds.
 *
 * What always holds: the clock moves only when every message of the instance waits for it; all attempts that a step has
 * brought about are over before the next.
 */
import type { ClientWord } from '../../../scenarios/client.ts'
import type { Instance } from './instance.ts'

/** Milliseconds without a line in the log after which all lines of the attempts that a step has brought about have come. */
const QUIET_MS = 100
/** A back-off has reached its longest interval by then, in seconds; steps are longer from there on. */
const EARLY_SECONDS = 4 * 3600
/** How many of the MTA's looks at its queue make such a step. */
const LATER_LOOKS = 12

interface Waiting {
  readonly ageSeconds: () => number
  readonly resolve: () => void
}

export class OwnSchedule {
  private readonly instance: Instance
  private readonly everySeconds: number
  private offset = 0
  private lastStep = 0
  /** Offset of the clock at the submission of each message that is still of interest. */
  private readonly submitted = new Map<string, number>()
  private waiting: Waiting[] = []

  constructor(instance: Instance, everySeconds: number) {
    this.instance = instance
    this.everySeconds = everySeconds
  }

  add(id: string): void {
    this.submitted.set(id, this.offset)
  }

  /** The message is of no interest any more. */
  leave(id: string): void {
    this.submitted.delete(id)
    this.stepIfAllWait()
  }

  ageSeconds(id: string): number {
    return this.offset - (this.submitted.get(id) ?? this.offset)
  }

  private age(id: string): Pick<ClientWord, 'ageSeconds' | 'coarseSeconds'> {
    const coarse = this.lastStep > this.everySeconds ? { coarseSeconds: this.lastStep } : {}
    return { ageSeconds: this.ageSeconds(id), ...coarse }
  }

  /**
   * Resolves with what the MTA says after its next attempt, or when the message is so old.
   *
   * @param owner the cell of the message
   * @throws {SpoiltError} as `Tracker.crash` does
   */
  async next(id: string, owner: string, horizonSeconds: number, signal: AbortSignal): Promise<ClientWord> {
    while (!signal.aborted && this.ageSeconds(id) < horizonSeconds) {
      await this.step(id, signal)
      const { tracker } = this.instance
      const word = tracker.told(id) ?? (tracker.ended === undefined ? undefined : tracker.crash(owner))
      if (word !== undefined) return { ...word, ...this.age(id) }
    }
    return { state: 'queued', log: [], reason: 'stays in the queue', ...this.age(id) }
  }

  private step(id: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done)
        resolve()
      }
      signal.addEventListener('abort', done)
      this.waiting.push({ ageSeconds: () => this.ageSeconds(id), resolve: done })
      this.stepIfAllWait()
    })
  }

  private stepIfAllWait(): void {
    if (this.waiting.length === 0 || this.waiting.length < this.submitted.size) return
    const waiting = this.waiting
    this.waiting = []
    const young = waiting.some(({ ageSeconds }) => ageSeconds() < EARLY_SECONDS)
    this.move(this.everySeconds * (young ? 1 : LATER_LOOKS)).then(
      () => {
        for (const { resolve } of waiting) resolve()
      },
      // The MTA is gone, which its messages are told by the tracker.
      () => {
        for (const { resolve } of waiting) resolve()
      },
    )
  }

  private async move(seconds: number): Promise<void> {
    const { root, mta, tracker } = this.instance
    await mta.beforeClockMoves?.()
    this.offset += seconds
    this.lastStep = seconds
    await root.setClock(this.offset)
    await mta.lookAtQueue?.()
    if (mta.looksAreTold !== true) await tracker.quiet(QUIET_MS)
  }
}
