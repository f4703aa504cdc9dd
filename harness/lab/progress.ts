/** The progress of a build on stderr: a bar rewritten in place for a person, a line per thing that is built for a log file. */

import type { BuildStep } from './layer.ts'

/** Characters of the bar. */
const BAR = 24

export interface BuildProgress {
  readonly step: BuildStep
  end(): void
}

export function buildProgress(
  stream: NodeJS.WriteStream = process.stderr,
  environment: NodeJS.ProcessEnv = process.env,
): BuildProgress {
  const live = stream.isTTY === true && !environment['CI'] && environment['TERM'] !== 'dumb'
  const began = performance.now()
  const seconds = (): string => `${((performance.now() - began) / 1000).toFixed(0)} s`
  let told = ''
  return {
    step(what, doing, share) {
      if (live) {
        const full = Math.round(Math.min(Math.max(share, 0), 1) * BAR)
        const line = `${'#'.repeat(full)}${'-'.repeat(BAR - full)} ${seconds()}  ${what}: ${doing}`
        stream.write(`\r\x1b[K${line.slice(0, (stream.columns ?? 80) - 1)}`)
        return
      }
      if (what !== told)
        stream.write(`badmx: building ${what}
`)
      told = what
    },
    end() {
      if (live) stream.write('\r\x1b[K')
    },
  }
}
