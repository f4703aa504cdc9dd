/** Runs against MTAs of several kinds in the lab: one daemon for all cells, a process for each message, a smart host's client. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { CellRecord, RunRecord } from '../../scenarios/record.ts'
import { sharedLayers } from '../lab/testing/visit.ts'
import { badmx } from './program.ts'

const layers = await sharedLayers('opensmtpd', 'chasquid', 'dma', 'nullmailer')
const skip = typeof layers === 'string' ? { skip: layers } : {}

const ALERT = 'tls/tls-alert-handshake-failure'
const REFUSED = 'strip/strip-reply-554'
const NO_DOMAIN = 'dns/dns-mx-nxdomain'

type Find = (cell: string) => CellRecord | undefined

async function run(
  t: Parameters<typeof badmx>[0] & Tap,
  clients: string,
  policy: string,
  only: readonly string[] = [],
): Promise<[RunRecord, Find]> {
  const cwd = t.testdir({})
  const words = ['--client', clients, '--only', [ALERT, REFUSED, ...only].join(), '--policy', policy, '--out', 'r']
  const done = await badmx(t, cwd, 'run', ...words)
  t.ok(done.code !== null && done.code < 2, done.stderr + done.stdout)
  const record = JSON.parse(readFileSync(join(cwd, 'r', 'run.json'), 'utf8')) as RunRecord
  return [record, (name) => record.cells.find(({ id }) => id === name)]
}

/** What {@link run} needs of a test beside {@link badmx}. */
type Tap = Pick<typeof t, 'testdir' | 'ok'>

t.test('opportunistic TLS', { ...skip, timeout: 120_000 }, async (t) => {
  const [record, cell] = await run(t, 'opensmtpd,chasquid,dma', 'may')
  for (const { id, role, verdict, reason } of record.cells)
    if (role !== 'scenario') t.equal(verdict, 'pass', `${id}: ${reason}`)

  // mta_session.c: in clear in the same attempt, on a new connection after TLS broke.
  t.match(cell(`${ALERT}/may/opensmtpd`), { outcome: { first: 'delivered-cleartext' } })
  t.match(cell(`${REFUSED}/may/opensmtpd`), { outcome: { first: 'delivered-cleartext' } })
  // 1.11: deferred where TLS is offered and does not come about, at every attempt.
  for (const name of [ALERT, REFUSED]) {
    const found = cell(`${name}/may/chasquid`)
    t.match(found, { outcome: { first: 'deferred', final: 'deferred' } })
    t.strictSame(
      found?.attempts.map(({ cause }) => cause),
      ['first', 'aged'],
    )
  }
  t.match(cell(`${ALERT}/may/dma`), { outcome: { first: 'deferred', final: 'deferred' } })
  t.match(cell(`${REFUSED}/may/dma`), { outcome: { first: 'delivered-cleartext' } })
})

t.test('TLS that is required of a smart host', { ...skip, timeout: 120_000 }, async (t) => {
  const [, cell] = await run(t, 'nullmailer', 'encrypt', [NO_DOMAIN])
  t.match(cell('control/ctl-tls12-pkix/encrypt/nullmailer'), { verdict: 'pass' })
  t.match(cell(`${ALERT}/encrypt/nullmailer`), { outcome: { first: 'deferred', final: 'deferred' } })
  t.match(cell(`${REFUSED}/encrypt/nullmailer`), { outcome: { first: 'bounced' } })
  t.match(cell('control/ctl-no-tls-peer/encrypt/nullmailer'), { verdict: 'fail', outcome: { final: 'bounced' } })
  t.match(cell(`${NO_DOMAIN}/encrypt/nullmailer`), { verdict: 'unsupported', reason: /looks up no MX record/ })
})
