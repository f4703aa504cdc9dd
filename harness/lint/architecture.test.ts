/**
 * The architecture rules of biome.jsonc, broken one by one: each offence is a fixture of one line in a file of its own, in
 * a folder of its own with the project's real configuration, and has to be reported by the rule that is meant to see it.
 * What is allowed is there too, and has to stay unreported.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../../peers/package-root.ts'

interface Fixture {
  readonly folder: string
  readonly line: string
  /** The end of the rule's category; none where the line is allowed. */
  readonly rule?: string
  /** Words of the message. */
  readonly says?: RegExp
  /** Where the name of the file decides. */
  readonly file?: string
}

const IMPORTS = 'style/noRestrictedImports'
const GLOBALS = 'style/noRestrictedGlobals'
const PROPERTIES = 'nursery/noJsRestrictedProperties'

const PURE = [
  'peers/wire',
  'peers/behaviours',
  'peers/behaviours/starttls',
  'peers/dns/faults',
  'peers/tls/legacy',
  'scenarios/judge',
  'reports',
  'reports/formats',
]

/** Each folder with the ones to the right of it. */
const ARROWS = [
  ['peers', ['scenarios', 'reports', 'harness']],
  ['scenarios', ['reports', 'harness']],
  ['reports', ['harness']],
] as const

const everyArrow: Fixture[] = ARROWS.flatMap(([folder, right]) =>
  right.flatMap((to) =>
    [`import { x } from '../${to}/x.ts'`, `export * from '../${to}/deep/x.ts'`].map((line) => ({
      folder,
      line,
      rule: IMPORTS,
      says: /knows nothing of/,
    })),
  ),
)

/** In a pure folder a rule of its own replaces the arrows; they have to be in it again. */
const arrowsInPureFolders: Fixture[] = [
  ['peers/wire', '../../scenarios/x.ts'],
  ['peers/behaviours/starttls', '../../../reports/x.ts'],
  ['peers/behaviours', '../../harness/x.ts'],
  ['peers/dns/faults', '../../../scenarios/x.ts'],
  ['peers/tls/legacy', '../../../harness/x.ts'],
  ['scenarios/judge', '../../reports/x.ts'],
  ['scenarios/judge', '../../harness/x.ts'],
  ['reports/formats', '../../harness/x.ts'],
].map(([folder = '', from]) => ({
  folder,
  line: `import { x } from '${from}'`,
  rule: IMPORTS,
  says: /knows nothing of/,
}))

const otherWaysToImport: Fixture[] = [
  "import type { X } from '../scenarios/x.ts'",
  "export { x } from '../scenarios/x.ts'",
  "export const x = await import('../scenarios/x.ts')",
  "import { x } from 'badmx'",
  "import { peer } from 'badmx/peers'",
].map((line) => ({ folder: 'peers', line, rule: IMPORTS, says: /knows nothing of/ }))

const inTests: Fixture[] = [
  { folder: 'peers/wire', file: 'x.test.ts', line: "import { x } from '../../harness/x.ts'", rule: IMPORTS },
  { folder: 'reports/test', line: "import { x } from '../../harness/x.ts'", rule: IMPORTS },
]

const impure: Fixture[] = PURE.flatMap((folder) => [
  ...[
    'net',
    'tls',
    'dns',
    'dgram',
    'http',
    'fs',
    'fs/promises',
    'child_process',
    'timers',
    'timers/promises',
    'process',
  ].map((module) => ({ folder, line: `import * as x from 'node:${module}'`, rule: IMPORTS, says: /is pure/ })),
  {
    folder,
    line: "import { randomBytes } from 'node:crypto'",
    rule: IMPORTS,
    says: /same answer every time|given its randomness/,
  },
  { folder, line: "import { SMTPServer } from 'smtp-server'", rule: IMPORTS, says: /is pure/ },
  ...['setTimeout(f, 1)', 'setInterval(f, 1)', 'setImmediate(f)', 'queueMicrotask(f)'].map((call) => ({
    folder,
    line: `export const go = (f: () => void): unknown => ${call}`,
    rule: GLOBALS,
  })),
  ...['performance.now()', 'process.hrtime()', 'globalThis.setTimeout', 'crypto.randomUUID()'].map((value) => ({
    folder,
    line: `export const value: unknown = ${value}`,
    rule: GLOBALS,
  })),
  ...['Math.random()', 'Math.random', "Date['now']()", 'Date.now()'].map((value) => ({
    folder,
    line: `export const value: unknown = ${value}`,
    rule: PROPERTIES,
  })),
  { folder, line: 'export const { random } = Math', rule: PROPERTIES },
  ...['new Date()', 'new Date', 'Date()'].map((value) => ({
    folder,
    line: `export const value: unknown = ${value}`,
    rule: 'plugin',
    says: /has no clock/,
  })),
])

const formatListing: Fixture[] = [
  { folder: 'reports', file: 'format.ts', line: "import { readdir } from 'node:fs/promises'" },
  { folder: 'reports', file: 'format.ts', line: "import { readFile } from 'node:fs/promises'", rule: IMPORTS },
  { folder: 'reports', file: 'format.ts', line: "import * as net from 'node:net'", rule: IMPORTS },
  { folder: 'reports', file: 'format.ts', line: "import { x } from '../harness/x.ts'", rule: IMPORTS },
  { folder: 'reports/formats', file: 'format.ts', line: "import { readdir } from 'node:fs/promises'", rule: IMPORTS },
]

/** The files of the pages are read, and views packed, each in one place. */
const pages: Fixture[] = [
  { folder: 'reports/html', file: 'assets.ts', line: "import { readFileSync } from 'node:fs'" },
  { folder: 'reports/html', file: 'assets.ts', line: "import { writeFileSync } from 'node:fs'", rule: IMPORTS },
  { folder: 'reports/html', file: 'assets.ts', line: "import { deflateRawSync } from 'node:zlib'", rule: IMPORTS },
  { folder: 'reports/html', file: 'assets.ts', line: "import { x } from '../../harness/x.ts'", rule: IMPORTS },
  { folder: 'reports/html', file: 'pack.ts', line: "import { deflateRawSync } from 'node:zlib'" },
  { folder: 'reports/html', file: 'pack.ts', line: "import { createGzip } from 'node:zlib'", rule: IMPORTS },
  { folder: 'reports/html', file: 'pack.ts', line: "import { readFileSync } from 'node:fs'", rule: IMPORTS },
  { folder: 'reports/html', file: 'pack.ts', line: "import { x } from '../../harness/x.ts'", rule: IMPORTS },
  { folder: 'reports/html', line: "import { readFileSync } from 'node:fs'", rule: IMPORTS },
  { folder: 'reports/page', line: 'export const timer = setTimeout(() => undefined, 1)' },
  { folder: 'reports/page', line: "import { x } from '../../harness/x.ts'", rule: IMPORTS },
]

const allowed: Fixture[] = [
  { folder: 'harness', line: "export { a } from '../reports/x.ts'" },
  { folder: 'harness', line: "export { a } from '../scenarios/x.ts'" },
  { folder: 'harness', line: "export { a } from '../peers/x.ts'" },
  { folder: 'reports', line: "export { a } from '../scenarios/x.ts'" },
  { folder: 'reports', line: "export { a } from '../peers/x.ts'" },
  { folder: 'scenarios', line: "export { a } from '../peers/x.ts'" },
  { folder: 'peers', line: "export { connect } from 'node:net'" },
  { folder: 'peers/tls/legacy', line: "export { createCipheriv, privateDecrypt, sign } from 'node:crypto'" },
  { folder: 'peers', line: 'export const timer = setTimeout(() => undefined, Date.now())' },
  ...PURE.flatMap((folder) => [
    { folder, line: "export const at = new Date('2026-01-15T12:00:00.000Z')" },
    { folder, line: 'export const largest = Math.max(1, 2)' },
    { folder, line: "export { X509Certificate } from 'node:crypto'" },
    { folder, file: 'x.test.ts', line: "export { connect } from 'node:net'" },
    { folder, file: 'y.test.ts', line: 'export const now = new Date()' },
    { folder, file: 'z.test.ts', line: 'export const now = Date.now() + Math.random()' },
  ]),
]

const fixtures = [
  ...everyArrow,
  ...arrowsInPureFolders,
  ...otherWaysToImport,
  ...inTests,
  ...impure,
  ...formatListing,
  ...pages,
  ...allowed,
]

interface Report {
  readonly diagnostics: readonly {
    readonly category: string
    readonly message: string
    readonly location: { readonly path: string }
  }[]
}

const WATCHED = [IMPORTS, GLOBALS, PROPERTIES, 'plugin']

/** What the project's rules say about the fixtures, by file; each fixture is alone in a tree where the name decides. */
function lint(trees: ReadonlyMap<string, string>): Map<string, { rule: string; message: string }[]> {
  const root = packageRoot()
  const folder = mkdtempSync(join(tmpdir(), 'badmx-lint-'))
  try {
    mkdirSync(join(folder, 'harness/lint'), { recursive: true })
    copyFileSync(join(root, 'biome.jsonc'), join(folder, 'biome.jsonc'))
    copyFileSync(join(root, 'harness/lint/no-clock.grit'), join(folder, 'harness/lint/no-clock.grit'))
    for (const [path, text] of trees) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), `${text}\n`)
    }
    const biome = join(root, 'node_modules/@biomejs/biome/bin/biome')
    const args = [biome, 'lint', '--reporter=json', '--max-diagnostics=none', '.']
    const done = spawnSync(process.execPath, args, {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
      timeout: 60_000,
    })
    const found = new Map<string, { rule: string; message: string }[]>()
    for (const { category, message, location } of (JSON.parse(done.stdout) as Report).diagnostics) {
      const rule = WATCHED.find((name) => category.endsWith(name))
      if (rule !== undefined) found.set(location.path, [...(found.get(location.path) ?? []), { rule, message }])
    }
    return found
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

t.test('every rule bites where it must, and nowhere else', async (t) => {
  // Fixtures whose file has a name that decides cannot stand side by side: they share one run per name's turn.
  const turns: { path: string; fixture: Fixture }[][] = []
  fixtures.forEach((fixture, index) => {
    const path = join(fixture.folder, fixture.file ?? `fixture-${index}.ts`)
    const turn = turns.find((taken) => taken.every((other) => other.path !== path))
    if (turn === undefined) turns.push([{ path, fixture }])
    else turn.push({ path, fixture })
  })
  for (const turn of turns) {
    const found = lint(new Map(turn.map(({ path, fixture }) => [path, fixture.line])))
    for (const { path, fixture } of turn) {
      const reports = found.get(path) ?? []
      const what = `${fixture.folder}/${fixture.file ?? '*.ts'}: ${fixture.line}`
      if (fixture.rule === undefined) t.same(reports, [], `allowed in ${what}`)
      else {
        t.ok(
          reports.some(({ rule }) => rule === fixture.rule),
          `${fixture.rule} reports ${what}`,
          { reports },
        )
        if (fixture.says !== undefined) t.match(reports.map(({ message }) => message).join('\n'), fixture.says, what)
      }
    }
  }
})
