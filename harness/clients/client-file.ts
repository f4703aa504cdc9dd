/**
 * A client in a file of its own (YAML), for programs whose options differ from policy to policy:
 *
 *     id: mymailer
 *     name: My Mailer
 *     probe: mymailer --version
 *     command: mymailer --server {name} --connect {host}:{port} {arguments} --from {from} -- {to}
 *     policies:
 *       none: --no-tls
 *       verify: --tls --ca {ca}
 *
 * A policy that the file does not name is `unsupported`. Every mistake is told with its line and column.
 */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { ClientAdapter } from '../../scenarios/client.ts'
import { POLICIES, type Policy } from '../../scenarios/policy.ts'
import { type Finding, type Problem, problemText, sortProblems } from '../../scenarios/problem.ts'
import { findings, readYaml } from '../../scenarios/yaml-file.ts'
import { STATUSES, type TemplateClient, templateClient } from './command.ts'
import { isUnsupported } from './environment.ts'
import { probeProgram } from './program-client.ts'
import { mentions, splitWords, TemplateError } from './template.ts'

const statuses = z.array(z.int().min(1).max(255))
const judged = POLICIES.filter((policy) => policy !== 'default')

/** The form of a client file. */
export const clientFileSchema = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'want small letters, digits and single hyphens')
    .describe('Its name on the command line and in cell names.'),
  name: z.string().min(1).describe('As its makers write it.'),
  probe: z.string().min(1).describe('A command line whose first line of output is its version.'),
  install: z.string().min(1).optional().describe('How to get it: a command or a sentence.'),
  command: z
    .string()
    .min(1)
    .describe(
      'The command line. `{arguments}`, as a word by itself, is where the arguments of the policy go; else the end.',
    ),
  policies: z
    .partialRecord(
      z.enum(POLICIES),
      z.union([z.string(), z.strictObject({ unsupported: z.string().min(1).describe('Why, in its own words.') })]),
    )
    .describe('Arguments per policy, or why it has none. `default` is its untouched configuration, usually empty.'),
  documented: z
    .strictObject({ policy: z.enum(judged), source: z.string().min(1).describe('Where it says so.') })
    .optional()
    .describe('The policy that its documentation claims for an untouched configuration; needed for `default`.'),
  exit: z
    .strictObject({
      unsupported: statuses.default([...STATUSES.unsupported]).describe('Exit statuses for "I cannot do this".'),
      temporary: statuses.default([...STATUSES.temporary]).describe('Exit statuses for "try again later".'),
    })
    .prefault({}),
  environment: z
    .record(z.string(), z.string())
    .default({})
    .describe('Variables; placeholders are filled in, {to} with the first recipient.'),
  stdin: z.enum(['message', 'none']).optional().describe('Default: the message where no argument is {message}.'),
})

type ClientFile = z.infer<typeof clientFileSchema>

/** Mistakes in a client file. */
export class ClientFileError extends Error {
  override readonly name = 'ClientFileError'
  readonly code = 'client-file'
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    const sorted = sortProblems(problems)
    super(sorted.map(problemText).join('\n'))
    this.problems = sorted
  }
}

/**
 * Reads a client file.
 *
 * @throws {ClientFileError} where it is wrong; the errors of `node:fs` where it cannot be read
 */
export function loadClientFile(path: string): ClientAdapter {
  const yaml = readYaml(path, readFileSync(path, 'utf8'))
  if (yaml.problems.length > 0) throw new ClientFileError(yaml.problems)
  const wrong = findings(clientFileSchema, yaml.value)
  if (wrong.length > 0) throw new ClientFileError(wrong.map(yaml.locate))
  const file = clientFileSchema.parse(yaml.value)
  const found: Finding[] = []
  const words = (path: readonly string[], text: string): string[] => {
    try {
      return splitWords(text.replace(/(^|\s)\{arguments\}(?=\s|$)/, `$1${ARGUMENTS}`))
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error
      found.push({ path, message: error.message })
      return []
    }
  }
  const probe = words(['probe'], file.probe)
  const table = wordTable(file, words, found)
  if (file.policies.default !== undefined && file.documented === undefined)
    found.push({
      path: ['policies', 'default'],
      atKey: true,
      message: '"default" needs "documented": what to judge it as',
    })
  if (found.length > 0) throw new ClientFileError(found.map(yaml.locate))
  const all = Object.values(table).filter((entry) => !isUnsupported(entry))
  const inMessage = all.some((entry) => mentions(entry as readonly string[], 'message'))
  return templateClient({
    id: file.id,
    name: file.name,
    documented: file.documented ?? { policy: 'none', source: 'the client file claims nothing' },
    words: table,
    statuses: file.exit,
    stdin: file.stdin === undefined ? !inMessage : file.stdin === 'message',
    environment: file.environment,
    probe: () => probeProgram(probe, file.install ?? `install ${file.name}`),
  })
}

/** Stands for the word `{arguments}` while a command line is split. */
const ARGUMENTS = '\u0000arguments'

function wordTable(
  file: ClientFile,
  split: (path: readonly string[], text: string) => string[],
  found: Finding[],
): TemplateClient['words'] {
  const common = split(['command'], file.command)
  const placed = common.includes(ARGUMENTS)
  const table = POLICIES.map((policy): [Policy, readonly string[] | { unsupported: string }] => {
    const entry = file.policies[policy]
    if (entry === undefined) return [policy, { unsupported: `the client file has no arguments for ${policy}` }]
    if (typeof entry !== 'string') return [policy, entry]
    const own = split(['policies', policy], entry)
    const all = placed ? common.flatMap((word) => (word === ARGUMENTS ? own : [word])) : [...common, ...own]
    if (!mentions(all, 'port') || !(mentions(all, 'host') || mentions(all, 'name')))
      found.push({ path: ['command'], message: `under "${policy}" it says no {host} (or {name}) and {port}` })
    return [policy, all]
  })
  return Object.fromEntries(table) as TemplateClient['words']
}
