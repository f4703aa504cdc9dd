/**
 * How many cells are at work at once. A one-shot client is one process or connection for each, so that a cell holds its place
 * to its end. Cells of a client with a queue all run side by side: what costs the machine something is the begin of an
 * attempt (certificates, a submission, handshakes), and after that most wait for a timer.
 *
 * What always holds: nobody is let in while this process is behind its own timers, so that load never begets more load.
 */

/** How often, and how many milliseconds apart, it is looked whether an attempt is still in its busy time. */
const BEATS = 10
const BEAT_MS = 100
/** Milliseconds by which a timer may be late before nobody is let in. */
const LATE_MS = 100

export class Gate {
  private readonly hold: 'held' | 'while-busy'
  private free: number
  private readonly waiting: (() => void)[] = []

  /**
   * @param places cells that may be at work at once, 1 or more.
   * @param hold `while-busy`: a place is given back by itself after a second; a second of this process's time, which is
   *   longer where the machine is too busy for its timers.
   */
  constructor(places: number, hold: 'held' | 'while-busy') {
    this.free = places
    this.hold = hold
  }

  /**
   * Resolves when there is a place and the process is not behind, with what gives it back.
   *
   * @param order `first`: before all that wait, for one that was here before. What is begun is ended before anything else
   *   is begun, so that little is in the hands of a client at a time, and little is lost with it.
   */
  async enter(order: 'first' | 'last' = 'last'): Promise<() => void> {
    if (this.free > 0) this.free -= 1
    else await new Promise<void>((resolve) => this.waiting[order === 'first' ? 'unshift' : 'push'](resolve))
    while ((await lateness()) > LATE_MS) {}
    let held = true
    let timer: NodeJS.Timeout | undefined
    const leave = (): void => {
      if (!held) return
      held = false
      clearTimeout(timer)
      const next = this.waiting.shift()
      if (next === undefined) this.free += 1
      else next()
    }
    const beat = (left: number): void => {
      timer = setTimeout(() => (left === 0 ? leave() : beat(left - 1)), BEAT_MS)
    }
    if (this.hold === 'while-busy') beat(BEATS)
    return leave
  }
}

/** A cell's place. */
export class Turn {
  private readonly gate: Gate
  private given: () => void

  private constructor(gate: Gate, given: () => void) {
    this.gate = gate
    this.given = given
  }

  static async take(gate: Gate): Promise<Turn> {
    return new Turn(gate, await gate.enter())
  }

  leave(): void {
    this.given()
  }

  /** Lets others work while this cell waits. */
  async aside(wait: () => Promise<void>): Promise<void> {
    this.given()
    await wait()
    this.given = await this.gate.enter('first')
  }
}

/** How many milliseconds late a timer of this process is now. */
function lateness(): Promise<number> {
  const began = performance.now()
  return new Promise((resolve) => setTimeout(() => resolve(performance.now() - began - 1), 1))
}
