/**
 * `npm test`: everything that has to hold before a commit, in one command that works in a fresh clone. It installs what is
 * missing, builds, and then checks types, format and lint (the architecture rules are among the lint rules), and runs the
 * tests. A check that fails hides no other: all run, and the last line counts. Exit status 1 when anything failed.
 *
 * With CI=true a skipped test is a failure too: there every program is installed.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createWriteStream, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from './build.mjs'
import { countPages, countTap, lastLine } from './count.mjs'
import { provideOldNodes } from './old-nodes.mjs'
import { provide } from './programs.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const ci = process.env.CI === 'true'
const counts = { passed: 0, failed: 0, skipped: 0 }
const ENDINGS = ['SIGINT', 'SIGTERM', 'SIGHUP']

function say(line) {
  process.stdout.write(`${line}\n`)
}

/** Counts one check that is no test. */
function check(title, passed) {
  counts[passed ? 'passed' : 'failed'] += 1
  say(`${passed ? 'ok' : 'FAILED'}  ${title}`)
}

function run(program, args) {
  return spawnSync(program, args, { cwd: root, stdio: ['ignore', 1, 2] }).status === 0
}

/** Installs the dependencies where they are missing or older than the lock file. */
function install() {
  const installed = join(root, 'node_modules', '.package-lock.json')
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs)
    return true
  say('installing dependencies: npm ci')
  return run('npm', ['ci', '--no-audit', '--no-fund'])
}

/** One line for a file, and what failed in it. */
function reportFile(name, { passed, failed, skipped, failures, skips }) {
  say(`${failed === 0 ? 'ok' : 'FAILED'}  ${name.replace(/^dist\//, '')}: ${lastLine({ passed, failed, skipped })}`)
  for (const { place, reason } of skips) say(`    skipped: ${place}: ${reason}`)
  for (const { place, diag } of failures) {
    say(`    failed: ${place}`)
    if (typeof diag?.diff === 'string') say(indent(diag.diff))
    const { diff, source, ...rest } = diag ?? {}
    if (Object.keys(rest).length > 0) say(indent(JSON.stringify(rest, undefined, 2)))
  }
}

function indent(text) {
  return text.replace(/^/gm, '      ').trimEnd()
}

/**
 * Takes tap's TypeScript plugin out of a fresh installation, as .taprc says. tap does so by itself, but only after it has
 * started the first tests with it.
 */
function prepareTap(tap) {
  const built = join(root, 'node_modules', '@tapjs', 'test', 'test-built', 'dist', 'esm', 'index.js')
  if (existsSync(built) && !readFileSync(built, 'utf8').includes('@tapjs/typescript')) return
  say('building tap with the plugins of .taprc')
  run(process.execPath, [tap, 'build'])
}

/** Runs the compiled tests through tap and counts what it reports; all of its output is kept in .tap/results.tap. */
async function runTests() {
  const files = readdirSync(join(root, 'dist'), { recursive: true })
    .filter((path) => path.endsWith('.test.js'))
    .map((path) => join('dist', path))
    .sort()
  const { Parser } = await import('tap-parser')
  const tap = countTap(Parser, reportFile)
  mkdirSync(join(root, '.tap'), { recursive: true })
  const program = join(root, 'node_modules', 'tap', 'dist', 'esm', 'run.mjs')
  prepareTap(program)
  const child = spawn(process.execPath, [program, 'run', '--disable-coverage', '--reporter=tap', ...files], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    // A group of its own, so that nothing of it outlives this process where somebody ends that.
    detached: true,
  })
  const end = (signal) => {
    process.kill(-child.pid, 'SIGKILL')
    for (const each of ENDINGS) process.off(each, end)
    process.kill(process.pid, signal)
  }
  for (const signal of ENDINGS) process.on(signal, end)
  child.stdout.pipe(createWriteStream(join(root, '.tap', 'results.tap')))
  child.stdout.pipe(tap.parser)
  const status = await new Promise((resolve) => {
    child.on('error', () => resolve(-1))
    child.on('close', resolve)
  })
  for (const signal of ENDINGS) process.off(signal, end)
  for (const word of ['passed', 'failed', 'skipped']) counts[word] += tap.counts[word]
  // What tap itself complains about has no assertion to show: no file at all, a crash of the runner, a bail-out.
  if (tap.counts.passed === 0) check('tap ran tests', false)
  else if (status !== 0 && tap.counts.failed === 0) check(`tap ended with status ${status}`, false)
}

/** Runs the tests of pages in a browser; their screenshots are kept in .tap/pages for a person to look at. */
function runPages() {
  const program = join(root, 'node_modules', '@playwright', 'test', 'cli.js')
  const config = join('dist', 'harness', 'test', 'pages', 'playwright.config.js')
  const { stdout } = spawnSync(process.execPath, [program, 'test', '--config', config, '--reporter=json'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  let report
  try {
    report = JSON.parse(stdout)
  } catch {
    say(stdout)
    check('pages: playwright made a report', false)
    return
  }
  const found = countPages(report)
  reportFile('pages', found)
  for (const word of ['passed', 'failed', 'skipped']) counts[word] += found[word]
  if (found.passed + found.failed + found.skipped === 0) check('pages: playwright ran tests', false)
}

async function main() {
  const started = process.hrtime.bigint()
  provide(say)
  if (install()) {
    provideOldNodes(root, say)
    check('types: tsc', build(root, ['ignore', 1, 2]))
    const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome')
    check('format, lint and architecture rules: biome', run(process.execPath, [biome, 'check', '.']))
    if (existsSync(join(root, 'dist'))) {
      await runTests()
      runPages()
    } else check('tests', false)
  } else check('dependencies', false)
  if (ci && counts.skipped > 0) check('no test is skipped in CI', false)
  say(`${Number((process.hrtime.bigint() - started) / 1_000_000_000n)} s`)
  say(lastLine(counts))
  process.exitCode = counts.failed === 0 ? 0 : 1
}

await main()
