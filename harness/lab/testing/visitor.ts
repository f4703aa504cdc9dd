/**
 * A visit to the lab for its tests, as a process of its own: builds the layers that it is told, enters with them, runs one
 * errand inside and prints what that found as JSON. Says on stderr where it is.
 *
 *     node visitor.js LAYERS ERRAND [ARGUMENT]…
 *
 * LAYERS are names with commas between, or one specification as JSON. The errand `build` is done outside already.
 */

import { UserError } from '../../user-error.ts'
import { enterLab, insideLab, labContents, ownCommand } from '../enter.ts'
import { ensureLayer, type Layer } from '../layer.ts'
import { type LayerSpec, layerSpec } from '../packages.ts'
import { requireSupport } from '../support.ts'
import { ERRANDS } from './errands.ts'

const [names = '', errand = '', ...words] = process.argv.slice(2)

function specs(): readonly LayerSpec[] {
  return names.startsWith('{') ? [JSON.parse(names)] : names.split(',').map(layerSpec)
}

async function outside(): Promise<number> {
  const support = requireSupport()
  const controller = new AbortController()
  const abort = (): void => controller.abort()
  process.on('SIGINT', abort).on('SIGTERM', abort)
  const layers: Layer[] = []
  try {
    for (const spec of specs())
      layers.push(
        await ensureLayer(spec, {
          ...{ support, signal: controller.signal },
          progress: (what, doing) => process.stderr.write(`build ${what}: ${doing}\n`),
        }),
      )
  } catch (error) {
    if (controller.signal.aborted) return 130
    throw error
  } finally {
    process.off('SIGINT', abort).off('SIGTERM', abort)
  }
  process.stderr.write('built\n')
  return errand === 'build' ? 0 : enterLab(ownCommand(), { support, layers })
}

try {
  if (insideLab()) {
    process.stderr.write('inside\n')
    const found = await ERRANDS[errand]?.(labContents().layers, words)
    process.stdout.write(`${JSON.stringify(found)}\n`)
  } else process.exitCode = await outside()
} catch (error) {
  if (!(error instanceof UserError)) throw error
  process.stderr.write(`error: ${error.message}\nnext: ${error.next}\n`)
  process.exitCode = error.exitCode
}
