/**
 * Personas: named sets of behaviours that are one known product. One file each, `peers/personas/<id>.yaml`, found by
 * listing; the id is the file's name. What a product may have or not (a hotfix) is an option of its persona.
 *
 * They are checked when badmx is built, and each is kept as a module (`write-personas.ts`): to load what reads and checks YAML
 * takes a third of the time until a persona says its banner.
 */
import { readdir } from 'node:fs/promises'
import type { z } from 'zod'
import type { StackItem } from './behaviour.ts'
import type { personaSchema } from './persona-file.ts'

/** A persona as its file says it, the members of its stack spelt out. */
export interface Persona extends Omit<z.infer<typeof personaSchema>, 'stack' | 'options'> {
  readonly stack: readonly StackItem[]
  /** What it is with one of its options, by the name of that. */
  readonly options: Readonly<Record<string, Persona>>
}

/** Where the build puts them. */
export const PERSONAS = new URL('./personas/', import.meta.url)

/** All personas, sorted by id. */
export async function loadPersonas(): Promise<ReadonlyMap<string, Persona>> {
  return new Map(await Promise.all((await personaIds()).map(async (id) => [id, await readPersona(id)] as const)))
}

/** Sorted. */
export async function personaIds(): Promise<readonly string[]> {
  const files = (await readdir(PERSONAS)).filter((file) => file.endsWith('.js'))
  return files.map((file) => file.slice(0, -'.js'.length)).sort()
}

/** One of {@link personaIds}. */
export async function readPersona(id: string): Promise<Persona> {
  const { persona } = (await import(new URL(`${id}.js`, PERSONAS).href)) as { persona: Persona }
  return persona
}
