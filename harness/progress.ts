/** The progress line of a run on stderr: rewritten in place for a person, a line per tenth for a log file. */
import type { PlannedCell } from '../scenarios/plan.ts'

export interface Progress {
  step(done: number, total: number, cell?: PlannedCell): void
  /** A cell has come to nothing beside others, and is run again. */
  again(): void
  end(): void
}

export function progressLine(): Progress {
  const live = process.stderr.isTTY === true && !process.env['CI']
  const began = performance.now()
  let tenth = 0
  let alone = 0
  return {
    again() {
      alone += 1
    },
    step(done, total, cell) {
      const seconds = ((performance.now() - began) / 1000).toFixed(1)
      const again = alone === 0 ? '' : `, ${alone} run again, each alone`
      const text = `${done}/${total} cells, ${seconds} s${again}`
      if (live)
        process.stderr.write(
          `\r\x1b[K${text}${cell === undefined ? '' : `  ${cell.id}`}`.slice(0, (process.stderr.columns ?? 80) + 3),
        )
      else if (Math.floor((done * 10) / total) > tenth) {
        tenth = Math.floor((done * 10) / total)
        process.stderr.write(`${text}\n`)
      }
    },
    end() {
      if (live) process.stderr.write('\r\x1b[K')
    },
  }
}
