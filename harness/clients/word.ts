/**
 * Makes a {@link ClientWord} of how a program ended. The rules that all clients share: killed by a signal is `crashed`,
 * ended by the harness is `hung`, status 0 is `delivered`, anything else is `failed`.
 */
import type { ClientWord } from '../../scenarios/client.ts'
import type { HeardLine, ProgramResult } from '../process/program.ts'

/** What an adapter makes of its client's output; only the client's own statements. */
export interface Reading {
  readonly state?: ClientWord['state']
  readonly kind?: ClientWord['kind']
  readonly claims?: ClientWord['claims']
  /** One line. */
  readonly reason?: string
}

/** `read` is only asked about a program that ended by itself with a status. */
export function wordOf(result: ProgramResult, read: (exitCode: number) => Reading): ClientWord {
  const log = logOf(result.log)
  if (result.ended === 'signal') {
    const signal = result.signalName ?? 'unknown signal'
    return { state: 'crashed', signal, ...log, reason: `killed by ${signal}` }
  }
  if (result.ended !== 'exit') {
    const why = result.ended === 'deadline' ? 'at the deadline' : 'by the harness'
    return { state: 'hung', ...log, reason: `still running, ended ${why}` }
  }
  const exitCode = result.exitCode ?? 0
  const reading = read(exitCode)
  const { kind, claims } = reading
  return {
    state: reading.state ?? (exitCode === 0 ? 'delivered' : 'failed'),
    ...(kind === undefined || exitCode === 0 ? {} : { kind }),
    ...(claims === undefined ? {} : { claims }),
    exitCode,
    ...log,
    reason: reading.reason ?? (exitCode === 0 ? 'exit status 0' : `exit status ${exitCode}`),
  }
}

/** A log and its times, for a word. */
export function logOf(lines: readonly HeardLine[]): Required<Pick<ClientWord, 'log' | 'heard'>> {
  return { log: lines.map(({ line }) => line), heard: lines.map(({ at }) => at) }
}

/** What an SMTP reply code says of a failure (RFC 5321 §4.2.1); nothing for codes that are no failure. */
export function kindOfCode(code: number | undefined): 'temporary' | 'permanent' | undefined {
  if (code === undefined) return undefined
  if (code >= 400 && code <= 499) return 'temporary'
  return code >= 500 && code <= 599 ? 'permanent' : undefined
}

/** `{ kind }`, or nothing where it is unknown: for spreading. */
export function kindIfKnown(kind: 'temporary' | 'permanent' | undefined): { kind?: 'temporary' | 'permanent' } {
  return kind === undefined ? {} : { kind }
}
