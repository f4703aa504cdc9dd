/**
 * The name server against nsd, with the same zone, as a process of its own: it builds nsd's layer, enters a lab with it, and
 * prints a {@link Comparison} as JSON. Exit code 3, with the reason, where there is no lab or the archive cannot be reached.
 */
import { enterLab, insideLab, labContents, ownCommand } from '../lab/enter.ts'
import { ensureLayer } from '../lab/layer.ts'
import { layerSpec } from '../lab/packages.ts'
import { requireSupport } from '../lab/support.ts'
import { startOther } from '../lab/testing/name-servers.ts'
import { UserError } from '../user-error.ts'
import { Children } from './children.ts'
import type { Comparison } from './contest.ts'
import { against, contest } from './dns.ts'
import { benchInternet } from './subjects.ts'

async function compared(signal: AbortSignal): Promise<Comparison> {
  const [layer] = labContents().layers
  if (layer === undefined) throw new Error('the lab has no nsd')
  const nsd = await startOther(layer, await benchInternet(), '127.0.0.1')
  const children = new Children(signal)
  try {
    const { port } = await children.subject('name-server')
    const figures = await contest(
      [
        { name: 'nsd', port: 53 },
        { name: 'name-server', port },
      ],
      signal,
    )
    return against(`nsd ${layer.version}`, figures, 'nsd')
  } finally {
    await children.end()
    await nsd.close()
  }
}

const { signal } = new AbortController()
try {
  if (insideLab()) process.stdout.write(JSON.stringify(await compared(signal)))
  else {
    const support = requireSupport()
    const layers = [await ensureLayer(layerSpec('nsd'), { support, signal })]
    process.exitCode = await enterLab(ownCommand(), { support, layers })
  }
} catch (error) {
  if (!(error instanceof UserError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 3
}
