/**
 * Command lines with placeholders, as a person writes them: `prog --host {host}:{port} -- {to}`. They are split into
 * words the way a shell does (POSIX.1-2017 XCU §2.2 for quotes and backslashes), but no shell ever sees them: what
 * would need one (pipes, redirections, variables) is an error and not an argument. Placeholders are filled in after the
 * splitting, so nothing in an address or a password can become another word.
 */
import { nearestName } from '../../peers/nearest-name.ts'
import type { Delivery } from '../../scenarios/client.ts'

/** What a placeholder stands for; the help text of `--command`. */
export const PLACEHOLDERS = {
  name: "the peer's name, which its certificate is checked against",
  host: "the peer's address",
  port: "the peer's port",
  from: 'the envelope sender',
  to: 'a recipient; its word is repeated for each, and so is an option just before it (--rcpt {to})',
  message: 'a file with the message (CRLF line ends); without it the message is on standard input',
  ca: 'a PEM file with the only root to trust',
  user: 'the user name for AUTH',
  password: 'the password for AUTH',
  certificate: 'a PEM file with the client certificate chain',
  key: 'a PEM file with its key',
  ciphers: 'cipher suites, in the words of the client',
  policy: 'the policy of the cell: none, may, encrypt, verify, implicit, …',
} as const
export type Placeholder = keyof typeof PLACEHOLDERS

/** A mistake in a command line. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'
  readonly code = 'command-line'
  /** Characters into the text, from 0. */
  readonly at: number

  constructor(message: string, at: number) {
    super(message)
    this.at = at
  }
}

/** Characters that mean something to a shell outside quotes; `$` and the backquote in double quotes too. */
const SHELL = /[|&;<>()$`]/

/**
 * Splits a command line into words.
 *
 * @throws {TemplateError} for an open quote, a shell's operator, or an unknown placeholder
 */
export function splitWords(text: string): string[] {
  const words: string[] = []
  let word: string | undefined
  let quote: { readonly mark: string; readonly at: number } | undefined
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at)
    const next = text.charAt(at + 1)
    if (quote === undefined && /\s/.test(char)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else if (char === quote?.mark) quote = undefined
    else if (quote === undefined && (char === '"' || char === "'")) {
      quote = { mark: char, at }
      word ??= ''
    } else if (char === '\\' && quote?.mark !== "'" && (quote === undefined ? next !== '' : /["\\$`]/.test(next))) {
      word = (word ?? '') + next
      at += 1
    } else if (quote === undefined ? SHELL.test(char) : quote.mark === '"' && /[$`]/.test(char)) {
      throw new TemplateError(`got "${char}", but no shell runs this: quote it, or write sh -c '…'`, at)
    } else word = (word ?? '') + char
  }
  if (quote !== undefined) throw new TemplateError(`the quote ${quote.mark} is never closed`, quote.at)
  if (word !== undefined) words.push(word)
  checkPlaceholders(text)
  return words
}

function checkPlaceholders(text: string): void {
  for (const found of text.matchAll(/\{([a-z]+)\}/g)) {
    const name = found[1] ?? ''
    if (Object.hasOwn(PLACEHOLDERS, name)) continue
    const nearest = nearestName(name, Object.keys(PLACEHOLDERS))
    const hint =
      nearest === undefined ? `want one of ${Object.keys(PLACEHOLDERS).join(', ')}` : `did you mean {${nearest}}?`
    throw new TemplateError(`unknown placeholder {${name}}; ${hint}`, found.index)
  }
}

/** Whether one of the words has this placeholder. */
export function mentions(words: readonly string[], placeholder: Placeholder): boolean {
  return words.some((word) => word.includes(`{${placeholder}}`))
}

/** The words of one delivery. What the delivery does not have (a password, a certificate) becomes an empty text. */
export function fillIn(words: readonly string[], delivery: Delivery, messageFile: string): string[] {
  const values: Readonly<Record<Exclude<Placeholder, 'to'>, string>> = {
    name: delivery.hostName,
    host: delivery.address,
    port: String(delivery.port),
    from: delivery.from,
    message: messageFile,
    ca: delivery.caFile,
    user: delivery.credentials?.user ?? '',
    password: delivery.credentials?.password ?? '',
    certificate: delivery.clientCertificate?.chainFile ?? '',
    key: delivery.clientCertificate?.keyFile ?? '',
    ciphers: delivery.ciphers ?? '',
    policy: delivery.policy,
  }
  const fill = (word: string, to: string) =>
    word.replace(/\{([a-z]+)\}/g, (_, name: string) => (name === 'to' ? to : values[name as keyof typeof values]))
  return words.flatMap((word, index) => {
    if (word.includes('{to}')) {
      const option = optionBefore(words, index)
      return delivery.to.flatMap((recipient) => [...option, fill(word, recipient)])
    }
    return optionBefore(words, index + 1).length > 0 ? [] : [fill(word, '')]
  })
}

/** The option that belongs to a `{to}` at `index`: the word before, where the two are an option and its argument. */
function optionBefore(words: readonly string[], index: number): readonly string[] {
  const option = words[index - 1]
  return words[index] === '{to}' && option !== undefined && /^--?[A-Za-z][\w-]*$/.test(option) ? [option] : []
}
