/**
 * The event log as text: NDJSON, one event a line, `badmx/events/1`. Pure.
 *
 * What always holds: what is read has the shape that judging relies on, and a mistake is told with its line; a last line
 * that was cut off in the middle is the end of an interrupted run, not a mistake.
 */
import { decodeEvent, encodeEvent } from '../../peers/events.ts'
import type { LogEvent } from '../events.ts'
import { LogError } from './log-error.ts'
import { shapeProblem } from './log-shape.ts'

/** One line, with its line end. */
export function writeEvent(event: LogEvent): string {
  return `${encodeEvent(event)}\n`
}

/**
 * Reads a log, lazily. `file` is the name that errors begin with.
 *
 * @throws {LogError} `file:line: got …; want …`
 */
export function* readLog(text: string, file: string): Generator<LogEvent> {
  let line = 0
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\n', at)
    const last = end === -1
    const content = text.slice(at, last ? text.length : end).trim()
    at = last ? text.length : end + 1
    line += 1
    if (content === '') continue
    const event = readEvent(content, `${file}:${line}`, last)
    if (event !== undefined) yield event
  }
}

function readEvent(content: string, place: string, last: boolean): LogEvent | undefined {
  let value: unknown
  try {
    value = decodeEvent(content)
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof TypeError)) throw error
    if (last) return undefined
    throw new LogError(`${place}: got text that is no JSON object`, 'one event of badmx/events/1')
  }
  const problem = shapeProblem(value)
  if (problem !== undefined) throw new LogError(`${place}: ${problem.got}`, problem.want)
  return value as LogEvent
}
