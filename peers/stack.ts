/** From the stacks that a peer is given to members that are ready to be used. */
import type { Behaviour, StackItem } from './behaviour.ts'

/** The stack names something that there is not, or members that hide each other's evidence. */
export class StackError extends Error {
  override readonly name = 'StackError'
  readonly code = 'stack'
}

/** One stack for all connections, or several of which each connection or client gets one. */
export type Stacks = Members | Rotation

type Members = readonly (string | StackItem)[]

export interface Rotation {
  readonly vectors: readonly Members[]
  /** `client`: all connections from one address get the same. */
  readonly per: 'connection' | 'client'
  /** `seeded`: drawn with {@link PeerOptions.seed}, the same for the same order of arrivals. */
  readonly order: 'round-robin' | 'seeded'
}

export interface Member {
  readonly behaviour: Behaviour
  readonly parameters: unknown
  readonly memory: Map<string, unknown>
}

/** Stacks that are ready to be used, and how one is chosen. */
export interface Vectors {
  readonly stacks: readonly (readonly Member[])[]
  readonly per: Rotation['per']
  readonly order: Rotation['order']
}

/** Loads what the stack names. @throws {StackError} */
export async function vectorsOf(stack: Stacks): Promise<Vectors> {
  if (!('vectors' in stack)) return { stacks: [await resolveStack(stack)], per: 'connection', order: 'round-robin' }
  if (stack.vectors.length === 0) throw new StackError('a rotation needs one vector or more')
  return { ...stack, stacks: await Promise.all(stack.vectors.map(resolveStack)) }
}

async function resolveStack(stack: Members): Promise<Member[]> {
  if (stack.length === 0) return []
  const { behavioursOf, checkStack } = await import('./registry.ts')
  const items = stack.map((item) => (typeof item === 'string' ? { use: item } : item))
  const behaviours = await behavioursOf(items)
  const [problem] = checkStack(items, behaviours)
  if (problem !== undefined) {
    const hint = problem.nearest === undefined ? '' : ` (did you mean "${problem.nearest}"?)`
    throw new StackError(
      `stack member ${problem.index + 1}: ${problem.message}${hint}${problem.expected === undefined ? '' : `; expected ${problem.expected}`}`,
    )
  }
  return items.flatMap((item) => {
    const behaviour = behaviours.get(item.use)
    return behaviour === undefined
      ? []
      : [{ behaviour, parameters: behaviour.parameters.parse(item.with ?? {}), memory: new Map() }]
  })
}
