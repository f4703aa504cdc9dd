/** `badmx list`: what there is to run, and what scenarios are made of. */
import type { Argv } from 'yargs'
import { loadFaults } from '../../peers/certificates/faults.ts'
import { loadPersonas } from '../../peers/personas.ts'
import { loadBehaviours } from '../../peers/registry.ts'
import { PREDICATES } from '../../scenarios/judge/predicates.ts'
import { loadWaiting } from '../../scenarios/waiting.ts'
import { allScenarios } from '../catalogue.ts'
import { knownClients } from '../clients/index.ts'
import { FLAWS } from '../clients/reference.ts'
import type { Command, Done } from './commands.ts'
import { behavioursText, listBehaviours, listScenarios, namesText, scenariosText, waitingText } from './list.ts'
import { words } from './options.ts'

interface Given {
  readonly json: boolean
  readonly only?: string[]
  readonly behaviours: boolean
  readonly certificates: boolean
  readonly asserts: boolean
  readonly flaws: boolean
  readonly clients: boolean
  readonly waiting: boolean
  readonly personas: boolean
}

export function listCommand(done: Done): Command {
  return {
    builder: (yargs: Argv) =>
      yargs
        .option('json', { boolean: true, default: false, describe: 'as JSON' })
        .option('only', {
          array: true,
          string: true,
          requiresArg: true,
          describe: 'ids, families, globs, severity:critical',
        })
        .option('behaviours', { boolean: true, default: false, describe: 'behaviours and their parameters' })
        .option('certificates', { boolean: true, default: false, describe: 'certificate faults' })
        .option('asserts', { boolean: true, default: false, describe: 'predicates of scenarios' })
        .option('flaws', { boolean: true, default: false, describe: 'flaws of the reference client' })
        .option('clients', { boolean: true, default: false, describe: 'clients, and what each policy means to them' })
        .option('personas', { boolean: true, default: false, describe: 'known products' })
        .option('waiting', {
          boolean: true,
          default: false,
          describe: 'scenarios that cannot be run yet, and why',
        }) as unknown as Argv<object>,
    handler: async (given) => {
      const [data, text] = await contents(given as unknown as Given)
      process.stdout.write((given as unknown as Given).json ? `${JSON.stringify(data, null, 2)}\n` : text)
      done(0)
    },
  }
}

/** The same list as data and as text. */
async function contents(given: Given): Promise<[unknown, string]> {
  if (given.behaviours) {
    const behaviours = await loadBehaviours()
    return [listBehaviours(behaviours), behavioursText(behaviours)]
  }
  if (given.certificates)
    return named(new Map([...(await loadFaults()).values()].map((fault) => [fault.id, fault.title])))
  if (given.asserts) return named(new Map(Object.entries(PREDICATES).map(([id, predicate]) => [id, predicate.title])))
  if (given.flaws) return named(new Map(Object.entries(FLAWS)))
  if (given.clients) return clients()
  if (given.personas)
    return named(
      new Map(
        [...(await loadPersonas()).values()]
          .flatMap((persona) => [persona, ...Object.values(persona.options)])
          .map((persona) => [persona.id, persona.title]),
      ),
    )
  const { waiting } = await loadWaiting()
  if (given.waiting) return [waiting, waitingText(waiting)]
  const scenarios = await allScenarios()
  const only = words(given.only, 'only')
  return [listScenarios(scenarios, only, waiting), scenariosText(scenarios, only, waiting)]
}

function named(names: ReadonlyMap<string, string>): [unknown, string] {
  return [[...names].map(([id, title]) => ({ id, title })), namesText(names)]
}

async function clients(): Promise<[unknown, string]> {
  const known = await knownClients()
  const data = known.map(({ id, name, kind, policies, documented }) => ({ id, name, kind, policies, documented }))
  const text = known.map(({ id, name, policies }) => {
    const rows = Object.entries(policies).map(
      ([policy, support]) =>
        `  ${policy.padEnd(10)}${'options' in support ? support.options : `unsupported: ${support.unsupported}`}`,
    )
    return `${id} (${name})\n${rows.join('\n')}\n`
  })
  return [data, text.join('\n')]
}
