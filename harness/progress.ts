/** The progress line of a run on stderr: rewritten in place for a person, a line per tenth for a log file. */
import type { PlannedCell } from '../scenarios/plan.ts'

export interface Progress {
  step(done: number, total: number, cell?: PlannedCell): void
  /** So many of the cells have come to nothing beside others, and are run again. */
  again(cells: number): void
  end(): void
}

export function progressLine(): Progress {
  const live = process.stderr.isTTY === true && !process.env['CI']
  const began = performance.now()
  let tenth = 0
  let alone = ''
  return {
    again(cells) {
      alone = `, ${cells} run again, each alone`
      if (!live) process.stderr.write(`${cells} cells run again, each alone\n`)
    },
    step(done, total, cell) {
      const seconds = ((performance.now() - began) / 1000).toFixed(1)
      const text = `${done}/${total} cells, ${seconds} s${live ? alone : ''}`
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
