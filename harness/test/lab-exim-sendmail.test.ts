/** Exim and Sendmail side by side in one lab: where they differ under the same faults, from the command line to the record. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { RunRecord } from '../../scenarios/record.ts'
import { sharedLayers } from '../lab/testing/visit.ts'
import { badmx } from './program.ts'

const layers = await sharedLayers('exim', 'sendmail')
const skip = typeof layers === 'string' ? { skip: layers } : {}

const ALERT = 'tls/tls-alert-handshake-failure'
const REFUSED = 'strip/strip-reply-554'
const NAME = 'cert/cert-wrong-name'
const CERTIFICATE = 'client-cert/cc-privacy'

t.test('Exim and Sendmail, as they are documented', { ...skip, timeout: 120_000 }, async (t) => {
  const cwd = t.testdir({})
  const only = ['--only', [ALERT, REFUSED, NAME, CERTIFICATE].join(','), '--policy', 'may,verify', '--out', 'r']
  const done = await badmx(t, cwd, 'run', '--client', 'exim,sendmail', '--known', 'shipped', ...only)
  t.equal(done.code, 0, done.stderr + done.stdout)
  const record = JSON.parse(readFileSync(join(cwd, 'r', 'run.json'), 'utf8')) as RunRecord
  const cell = (name: string) => record.cells.find(({ id }) => id === name)

  for (const { id, role, verdict, reason } of record.cells)
    if (role !== 'scenario') t.equal(verdict, 'pass', `${id}: ${reason}`)
  const of = (id: string) => record.clients.find((client) => client.id === id)
  t.match(of('exim'), { version: /^4\.\d+/, configuration: /^tls_tempfail_tryclear$/m })
  t.match(of('sendmail'), { version: /^8\.\d+/, configuration: /^O CACertFile=/m })

  t.test('a handshake that fails: Exim goes to clear in the same attempt, Sendmail defers', async (t) => {
    t.match(cell(`${ALERT}/may/exim`), {
      verdict: 'pass',
      outcome: { first: 'delivered-cleartext', final: 'delivered-cleartext' },
    })
    t.match(cell(`${ALERT}/may/sendmail`), { verdict: 'pass', outcome: { first: 'deferred', final: 'deferred' } })
  })

  t.test(
    'STARTTLS that is refused: both go to clear in the same session, and defer where TLS is required',
    async (t) => {
      for (const client of ['exim', 'sendmail']) {
        const may = cell(`${REFUSED}/may/${client}`)
        t.match(may?.outcome, { first: 'delivered-cleartext' }, client)
        t.ok(may?.flags.includes('downgrade.same-connection'), client)
        const verify = cell(`${REFUSED}/verify/${client}`)
        t.match(verify, { verdict: 'pass', outcome: { first: 'deferred', final: 'deferred' } }, client)
        t.strictSame(
          verify?.attempts.map(({ cause }) => cause),
          ['first', 'aged'],
          `${client} was made to try again`,
        )
      }
    },
  )

  t.test('a certificate of somebody else: delivered under may, deferred under verify', async (t) => {
    for (const client of ['exim', 'sendmail']) {
      t.match(cell(`${NAME}/may/${client}`)?.outcome, { final: 'delivered-unauthenticated-tls' }, client)
      t.match(cell(`${NAME}/verify/${client}`)?.outcome, { final: 'deferred' }, client)
    }
  })

  t.test('a client certificate that its domain sets is sent', async (t) => {
    for (const client of ['exim', 'sendmail'])
      t.ok(cell(`${CERTIFICATE}/may/${client}`)?.flags.includes('leak.client-cert'), client)
  })
})
