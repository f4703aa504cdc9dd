/** The last step of the build: checks the personas and writes a module of each, beside the compiled ones. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { checkedPersonas } from './persona-file.ts'
import { PERSONAS } from './personas.ts'

mkdirSync(PERSONAS, { recursive: true })
for (const persona of checkedPersonas())
  writeFileSync(new URL(`${persona.id}.js`, PERSONAS), `export const persona = ${JSON.stringify(persona)}\n`)
