/**
 * How many cells of queueing clients are busy at once. They all run side by side; what costs the machine something is the
 * beginning of an attempt (certificates, a submission, handshakes), and after that most wait for a timer. So a cell holds
 * its place only for as long as a sound attempt takes, and a fault that takes minutes holds up nobody.
 */

/** How often, and how many milliseconds apart, it is looked whether an attempt is still in its busy time. */
const BEATS = 10
const BEAT_MS = 100
/** Milliseconds by which a timer may be late before nobody is let in. */
const LATE_MS = 100

export class Gate {
  private free: number
  private readonly waiting: (() => void)[] = []

  /** @param places attempts that may begin at once. */
  constructor(places: number) {
    this.free = places
  }

  /**
   * Resolves when there is a place and the process is not behind, with what gives it back. After a second it is given back by itself; a second of this
   * process's time, which is longer where the machine is too busy for its timers, so that load never begets more load.
   */
  async enter(): Promise<() => void> {
    if (this.free > 0) this.free -= 1
    else await new Promise<void>((resolve) => this.waiting.push(resolve))
    while ((await lateness()) > LATE_MS) {}
    let timer: NodeJS.Timeout | undefined
    const leave = (): void => {
      if (timer === undefined) return
      clearTimeout(timer)
      timer = undefined
      const next = this.waiting.shift()
      if (next === undefined) this.free += 1
      else next()
    }
    const beat = (left: number): void => {
      timer = setTimeout(() => (left === 0 ? leave() : beat(left - 1)), BEAT_MS)
    }
    beat(BEATS)
    return leave
  }
}

/** How many milliseconds late a timer of this process is now. */
function lateness(): Promise<number> {
  const began = performance.now()
  return new Promise((resolve) => setTimeout(() => resolve(performance.now() - began - 1), 1))
}
