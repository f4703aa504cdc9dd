/**
 * Which behaviours there are, and whether a stack of them can prove what it does.
 *
 * Behaviours are found by listing `peers/behaviours/`: a module that exports `behaviour` is one, and its id is the name
 * of its file. Modules beside them that export none (a test's tools) are passed over.
 */
import { readdir } from 'node:fs/promises'
import { z } from 'zod'
import type { Behaviour, Moment, StackItem } from './behaviour.ts'
import { nearestName } from './nearest-name.ts'

/** A behaviour file breaks the rules of the folder: ours to mend, not a user's. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError'
  readonly code = 'behaviour-file'
}

/** What is wrong with one member of a stack. */
export interface StackProblem {
  /** Position in the stack, 0 is nearest to the client. */
  readonly index: number
  /** Where in the member: `['use']`, `['with', 'code']`, or empty for the member itself. */
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly expected?: string
  readonly nearest?: string
}

/** One parameter of a behaviour, for documentation. */
export interface ParameterText {
  readonly name: string
  /** `integer`, `string`, `"fin" or "rst"`. */
  readonly type: string
  /** As JSON; empty for a parameter that may be left away. */
  readonly default: string
  readonly description: string
}

/**
 * Loads every behaviour, sorted by id.
 *
 * @param folder where to look; by default the `behaviours` folder beside this module, as it runs.
 * @throws {RegistryError} where a module cannot be loaded, an id is not its file's name, or `{}` are no valid
 * parameters.
 */
export async function loadBehaviours(
  folder: URL = new URL('./behaviours/', import.meta.url),
): Promise<ReadonlyMap<string, Behaviour>> {
  const ending = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
  const names = (await readdir(folder))
    .filter((name) => name.endsWith(ending) && !name.endsWith(`.test${ending}`) && !name.endsWith('.d.ts'))
    .sort()
  const found = names.map(async (name) => {
    const id = name.slice(0, -ending.length)
    const behaviour = await behaviourIn(new URL(name, folder), id)
    if (behaviour !== undefined) checkFile(id, behaviour)
    return behaviour
  })
  const behaviours = (await Promise.all(found)).filter((behaviour) => behaviour !== undefined)
  return new Map(behaviours.map((behaviour) => [behaviour.id, behaviour]))
}

/**
 * Those of the shipped behaviours that the stacks name, without loading the others; all of them where a name is not known, so
 * that {@link checkStack} can tell the nearest.
 *
 * @throws {RegistryError} as {@link loadBehaviours} does
 */
export async function behavioursOf(items: readonly StackItem[]): Promise<ReadonlyMap<string, Behaviour>> {
  const ids = [...new Set(items.map(({ use }) => use))]
  const found = await Promise.all(ids.map(shippedBehaviour))
  const known = found.filter((behaviour) => behaviour !== undefined)
  if (known.length < ids.length) return loadBehaviours()
  return new Map(known.map((behaviour) => [behaviour.id, behaviour]))
}

const shipped = new Map<string, Promise<Behaviour | undefined>>()

function shippedBehaviour(id: string): Promise<Behaviour | undefined> {
  const ending = import.meta.url.slice(-'.js'.length)
  const load = async (): Promise<Behaviour | undefined> => {
    const folder = new URL('./behaviours/', import.meta.url)
    if (!(await readdir(folder)).includes(`${id}${ending}`)) return undefined
    const behaviour = await behaviourIn(new URL(`${id}${ending}`, folder), id)
    if (behaviour !== undefined) checkFile(id, behaviour)
    return behaviour
  }
  const known = shipped.get(id) ?? load()
  shipped.set(id, known)
  return known
}

async function behaviourIn(module: URL, id: string): Promise<Behaviour | undefined> {
  try {
    return ((await import(module.href)) as { behaviour?: Behaviour }).behaviour
  } catch (cause) {
    throw new RegistryError(`peers/behaviours/${id}: cannot be loaded: ${String(cause)}`, { cause })
  }
}

function checkFile(id: string, behaviour: Behaviour): void {
  if (behaviour.id !== id)
    throw new RegistryError(`peers/behaviours/${id}: got id "${behaviour.id}", want the file's name "${id}"`)
  const defaults = behaviour.parameters.safeParse({})
  if (!defaults.success)
    throw new RegistryError(
      `peers/behaviours/${id}: every parameter needs a default: ${z.prettifyError(defaults.error)}`,
    )
}

/**
 * Checks a stack, the member nearest to the client first. A verdict rests on what its members record, so these are
 * problems: an unknown behaviour, parameters that it does not take, and members that hide each other's evidence:
 *
 * - the same behaviour twice: proof is kept by its id, and one's firing would stand for the other's;
 * - two members whose firing (or absence) is needed that shape the same moment;
 * - a needed member that, once fired, `hides` a moment that another needed member shapes. The order of the two does not
 *   matter: most moments are hidden because no client gets that far.
 *
 * Companions (`fires: may`) prove nothing and conflict with nothing; of `must-not` members only the silence is
 * needed, so they can be hidden but hide nothing.
 */
export function checkStack(
  items: readonly StackItem[],
  behaviours: ReadonlyMap<string, Behaviour>,
): readonly StackProblem[] {
  const problems: StackProblem[] = []
  for (const [index, item] of items.entries()) {
    const behaviour = behaviours.get(item.use)
    if (behaviour === undefined) problems.push(unknownBehaviour(index, item.use, behaviours))
    else problems.push(...checkParameters(index, item.with ?? {}, behaviour))
    const twice = items.findIndex((other) => other.use === item.use)
    if (twice < index)
      problems.push({
        index,
        path: ['use'],
        message: `"${item.use}" stands twice in this stack: the firing of one could not be told from the other's`,
      })
    else problems.push(...hiddenBy(index, items, behaviours))
  }
  return problems
}

function unknownBehaviour(index: number, use: string, behaviours: ReadonlyMap<string, Behaviour>): StackProblem {
  const nearest = nearestName(use, behaviours.keys())
  return {
    index,
    path: ['use'],
    message: `there is no behaviour "${use}"`,
    ...(nearest === undefined ? {} : { nearest }),
  }
}

function checkParameters(index: number, given: object, behaviour: Behaviour): StackProblem[] {
  // Most members are given none.
  const names = Object.keys(given).length === 0 ? [] : parametersOf(behaviour).map((parameter) => parameter.name)
  const unknown = Object.keys(given).filter((name) => !names.includes(name))
  const problems: StackProblem[] = unknown.map((name) => {
    const nearest = nearestName(name, names)
    return {
      index,
      path: ['with', name],
      message: `${behaviour.id} has no parameter "${name}"`,
      expected: names.length === 0 ? 'no parameters' : names.join(', '),
      ...(nearest === undefined ? {} : { nearest }),
    }
  })
  const checked = behaviour.parameters.safeParse(given)
  for (const issue of checked.error?.issues ?? []) {
    if (issue.code === 'unrecognized_keys') continue
    const path = issue.path.filter((step) => typeof step !== 'symbol')
    problems.push({ index, path: ['with', ...path], message: `${behaviour.id}: ${issue.message}` })
  }
  return problems
}

/** What the members before `index` (and the member itself) do to each other's evidence; told at the later one. */
function hiddenBy(
  index: number,
  items: readonly StackItem[],
  behaviours: ReadonlyMap<string, Behaviour>,
): StackProblem[] {
  const later = needed(items[index], behaviours)
  if (later === undefined) return []
  const problems: StackProblem[] = []
  for (const item of items.slice(0, index)) {
    const earlier = needed(item, behaviours)
    if (earlier === undefined || earlier.behaviour.id === later.behaviour.id) continue
    const clash = clashOf(earlier, later) ?? clashOf(later, earlier)
    if (clash !== undefined) problems.push({ index, path: [], message: clash })
  }
  return problems
}

interface Needed {
  readonly behaviour: Behaviour
  readonly must: boolean
}

function needed(item: StackItem | undefined, behaviours: ReadonlyMap<string, Behaviour>): Needed | undefined {
  const behaviour = item === undefined ? undefined : behaviours.get(item.use)
  if (item === undefined || behaviour === undefined || item.fires === 'may') return undefined
  return { behaviour, must: item.fires !== 'must-not' }
}

function clashOf(hider: Needed, hidden: Needed): string | undefined {
  if (!hider.must) return undefined
  const [first, second] = [hider.behaviour, hidden.behaviour]
  const shared = first.shapes.find((moment) => second.shapes.includes(moment))
  if (shared !== undefined) return `"${first.id}" and "${second.id}" both shape ${shared}: ${ADVICE}`
  const covered: Moment | undefined = second.shapes.find((moment) => first.hides.includes(moment))
  if (covered !== undefined) return `"${first.id}" hides ${covered}, which "${second.id}" shapes: ${ADVICE}`
  return undefined
}

const ADVICE = 'one would hide the other\'s evidence; give the one that proves nothing "fires: may"'

/** The parameters of a behaviour, or of whatever has some, in the order in which their schema names them. */
export function parametersOf({ parameters }: Pick<Behaviour, 'parameters'>): readonly ParameterText[] {
  const schema = z.toJSONSchema(parameters, { target: 'draft-7', io: 'input', unrepresentable: 'any' })
  return Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const shape = typeof property === 'boolean' ? {} : property
    return {
      name,
      type: typeText(shape),
      default: 'default' in shape ? JSON.stringify(shape.default) : '',
      description: shape.description ?? '',
    }
  })
}

function typeText(shape: {
  type?: unknown
  enum?: unknown
  anyOf?: unknown
  items?: unknown
  const?: unknown
}): string {
  if (Array.isArray(shape.enum)) return shape.enum.map((value) => JSON.stringify(value)).join(' or ')
  if (Array.isArray(shape.anyOf)) return shape.anyOf.map((each) => typeText(each as object)).join(' or ')
  if (shape.const !== undefined) return JSON.stringify(shape.const)
  if (shape.type === 'array') return `list of ${typeText((shape.items ?? {}) as object)}`
  return typeof shape.type === 'string' ? shape.type : 'any'
}
