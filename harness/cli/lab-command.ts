/** `badmx lab`: what the lab has built, building it ahead of time, and removing it. */
import type { Argv, CommandModule } from 'yargs'
import { interruptible } from '../interrupt.ts'
import { cacheFolder } from '../lab/cache.ts'
import { ensureLayer, type Layer, listLayers } from '../lab/layer.ts'
import { layerName, layerSpec } from '../lab/packages.ts'
import { buildProgress } from '../lab/progress.ts'
import { requireSupport } from '../lab/support.ts'
import { columns } from './columns.ts'
import { words } from './options.ts'

export function labCommand(done: (exitCode: number) => void): CommandModule<object, object> {
  return {
    command: 'lab',
    describe: 'the lab that mail servers run in: list, build, prune',
    builder: (yargs: Argv) =>
      yargs
        .command(
          'list',
          'what has been built, with sizes and times',
          (own) => own.option('json', { boolean: true, default: false, describe: 'as JSON' }),
          async ({ json }) => {
            const layers = await listLayers(cacheFolder())
            process.stdout.write(json ? `${JSON.stringify(layers, null, 2)}\n` : listText(layers))
            done(0)
          },
        )
        .command(
          'build <clients..>',
          'fetch clients from the Debian archive into the cache: postfix, postfix@trixie, …',
          (own) => own.positional('clients', { array: true, string: true, demandOption: true }),
          async ({ clients }) => done(await build(words(clients, 'clients'))),
        )
        .demandCommand(1, 'name a command of the lab: list, build, prune'),
    handler: () => undefined,
  }
}

async function build(names: readonly string[]): Promise<number> {
  const specs = names.map(layerSpec)
  const support = requireSupport()
  const { signal, release } = interruptible()
  const progress = buildProgress()
  const layers: Layer[] = []
  try {
    for (const spec of specs) layers.push(await ensureLayer(spec, { support, signal, progress: progress.step }))
  } catch (error) {
    if (signal.aborted) return 130
    throw error
  } finally {
    progress.end()
    release()
  }
  process.stdout.write(listText(layers))
  return 0
}

function listText(layers: readonly Layer[]): string {
  if (layers.length === 0) return 'nothing has been built yet; `badmx lab build postfix` builds a first client\n'
  const rows = layers.map((layer) => [
    layerName(layer.spec),
    layer.version,
    `${Math.ceil(layer.bytes / 2 ** 20)} MiB`,
    `${(layer.builtInMs / 1000).toFixed(1)} s`,
    layer.builtAt.slice(0, 10),
  ])
  return `${columns([['layer', 'version', 'size', 'built in', 'on'], ...rows]).join('\n')}\n`
}
