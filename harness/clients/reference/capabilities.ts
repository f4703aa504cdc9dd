/** What a server offers, read from its reply to EHLO (RFC 5321 §4.1.1.1). */
import type { Reply } from './replies.ts'
import { MECHANISMS, type Mechanism } from './sasl.ts'

export interface Keyword {
  /** In upper case. */
  readonly name: string
  readonly parameters: string
}

export interface Capabilities {
  readonly keywords: ReadonlyMap<string, string>
  /** How many lines offer STARTTLS. */
  readonly startTls: number
}

/** What is on offer after HELO. */
export const NO_CAPABILITIES: Capabilities = { keywords: new Map(), startTls: 0 }

/**
 * The keyword of one line, in any case (§2.4) and lenient with blanks, which can only bring TLS about. The first line
 * names the server and offers nothing; but no server is called STARTTLS, so that word counts there too.
 */
export function readKeyword(line: string, first: boolean): Keyword | undefined {
  const [word = '', ...rest] = line.replace(/^[ \t]+|[ \t]+$/g, '').split(/[ \t]+/)
  const name = word.toUpperCase()
  if (first && name !== 'STARTTLS') return undefined
  // "AUTH=PLAIN LOGIN" is what servers said before RFC 2554.
  if (name.startsWith('AUTH=')) return { name: 'AUTH', parameters: [name.slice(5), ...rest].join(' ') }
  return { name, parameters: rest.join(' ') }
}

export function readCapabilities(reply: Reply, read: typeof readKeyword): Capabilities {
  const found = reply.lines.map((line, at) => read(line, at === 0)).filter((keyword) => keyword !== undefined)
  return {
    keywords: new Map(found.map(({ name, parameters }) => [name, parameters])),
    startTls: found.filter(({ name }) => name === 'STARTTLS').length,
  }
}

/** The mechanism to use, of those offered (RFC 4954 §3). */
export function chooseMechanism(offered: Capabilities): Mechanism | undefined {
  const names = (offered.keywords.get('AUTH') ?? '').toUpperCase().split(' ')
  return MECHANISMS.find((name) => names.includes(name))
}
