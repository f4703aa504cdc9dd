/** Parameters that are octets: text in which every character is one octet (latin1), so that YAML's escapes can write any. */
import { z } from 'zod'

/** `fallback` is the default; the description says what the octets are for. */
export function octets(fallback: string, description: string): z.ZodType<string, string | undefined> {
  return z
    .string()
    .regex(/^[\u0000-\u00ff]*$/, 'every character must be one octet, U+0000 to U+00FF')
    .default(fallback)
    .describe(`${description} One octet per character; line ends are written out (\\r\\n).`)
}

/** The octets of such a parameter. */
export function octetsOf(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}

/** The code that a client reads from these octets: that of the first reply's last line, 0 where there is none (RFC 5321 §4.2). */
export function codeOf(text: string): number {
  const last = /^([2-5][0-9]{2})(?:[ \r\n]|$)/m.exec(text)
  return last === null ? 0 : Number(last[1])
}

/** Octets as a person reads them in a detail line, cut after 60 characters. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text)
}
