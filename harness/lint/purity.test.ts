/**
 * What the lint rules cannot see: pure code that reaches a socket, a file or a process by way of another module. The
 * compiled modules are followed from every pure one (types are gone there, so only what really runs counts).
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

/** The compiled tree that this test is part of. */
const compiled = join(dirname(fileURLToPath(import.meta.url)), '../..')

const PURE = [
  ...['peers/wire', 'peers/behaviours', 'peers/dns/faults', 'peers/tls/legacy'],
  ...['scenarios/judge', 'reports'],
]
/** Node's modules that give the same answer every time; of node:crypto the lint rules see to the names. */
const HARMLESS = ['node:crypto', 'node:buffer', 'node:util', 'node:url']
/** The functions of node:net that open nothing. */
const HARMLESS_NET = /^import \{ (?:isIP(?:v[46])?(?:, )?)+ \} from 'node:net';?$/gm
/** Lists the folder of formats; nothing that makes or judges a report needs it. */
const LISTING = 'reports/format.js'
/** Reads the style and the script of the pages, which are part of the program; packs views. */
const PAGES = ['reports/html/assets.js', 'reports/html/pack.js']
/** Runs in a browser. */
const IN_BROWSER = 'reports/page/'

const IMPORT =
  /^(?:import|export)\b[^'"]*?\bfrom ['"]([^'"]+)['"]|^import ['"]([^'"]+)['"]|\bimport\(['"]([^'"]+)['"]\)/gm

/** The modules that `text` imports, as written. */
function importsOf(text: string): string[] {
  return [...text.replace(HARMLESS_NET, '').matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3] ?? '')
}

/** The ways from `start` to something impure: `a.js > b.js > node:net`. */
function impureWays(start: string, read: (path: string) => string): string[] {
  const ways: string[] = []
  const seen = new Set<string>()
  const follow = (path: string, way: readonly string[]): void => {
    if (seen.has(path) || PAGES.includes(path)) return
    seen.add(path)
    for (const name of importsOf(read(path)))
      if (name.startsWith('.')) follow(join(dirname(path), name), [...way, path])
      else if (
        (name.startsWith('node:') && !HARMLESS.includes(name)) ||
        name === 'smtp-server' ||
        name === 'nodemailer'
      )
        ways.push([...way, path, name].join(' > '))
  }
  follow(start, [])
  return ways
}

t.test('a way to something impure is found through any kind of import', async (t) => {
  const files: Record<string, string> = {
    'a.js': "import { b } from './b.js'\nimport { createHash } from 'node:crypto'\n",
    'b.js': "export * from './deep/c.js'\nimport { z } from 'zod'\n",
    'deep/c.js': "import './d.js'\n",
    'deep/d.js':
      "import {\n  connect,\n} from 'node:net'\nconst fs = await import('node:fs')\nimport { x } from '../a.js'\n",
    'sound.js': "import { createHash } from 'node:crypto'\nimport { isIP, isIPv6 } from 'node:net'\n",
    'mixed.js': "import { isIP, connect } from 'node:net'\n",
  }
  const read = (path: string): string => files[path] ?? ''
  t.same(impureWays('a.js', read), [
    'a.js > b.js > deep/c.js > deep/d.js > node:net',
    'a.js > b.js > deep/c.js > deep/d.js > node:fs',
  ])
  t.same(impureWays('sound.js', read), [])
  t.same(impureWays('mixed.js', read), ['mixed.js > node:net'])
})

t.test('no pure module reaches a socket, a file or a process', async (t) => {
  const read = (path: string): string => readFileSync(join(compiled, path), 'utf8')
  for (const folder of PURE) {
    const modules = readdirSync(join(compiled, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.js') && !path.endsWith('.test.js') && !path.startsWith('test/'))
      .map((path) => relative(compiled, join(compiled, folder, path)))
      .filter((path) => path !== LISTING && !path.startsWith(IN_BROWSER))
    t.ok(modules.length > 3, `${folder} has modules`)
    for (const path of modules) t.same(impureWays(path, read), [], path)
  }
})
