/** Octets of a message as a few visible lines. */
import { clip, count, visibleOctets } from '../text.ts'
import type { Message } from './messages.ts'

/** Lines that are shown from the start. */
const HEAD = 6

/**
 * The lines of a message without their CRLF (a bare LF is shown): six from the start and the last three, of content only
 * the last, each of at most 300 characters; what is left out is counted, also what the log left out.
 */
export function abbreviated({ octets, form, length }: Pick<Message, 'octets' | 'form' | 'length'>): string[] {
  const all: string[] = []
  for (let start = 0; start < octets.length; ) {
    const end = octets.indexOf(0x0a, start)
    const whole = octets.subarray(start, end === -1 ? octets.length : end + 1)
    const crlf = whole.at(-1) === 0x0a && whole.at(-2) === 0x0d
    all.push(clip(visibleOctets(crlf ? whole.subarray(0, -2) : whole), 300))
    start += whole.length
  }
  const tail = form === 'content' ? 1 : 3
  const left = all.length - HEAD - tail
  if (left >= 2)
    return [
      ...all.slice(0, HEAD),
      `… ${count(left, 'more line')}, ${count(length, 'octet')} in all`,
      ...all.slice(-tail),
    ]
  return length > octets.length ? [...all, `… ${count(length, 'octet')} in all`] : all
}

/** A line of a reply without its code and hyphen, so that `250-SIZE` is the same as `250 SIZE`. */
export function withoutCode(line: string): string {
  return line.replace(/^\d{3}[ -]/, '')
}
