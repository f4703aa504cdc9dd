/** Before the tests of pages: a real run of nodemailer and the reference client, and a page of hostile texts. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../../peers/package-root.ts'
import { format } from '../../../reports/formats/html.ts'
import { hostileLog } from '../../../reports/test/hostile-log.ts'
import { HOSTILE_RECORD } from '../../../reports/test/sample-record.ts'
import { COMPARISON, HOSTILE_PAGE, OTHER, PAGES, RUN } from './places.ts'

/** Few, but of each kind: stripped, injected, a bad certificate, a leak of credentials, several connections, a pause. */
const SCENARIOS = [
  'strip/strip-ehlo-omit',
  'strip/strip-reply-454',
  'strip/strip-reply-delayed',
  'inject/inject-reply-full',
  'cert/cert-wrong-name',
  'cert/cert-san-wildcard-partial',
  'auth/auth-334-phish',
  'smtp/smtp-degrade-stripped',
]

function badmx(...words: readonly string[]): void {
  const main = join(packageRoot(), 'dist', 'harness', 'main.js')
  const code = `import { start } from ${JSON.stringify(main)}; await start()`
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code, '--', 'badmx', ...words], {
    cwd: PAGES,
    encoding: 'utf8',
    timeout: 100_000,
  })
  // 1: nodemailer leaks, which is what the report is to show.
  if (status !== 0 && status !== 1) throw new Error(`badmx ${words.join(' ')}: ${status}\n${stderr}`)
}

// biome-ignore lint/style/noDefaultExport: Playwright wants it so.
export default function makeReports(): void {
  rmSync(PAGES, { recursive: true, force: true })
  mkdirSync(PAGES, { recursive: true })
  const run = ['run', '--client', 'nodemailer,reference', '--only', SCENARIOS.join(',')]
  badmx(...run, '--policy', 'may,verify', '--out', RUN)
  const before = ['run', '--client', 'nodemailer', '--only', 'strip/strip-ehlo-omit', '--no-capture']
  badmx(...before, '--policy', 'may', '--out', OTHER)
  badmx('compare', OTHER, RUN, '--html', COMPARISON)
  writeFileSync(HOSTILE_PAGE, format.render(HOSTILE_RECORD, {}, hostileLog()))
}
