/**
 * JSON Schema (draft-7) of scenario files, for editors: completion of keys and names, descriptions, and a red line
 * under a mistake. Made from the schema that the loader checks with, so the two cannot differ.
 */
import { z } from 'zod'
import type { KnownNames } from './check.ts'
import { matrixSchema, scenarioSchema } from './schema.ts'

/**
 * One schema for both forms: a file that has `scenarios` is a matrix, any other holds one scenario.
 *
 * @param known the names that are offered for completion; a kind that is absent stays free text.
 */
export function scenarioJsonSchema(known: KnownNames = {}): object {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'A badmx scenario file',
    type: 'object',
    if: { required: ['scenarios'] },
    then: schemaOf(matrixSchema, 'Several scenarios that share fields', known),
    else: schemaOf(scenarioSchema, 'A scenario', known),
  }
}

function schemaOf(schema: z.ZodType, title: string, known: KnownNames): object {
  const { $schema: _, ...node }: Node = z.toJSONSchema(schema, { target: 'draft-7', io: 'input' })
  complete(node, known)
  return { ...node, title }
}

type Node = Record<string, unknown>

/** Adds the known names, in place, wherever the form has a place for one. */
function complete(node: Node, known: KnownNames): void {
  const lists: Readonly<Record<string, readonly string[] | undefined>> = {
    use: known.behaviours === undefined ? undefined : [...known.behaviours.keys()],
    certificate: known.certificates,
    clientCertificate: known.clientCertificates,
    assert: known.asserts,
    name: known.flaws,
  }
  for (const [key, property] of Object.entries((node.properties ?? {}) as Record<string, Node>)) {
    const names = lists[key]
    const place = property.type === 'array' ? (property.items as Node) : property
    if (names !== undefined && place.type === 'string') place.enum = names
    if (key === 'stack' && lists.use !== undefined) offerShortForm(property, lists.use)
  }
  for (const inner of Object.values(node)) {
    if (Array.isArray(inner)) for (const each of inner) descend(each, known)
    else descend(inner, known)
  }
}

function descend(value: unknown, known: KnownNames): void {
  if (typeof value === 'object' && value !== null) complete(value as Node, known)
}

/** A member of a stack may be the bare id of a behaviour. */
function offerShortForm(stack: Node, behaviours: readonly string[]): void {
  const alternatives = ((stack.items as Node | undefined)?.anyOf ?? []) as Node[]
  for (const alternative of alternatives) if (alternative.type === 'string') alternative.enum = behaviours
}
