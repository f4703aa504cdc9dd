/**
 * Any program as a client under test: a command line with placeholders (`--command`), or what a client file says.
 *
 * The contract is that of a one-shot mail program: exit status 0 is "delivered", 75 (EX_TEMPFAIL of sysexits.h) is "try
 * again later", 127 is "I cannot do this" (as a shell says it of a missing command), anything else is a failure. What a
 * delivery has and the command line has no place for (a password, a client certificate, ciphers) is `unsupported`,
 * never silently left out.
 */
import { basename } from 'node:path'
import type { ClientAdapter, Delivery, Probe } from '../../scenarios/client.ts'
import { POLICIES, type Policy, wantsDns } from '../../scenarios/policy.ts'
import { findProgram, type ProgramResult } from '../process/program.ts'
import { isUnsupported, supportTable } from './environment.ts'
import { programClient } from './program-client.ts'
import { fillIn, mentions, splitWords, TemplateError } from './template.ts'
import type { Reading } from './word.ts'

/** Exit statuses with a meaning of their own. */
export interface Statuses {
  readonly unsupported: readonly number[]
  readonly temporary: readonly number[]
}

export const STATUSES: Statuses = { unsupported: [127], temporary: [75] }

export interface TemplateClient extends Pick<ClientAdapter, 'id' | 'name' | 'documented'> {
  /** The words of the command line per policy. */
  readonly words: Readonly<Record<Policy, readonly string[] | { readonly unsupported: string }>>
  readonly statuses: Statuses
  /** Whether the message is given on standard input. */
  readonly stdin: boolean
  /** Added to the client's environment; values may have placeholders. */
  readonly environment: Readonly<Record<string, string>>
  probe(): Promise<Probe>
}

/** The adapter of a program that is described by command lines. */
export function templateClient(client: TemplateClient): ClientAdapter {
  const lines = POLICIES.map((policy) => client.words[policy]).filter((words) => !isUnsupported(words))
  const everywhere = (...placeholders: Parameters<typeof mentions>[1][]) =>
    placeholders.some((placeholder) => lines.every((words) => mentions(words as readonly string[], placeholder)))
  return programClient({
    id: client.id,
    name: client.name,
    documented: client.documented,
    policies: supportTable(client.words, (words) => words.map(shown).join(' ')),
    passwords: everywhere('password'),
    namesPeers: everywhere('name'),
    probe: () => client.probe(),
    refuses: (delivery) => missing(wordsOf(client, delivery), delivery),
    command: (delivery, messageFile) => {
      const environment = Object.entries(client.environment)
      // one recipient, so that no value is repeated
      const first = { ...delivery, to: delivery.to.slice(0, 1) }
      const values = fillIn(
        environment.map(([, value]) => value),
        first,
        messageFile,
      )
      return {
        argv: fillIn(wordsOf(client, delivery), delivery, messageFile),
        ...(client.stdin ? { input: delivery.message } : {}),
        env: Object.fromEntries(environment.map(([name], index) => [name, values[index] ?? ''])),
      }
    },
    read: (result) => read(result, client.statuses),
  })
}

function wordsOf(client: TemplateClient, delivery: Delivery): readonly string[] {
  const words = client.words[delivery.policy]
  return isUnsupported(words) ? [] : words
}

function missing(words: readonly string[], delivery: Delivery): string | undefined {
  const needed = [
    ['password', delivery.credentials],
    ['certificate', delivery.clientCertificate],
    ['ciphers', delivery.ciphers],
  ] as const
  const lacking = needed.find(([placeholder, value]) => value !== undefined && !mentions(words, placeholder))
  return lacking === undefined ? undefined : `the command line has no {${lacking[0]}}`
}

function read(result: ProgramResult, statuses: Statuses): Reading {
  const exitCode = result.exitCode ?? 0
  const last = `${result.stdout}\n${result.stderr}`.split('\n').findLast((line) => line.trim() !== '')
  const reason = last === undefined ? `exit status ${exitCode}` : `exit status ${exitCode}: ${last.trim()}`
  if (statuses.unsupported.includes(exitCode)) return { state: 'unsupported', reason }
  return { ...(statuses.temporary.includes(exitCode) ? { kind: 'temporary' as const } : {}), reason }
}

/** A word as it has to be written in a template. */
function shown(word: string): string {
  return word !== '' && !/[\s"'\\|&;<>()$`]/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

/**
 * The client of `--command`. The same command line serves every policy that this release can run: what it does about
 * them is for `{policy}` to tell it, and it says by exit status 127 that it cannot.
 *
 * @param template words with the placeholders of {@link ./template.ts}; `{port}` and one of `{host}` and `{name}` are
 *   required. Without `{message}` the message is on standard input.
 * @param id its name in reports; by default the program's.
 * @throws {TemplateError} where the template is wrong
 */
export function commandClient({ id, template }: { readonly id?: string; readonly template: string }): ClientAdapter {
  const words = splitWords(template)
  const program = words[0]
  if (program === undefined) throw new TemplateError('the command line is empty', 0)
  if (!mentions(words, 'port') || !(mentions(words, 'host') || mentions(words, 'name')))
    throw new TemplateError('the command line says no {host} (or {name}) and {port}: it could not find the peer', 0)
  const table = POLICIES.map((policy) => [
    policy,
    wantsDns(policy) ? { unsupported: `this release cannot run ${policy} without a lab` } : words,
  ])
  return templateClient({
    id: id ?? basename(program).replace(/[^A-Za-z0-9.-]/g, '-'),
    name: basename(program),
    documented: { policy: 'none', source: 'a command line documents no default' },
    words: Object.fromEntries(table) as TemplateClient['words'],
    statuses: STATUSES,
    stdin: !mentions(words, 'message'),
    environment: {},
    probe: async () => {
      const file = findProgram(program, process.env.PATH ?? '', process.cwd())
      if (file === undefined) return { found: false, install: `there is no program "${program}" in PATH` }
      return { found: true, version: file }
    },
  })
}
