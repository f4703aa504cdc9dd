/**
 * Personas: named sets of behaviours that are one known product. One file each, `peers/personas/<id>.yaml`, found by
 * listing; the id is the file's name.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import type { StackItem } from './behaviour.ts'
import { packageRoot } from './package-root.ts'
import { legacyTlsSchema } from './tls/legacy/options.ts'

const version = z.enum(['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'])

const member = z.union([
  z.string(),
  z.strictObject({
    use: z.string(),
    with: z.record(z.string(), z.unknown()).optional(),
    fires: z.enum(['must', 'may', 'must-not']).optional(),
  }),
])

export const personaSchema = z.strictObject({
  id: z.string(),
  title: z.string().min(1).describe('The product, and what is wrong with it.'),
  source: z.array(z.string().min(1)).min(1),
  stack: z.array(member).default([]),
  certificate: z.string().default('good').describe('`good`, or the id of a certificate fault.'),
  tls: z
    .strictObject({
      on: z.enum(['starttls', 'connect', 'none']).default('starttls'),
      min: version.default('TLSv1.2'),
      max: version.default('TLSv1.3'),
      ciphers: z.string().optional().describe('OpenSSL cipher list for TLS 1.2 and below.'),
      clientCertificate: z.enum(['request', 'require']).optional(),
      authorities: z.int().min(1).max(1000).optional().describe('How many authorities the request names.'),
      legacy: legacyTlsSchema.optional().describe('The server is of the legacy engine.'),
    })
    .prefault({}),
  withoutServerName: z
    .strictObject({ certificate: z.string(), max: version.optional() })
    .optional()
    .describe('What a client without SNI gets instead.'),
  extensions: z
    .strictObject({ beforeTls: z.array(z.string()).optional(), afterTls: z.array(z.string()).optional() })
    .prefault({}),
})

/** A persona as its file says it, the members of its stack spelt out. */
export interface Persona extends Omit<z.infer<typeof personaSchema>, 'stack'> {
  readonly stack: readonly StackItem[]
}

/**
 * All personas, sorted by id.
 *
 * @throws Error where a file has not the form, or another id than its name: a mistake of ours.
 */
export async function loadPersonas(): Promise<ReadonlyMap<string, Persona>> {
  return new Map(await Promise.all((await personaIds()).map(async (id) => [id, await readPersona(id)] as const)))
}

/** Sorted. */
export async function personaIds(): Promise<readonly string[]> {
  const files = (await readdir(folder())).filter((file) => file.endsWith('.yaml'))
  return files.map((file) => file.slice(0, -'.yaml'.length)).sort()
}

/** One of {@link personaIds}. @throws as {@link loadPersonas} does. */
export async function readPersona(id: string): Promise<Persona> {
  const file = `peers/personas/${id}.yaml`
  const parsed = personaSchema.safeParse(parse(await readFile(join(folder(), `${id}.yaml`), 'utf8')))
  if (!parsed.success) throw new Error(`${file}: ${z.prettifyError(parsed.error)}`)
  if (parsed.data.id !== id) throw new Error(`${file}: got id "${parsed.data.id}", want the file's name`)
  return { ...parsed.data, stack: parsed.data.stack.map(spelt) }
}

function folder(): string {
  return join(packageRoot(), 'peers', 'personas')
}

function spelt(item: z.infer<typeof member>): StackItem {
  if (typeof item === 'string') return { use: item }
  return {
    use: item.use,
    ...(item.with === undefined ? {} : { with: item.with }),
    ...(item.fires === undefined ? {} : { fires: item.fires }),
  }
}
