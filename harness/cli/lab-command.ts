/** `badmx lab`: what the lab has built, building it ahead of time, and removing it. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import type { Argv } from 'yargs'
import { interruptible } from '../interrupt.ts'
import { cacheFolder } from '../lab/cache.ts'
import { enterLab, insideLab, labContents, ownCommand } from '../lab/enter.ts'
import { ensureLayer, isCurrent, type Layer, listLayers } from '../lab/layer.ts'
import { LAB_NETWORK } from '../lab/network.ts'
import { type LayerSpec, layerName, layerSpec } from '../lab/packages.ts'
import { buildProgress } from '../lab/progress.ts'
import { prune } from '../lab/prune.ts'
import { openRoot } from '../lab/root.ts'
import { labSupport, mappingArguments, requireSupport, type Support } from '../lab/support.ts'
import { columns } from './columns.ts'
import type { Command, Done } from './commands.ts'
import { words } from './options.ts'

export function labCommand(done: Done): Command {
  return {
    builder: (yargs: Argv) =>
      yargs
        .command(
          'list',
          'what has been built, with sizes and times',
          (own) => own.option('json', { boolean: true, default: false, describe: 'as JSON' }),
          async ({ json }) => {
            const layers = await listLayers(cacheFolder())
            process.stdout.write(json ? `${JSON.stringify(layers, null, 2)}\n` : listText(layers) + cacheText())
            done(0)
          },
        )
        .command(
          'build <clients..>',
          'fetch clients from the Debian archive into the cache: postfix, postfix@trixie, …',
          (own) => own.positional('clients', { array: true, string: true, demandOption: true }),
          async ({ clients }) => done(await build(words(clients, 'clients'))),
        )
        .command(
          'shell <client>',
          'a shell where a client is installed, in a lab; nothing answers there but what you start',
          (own) => own.positional('client', { string: true, demandOption: true }),
          async ({ client }) => done(await shell(String(client))),
        )
        .command(
          'prune [clients..]',
          'remove what an older badmx built, or these clients',
          (own) =>
            own
              .positional('clients', { array: true, string: true, default: [] as string[] })
              .option('all', { boolean: true, default: false, describe: 'everything, packages and base roots too' }),
          async ({ clients, all }) => {
            const removed = await prune(requireSupport(), { clients: clients.map(String), all })
            process.stdout.write(removed.map((name) => `removed ${name}\n`).join('') || 'there was nothing to remove\n')
            done(0)
          },
        )
        .demandCommand(1, 'name a command of the lab: list, build, shell, prune'),
    handler: () => undefined,
  }
}

async function shell(name: string): Promise<number> {
  if (!insideLab()) {
    const support = requireSupport()
    const layers = await built([layerSpec(name)], support)
    return layers === undefined ? 130 : enterLab(ownCommand(), { support, layers, terminal: true })
  }
  const [layer] = labContents().layers
  if (layer === undefined) throw new Error('a lab without layers')
  const root = await openRoot(layer, { resolvers: [LAB_NETWORK.resolver4] })
  const child = root.spawn(['bash'], { stdio: 'inherit', env: { TERM: process.env['TERM'] ?? 'dumb' } })
  const [code] = (await once(child, 'exit')) as [number | null]
  await root.close()
  return code ?? 130
}

async function build(names: readonly string[]): Promise<number> {
  const layers = await built(names.map(layerSpec), requireSupport())
  if (layers === undefined) return 130
  process.stdout.write(listText(layers))
  return 0
}

/** The layers, built where they are missing with the progress shown; undefined where the user interrupts it. */
async function built(specs: readonly LayerSpec[], support: Support): Promise<readonly Layer[] | undefined> {
  const { signal, release } = interruptible()
  const progress = buildProgress()
  const layers: Layer[] = []
  try {
    for (const spec of specs) layers.push(await ensureLayer(spec, { support, signal, progress: progress.step }))
    return layers
  } catch (error) {
    if (signal.aborted) return undefined
    throw error
  } finally {
    progress.end()
    release()
  }
}

/** What the whole cache takes: layers, base roots, packages. */
function cacheText(): string {
  const cache = cacheFolder()
  const support = labSupport()
  // Without root, parts of it belong to other users.
  const mapping = support.kind === 'none' ? [] : mappingArguments(support)
  const [program = '', ...rest] = [...mapping, 'du', '-sk', cache]
  const kib = /^\d+/.exec(spawnSync(program, rest, { encoding: 'utf8' }).stdout ?? '')?.[0]
  return kib === undefined ? '' : `\n${mebibytes(Number(kib) * 1024)} with base roots and packages, in ${cache}\n`
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`
}

function listText(layers: readonly Layer[]): string {
  if (layers.length === 0) return 'nothing has been built yet; `badmx lab build postfix` builds a first client\n'
  const rows = layers.map((layer) => [
    layerName(layer.spec),
    layer.version,
    mebibytes(layer.bytes),
    `${(layer.builtInMs / 1000).toFixed(1)} s`,
    layer.builtAt.slice(0, 10),
    isCurrent(layer) ? '' : 'of an older badmx',
  ])
  return `${columns([['layer', 'version', 'size', 'built in', 'on', ''], ...rows]).join('\n')}\n`
}
