/**
 * Builds dist/ and keeps it honest: what was compiled from a source that is gone goes too, so that no stale test runs and
 * no stale module is packed. Incremental; ends with the compiler's status.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What is made of one source: by the compiler, and of a persona by the last step. */
const MADE = /(\.d\.ts|\.js|\.js\.map)$/
const SOURCES = ['.ts', '.yaml']

/** Removes what was compiled into `dist` from sources that are no longer in `root`; returns what went, sorted. */
export function removeStale(root, dist) {
  if (!existsSync(dist)) return []
  const gone = readdirSync(dist, { recursive: true })
    .filter((path) => MADE.test(path) && !SOURCES.some((ending) => existsSync(join(root, path.replace(MADE, ending)))))
    .sort()
  for (const path of gone) rmSync(join(dist, path))
  return gone
}

/** Compiles; true when there is nothing to complain about. What the compiler says goes to `stdio`. */
export function build(root, stdio = 'inherit') {
  const dist = join(root, 'dist')
  removeStale(root, dist)
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  // The second is the script of the report's pages, which is made for a browser.
  const steps = [
    [compiler, '-p', root],
    [compiler, '-p', join(root, 'reports', 'page')],
    [join(dist, 'peers', 'write-personas.js')],
  ]
  const failed = steps.some((step) => spawnSync(process.execPath, step, { cwd: root, stdio }).status !== 0)
  // The launcher, harness/badmx.mjs, builds again what is newer than this.
  if (!failed) writeFileSync(join(dist, '.built'), '')
  return !failed
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = build(fileURLToPath(new URL('../..', import.meta.url))) ? 0 : 1
}
