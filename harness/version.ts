/** The version of badmx, from its package. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../peers/package-root.ts'

export const VERSION: string = (
  JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string }
).version
