/** Building: what it says when it cannot, that it leaves no half layer then, and that two at once build once. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { badmx } from '../test/program.ts'
import { FOLDERS } from './cache.ts'
import { layerSpec } from './packages.ts'
import { ownCache, PATIENCE_MS, sharedLayers, visit } from './testing/visit.ts'

t.setTimeout(PATIENCE_MS)
const layers = await sharedLayers('dma')
const skip = typeof layers === 'string' ? { skip: layers } : { timeout: PATIENCE_MS }

/** The names of the layers in a test's cache; whatever else was being built is gone. */
function built(cache: string): string[] {
  return readdirSync(join(cache, 'lab', FOLDERS.layers)).map((name) => name.split('-')[0] ?? '')
}

t.test('two at once build once', skip, async (t) => {
  const cwd = t.testdir({ cache: {} })
  const cache = await ownCache(join(cwd, 'cache'))
  const both = [0, 1].map(() => visit(t, { cwd, cache }, 'dma', 'build').ended)
  const said = (await Promise.all(both)).map(({ code, stderr }) => {
    t.equal(code, 0, stderr)
    return stderr
  })
  t.equal(said.filter((text) => text.includes("dma@bookworm: reading the archive's lists")).length, 1)
  t.strictSame(built(cache), ['dma@bookworm'])
  const again = await visit(t, { cwd, cache, under: ['unshare', '--net'] }, 'dma', 'build').ended
  t.strictSame([again.code, again.stderr], [0, 'built\n'], 'what is built needs no network')
})

t.test('what cannot be built', skip, async (t) => {
  const cwd = t.testdir({ cache: {}, bare: {} })
  const cache = await ownCache(join(cwd, 'cache'))
  const attempt = async (spec: object, under: readonly string[] = [], where = cache): Promise<string> => {
    const text = JSON.stringify({ ...layerSpec('dma'), ...spec })
    const { code, stderr } = await visit(t, { cwd, cache: where, under }, text, 'build').ended
    t.equal(code, 3)
    t.notMatch(stderr, /\n {4}at /, 'no stack trace')
    t.strictSame(built(cache), [], 'no half layer')
    t.strictSame(readdirSync(join(cache, 'lab', FOLDERS.building)), [], 'nothing half-built')
    return stderr
  }
  t.match(
    await attempt({ packages: ['dma', 'no-such-package'] }),
    /error: building dma@bookworm failed: this release has no package no-such-package\nnext: another release/,
  )
  t.match(
    await attempt({ afterInstall: 'echo the reason >&2; exit 7' }),
    /error: building dma@bookworm failed; its last lines:\n[^]* the reason\n/,
  )
  t.match(
    await attempt({}, ['unshare', '--net'], join(cwd, 'bare')),
    /error: building mmdebstrap failed: the package archive cannot be reached: .*\nnext: BADMX_DEBIAN_MIRROR=/,
  )
  t.match(
    await attempt({}, ['env', 'BADMX_DEBIAN_MIRROR=http://127.0.0.1:1/debian'], join(cwd, 'bare')),
    /the package archive cannot be reached: .*127\.0\.0\.1/,
  )
})

/** Arguments: an empty folder, a cache, MiB. Lays a small file system over the folder, with what the cache has and no layers. */
const SMALL = `
mount -t tmpfs -o "size=$3m" small "$1"
mkdir "$1/lab"
for name in ${FOLDERS.bases} ${FOLDERS.tools} ${FOLDERS.archive}; do ln -s "$2/lab/$name" "$1/lab/$name"; done
folder=$1
shift 3
"$@"
code=$?
echo "left: $(ls -A "$folder/lab/${FOLDERS.layers}" "$folder/lab/${FOLDERS.building}" | grep -v : | xargs)" >&2
exit $code`

t.test('a disk that fills', skip, async (t) => {
  const cwd = t.testdir({ cache: {}, small: {} })
  const cache = await ownCache(join(cwd, 'cache'))
  const small = join(cwd, 'small')
  const attempt = async (mib: number): Promise<string> => {
    const text = JSON.stringify({ ...layerSpec('dma'), afterInstall: 'cat /dev/zero >/fill' })
    const under = ['unshare', '--mount', 'sh', '-c', SMALL, 'sh', small, cache, String(mib)]
    const { code, stderr } = await visit(t, { cwd, cache: small, under }, text, 'build').ended
    t.equal(code, 3)
    t.match(stderr, /\nleft: \n$/, 'no half layer')
    return stderr
  }
  t.match(
    await attempt(64),
    /error: building dma@bookworm wants 300 MiB, and .* has \d+ MiB free\nnext: `badmx lab prune`/,
  )
  t.match(
    await attempt(310),
    /error: building dma@bookworm failed: the disk of the cache is full\nnext: `badmx lab prune`/,
  )
})

t.test('names and machines', async (t) => {
  const cwd = t.testdir({ empty: {} })
  t.match(await badmx(t, cwd, 'lab', 'build', 'postfix@woody'), {
    code: 2,
    stderr: /^badmx: the lab has no release "woody".*\n {2}there are: bullseye, bookworm, /,
  })
  t.match(await badmx(t, cwd, 'lab', 'build', 'postfixx'), { code: 2, stderr: /did you mean "postfix"\?/ })
  t.match(await visit(t, { cwd, cache: cwd, under: ['env', `PATH=${join(cwd, 'empty')}`] }, 'dma', 'build').ended, {
    code: 3,
    stderr:
      'error: no lab: there is no program "unshare" in PATH\nnext: apt-get install util-linux; elsewhere too it is part of it\n',
  })
})
