/** Removes what the lab has built. */
import { readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { baseRoot } from './base.ts'
import { cacheFolder, FOLDERS, lockCache, openCache } from './cache.ts'
import { isCurrent, readLayer } from './layer.ts'
import { layerName, layerSpec } from './packages.ts'
import { baseRelease, RELEASES } from './releases.ts'
import type { Support } from './support.ts'

export interface PruneOptions {
  /** `postfix@trixie`: these alone. */
  readonly clients: readonly string[]
  /** Everything. Without it and without clients: what this badmx would not use. */
  readonly all: boolean
}

/** Returns the names of what was removed. @throws {UserError} while a lab runs */
export async function prune(support: Support, { clients, all }: PruneOptions): Promise<readonly string[]> {
  const names = clients.map((client) => layerName(layerSpec(client)))
  const cache = await openCache(cacheFolder())
  const lock = await lockCache(cache, { support, signal: new AbortController().signal, alone: true })
  try {
    const doomed = all ? await everything(cache) : await unused(cache, names)
    // Who holds the lock empties this folder when it lets go, and may remove what belongs to other users.
    for (const [at, place] of doomed.entries()) await rename(join(cache, place), join(cache, FOLDERS.building, `${at}`))
    return doomed
  } finally {
    await lock.release()
  }
}

async function everything(cache: string): Promise<readonly string[]> {
  const folders = [FOLDERS.layers, FOLDERS.bases, FOLDERS.archive, FOLDERS.tools]
  return (await Promise.all(folders.map((folder) => entries(cache, folder)))).flat()
}

/** The layers of these names; without any, the layers and bases that are none of this badmx's. */
async function unused(cache: string, names: readonly string[]): Promise<readonly string[]> {
  const doomed: string[] = []
  for (const place of await entries(cache, FOLDERS.layers)) {
    const layer = await readLayer(cache, place)
    const current = layer !== undefined && isCurrent(layer)
    if (names.length > 0 ? layer !== undefined && names.includes(layerName(layer.spec)) : !current) doomed.push(place)
  }
  if (names.length > 0) return doomed
  const bases = RELEASES.map((release) => join(baseRoot(baseRelease(release)), '..'))
  return [...doomed, ...(await entries(cache, FOLDERS.bases)).filter((place) => !bases.includes(place))]
}

async function entries(cache: string, folder: string): Promise<string[]> {
  return (await readdir(join(cache, folder))).sort().map((name) => join(folder, name))
}
