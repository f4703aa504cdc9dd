/**
 * The files that personas are written in: their form, and the way from one of them to the persona, which the build keeps.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import type { StackItem } from './behaviour.ts'
import { packageRoot } from './package-root.ts'
import type { Persona } from './personas.ts'
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

const option = z.strictObject({
  title: z.string().min(1).describe('What it is then, behind the title of the persona.'),
  source: z.array(z.string().min(1)).min(1),
  changes: z.record(z.string(), z.unknown()).describe('Fields of the persona: maps are merged, all else is replaced.'),
})

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
  options: z
    .record(z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/), option)
    .default({})
    .describe('What may be switched on.'),
})

/**
 * All of the folder `peers/personas`, sorted by id.
 *
 * @throws Error where a file has not the form, or another id than its name: a mistake of ours.
 */
export function checkedPersonas(): readonly Persona[] {
  const folder = join(packageRoot(), 'peers', 'personas')
  const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'))
  return files.sort().map((file) => {
    const persona = personaOf(parse(readFileSync(join(folder, file), 'utf8')), file)
    if (`${persona.id}.yaml` !== file)
      throw new Error(`peers/personas/${file}: got id "${persona.id}", want the file's name`)
    return persona
  })
}

function personaOf(document: unknown, name: string): Persona {
  const parsed = personaSchema.safeParse(document)
  if (!parsed.success) throw new Error(`peers/personas/${name}: ${z.prettifyError(parsed.error)}`)
  const { options, stack, ...persona } = parsed.data
  const withOption = ([id, { title, source, changes }]: [string, z.infer<typeof option>]): [string, Persona] => {
    const changed = {
      ...(merged(document, changes) as object),
      ...{ id: `${persona.id}:${id}=true`, title: `${persona.title}, ${title}` },
      ...{ source: [...persona.source, ...source], options: {} },
    }
    return [id, personaOf(changed, `${name}, option ${id}`)]
  }
  return {
    ...persona,
    stack: stack.map(spelt),
    options: Object.fromEntries(Object.entries(options).map(withOption)),
  }
}

function merged(base: unknown, changes: unknown): unknown {
  if (!isMap(base) || !isMap(changes)) return changes
  const all = { ...base }
  for (const [key, change] of Object.entries(changes)) all[key] = merged(base[key], change)
  return all
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function spelt(item: z.infer<typeof member>): StackItem {
  if (typeof item === 'string') return { use: item }
  return {
    use: item.use,
    ...(item.with === undefined ? {} : { with: item.with }),
    ...(item.fires === undefined ? {} : { fires: item.fires }),
  }
}
