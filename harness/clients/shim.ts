/**
 * The client of `--shim`: a library under test, driven by a program of its maintainer. It is started once and then
 * told of deliveries, one JSON object a line (README.md of this folder has the contract), so a suite does not cost a
 * thousand starts. What a policy means is for the shim to know; where its library has none, it answers `unsupported`.
 */
import { basename } from 'node:path'
import type { ClientAdapter } from '../../scenarios/client.ts'
import { wantsDns } from '../../scenarios/policy.ts'
import { findProgram } from '../process/program.ts'
import { clientEnvironment, everyPolicy } from './environment.ts'
import { deliveryJob } from './library.ts'
import { splitWords, TemplateError } from './template.ts'
import { workerClient } from './worker-client.ts'

/** Programs that run another one, which is what the client is called after. */
const INTERPRETERS = /^(node|deno|bun|python[\d.]*|ruby|perl|php|java|dotnet|sh|bash|env)$/

/**
 * @param command the words of a command line, split as a shell does; no shell runs it and it has no placeholders.
 * @param id its name in reports; by default the script's or the program's.
 * @throws {TemplateError} where the command line is wrong
 */
export function shimClient({ command, id }: { readonly command: string; readonly id?: string }): ClientAdapter {
  const words = splitWords(command)
  const program = words[0]
  if (program === undefined) throw new TemplateError('the command line is empty', 0)
  const script = words.slice(1).find((word) => !word.startsWith('-'))
  const name = basename(INTERPRETERS.test(basename(program)) && script !== undefined ? script : program)
  return workerClient({
    id: id ?? name.replace(/\.\w+$/, '').replace(/[^A-Za-z0-9.-]/g, '-'),
    name,
    policies: everyPolicy((policy) =>
      wantsDns(policy)
        ? { unsupported: `this release cannot run ${policy} without a lab` }
        : { options: `{"policy":"${policy}",…} to ${words.join(' ')}` },
    ),
    documented: { policy: 'none', source: 'a shim documents no default' },
    passwords: true,
    namesPeers: true,
    probe: async () => {
      const file = findProgram(program, process.env.PATH ?? '', process.cwd())
      if (file === undefined) return { found: false, install: `there is no program "${program}" in PATH` }
      return { found: true, version: file }
    },
    worker: async () => ({ argv: words, env: clientEnvironment(), cwd: process.cwd() }),
    job: (delivery) => deliveryJob(delivery),
  })
}
