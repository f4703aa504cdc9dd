/** For the tests of the lab: visits (see visitor.ts) as processes, caches of a test's own, and the layers that many tests use. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Program, type Test } from '../../test/program.ts'
import { UserError } from '../../user-error.ts'
import { cacheFolder, FOLDERS, openCache } from '../cache.ts'
import { ensureLayer, type Layer } from '../layer.ts'
import { layerSpec } from '../packages.ts'
import { labSupport } from '../support.ts'

/** Milliseconds for a file of tests, and for each of them: the first one builds for all, and the others wait. */
export const PATIENCE_MS = 900_000

const VISITOR = fileURLToPath(new URL('visitor.js', import.meta.url))

export interface Visit {
  readonly cwd: string
  /** The folder above the lab's own; default the machine's. */
  readonly cache?: string
  /** What to put before the command line. */
  readonly under?: readonly string[]
}

/** Starts a visit; see visitor.ts for its words. `cwd` gets a folder `tmp`. */
export function visit(t: Test, { cwd, cache = SHARED_CACHE, under = [] }: Visit, ...words: readonly string[]): Program {
  const temporary = join(cwd, 'tmp')
  mkdirSync(temporary, { recursive: true })
  const env = { PATH: process.env['PATH'] ?? '', HOME: cwd, TMPDIR: temporary, BADMX_CACHE: cache }
  return new Program(t, [...under, process.execPath, VISITOR, ...words], cwd, env)
}

/** The layers from the machine's own cache, built where they are missing; a text where they cannot be had here. */
export async function sharedLayers(...names: readonly string[]): Promise<readonly Layer[] | string> {
  const support = labSupport()
  if (support.kind === 'none') return `no lab: ${support.reason}`
  const { signal } = new AbortController()
  const layers: Layer[] = []
  try {
    for (const name of names) layers.push(await ensureLayer(layerSpec(name), { support, signal }))
  } catch (error) {
    if (error instanceof UserError && /archive cannot be reached/.test(error.message)) return error.message
    throw error
  }
  return layers
}

/** The folder above the machine's own cache. */
export const SHARED_CACHE = join(cacheFolder(), '..')

/**
 * A cache of its own in `folder`, with the base roots and packages of the shared one and no layers: builds in it need no
 * network. The packages are copied (as hard links), because apt locks them.
 */
export async function ownCache(folder: string): Promise<string> {
  const cache = await openCache(join(folder, 'lab'))
  for (const name of [FOLDERS.bases, FOLDERS.tools])
    for (const entry of readdirSync(join(cacheFolder(), name)))
      symlinkSync(join(cacheFolder(), name, entry), join(cache, name, entry))
  spawnSync('cp', ['-a', '--link', join(cacheFolder(), FOLDERS.archive), cache])
  return folder
}
