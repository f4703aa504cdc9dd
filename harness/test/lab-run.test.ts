/** A run against a real MTA in the lab, from the command line to the record. */
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { runRecordSchema } from '../../reports/schema.ts'
import type { LogEvent } from '../../scenarios/events.ts'
import { judge } from '../../scenarios/judge/judge.ts'
import { readLog } from '../../scenarios/judge/log.ts'
import type { RunRecord } from '../../scenarios/record.ts'
import { sharedLayers } from '../lab/testing/visit.ts'
import { badmx } from './program.ts'

const layers = await sharedLayers('postfix')
const skip = typeof layers === 'string' ? { skip: layers } : {}

const ALERT = 'tls/tls-alert-handshake-failure'
const REFUSED = 'strip/strip-reply-554'
const OMIT = 'strip/strip-ehlo-omit'
const BACKOFF = 'time/time-backoff-doubling'

t.test('Postfix, as it is documented', { ...skip, timeout: 120_000 }, async (t) => {
  const cwd = t.testdir({})
  const only = [
    '--only',
    [ALERT, REFUSED, OMIT, BACKOFF].join(','),
    '--policy',
    'may,encrypt',
    '--known',
    'shipped',
    '--out',
    'r',
  ]
  const done = await badmx(t, cwd, 'run', '--client', 'postfix', ...only)
  t.equal(done.code, 0, done.stderr + done.stdout)
  const record = JSON.parse(readFileSync(join(cwd, 'r', 'run.json'), 'utf8')) as RunRecord
  const events: LogEvent[] = [...readLog(await readFile(join(cwd, 'r', 'events.ndjson'), 'utf8'), 'events.ndjson')]
  const cell = (name: string) => record.cells.find(({ id }) => id === `${name}/postfix`)

  t.ok(runRecordSchema.safeParse(record).success, 'run.json is what its schema says')
  t.strictSame(
    judge(events).cells.map(({ verdict }) => verdict),
    record.cells.map(({ verdict }) => verdict),
  )
  for (const { id, role, verdict, reason } of record.cells)
    if (role !== 'scenario') t.equal(verdict, 'pass', `${id}: ${reason}`)
  const [postfix] = record.clients.filter(({ id }) => id === 'postfix')
  t.match(postfix, { version: /^3\./, configuration: /smtp_tls_policy_maps = texthash/ })

  t.test('a handshake that fails: deferred, and in clear once the message is old enough', async (t) => {
    const may = cell(`${ALERT}/may`)
    t.match(may, { verdict: 'pass', outcome: { first: 'deferred', final: 'delivered-cleartext' } }, may?.reason ?? '')
    t.strictSame(
      may?.attempts.map(({ cause }) => cause),
      ['first', 'aged'],
    )
    t.ok(may?.flags.includes('downgrade.delayed'))
    t.match(cell(`${ALERT}/encrypt`), { verdict: 'pass', outcome: { first: 'deferred', final: 'deferred' } })
  })

  t.test('STARTTLS that is refused: in clear in the same session, bounced where TLS is required', async (t) => {
    t.match(cell(`${REFUSED}/may`), { outcome: { first: 'delivered-cleartext' }, flags: ['downgrade.same-connection'] })
    const encrypt = cell(`${REFUSED}/encrypt`)
    t.match(encrypt, { verdict: 'flagged', outcome: { first: 'bounced', final: 'bounced' } }, encrypt?.reason ?? '')
    const notice = events.find((event) => event.type === 'notice' && event.cell === encrypt?.id)
    t.match(notice?.type === 'notice' && notice.data.toString('latin1'), /Content-Type: message\/delivery-status/)
    t.match(notice?.type === 'notice' && notice.data.toString('latin1'), /Status: 5\.7\./)
  })

  t.test('left alone with an untouched configuration and a fast clock: 300 s, doubling', async (t) => {
    const may = cell(`${BACKOFF}/may`)
    t.match(may, { verdict: 'pass', outcome: { final: 'deferred' } }, may?.reason ?? '')
    const schedule = may?.findings.find(({ flag }) => flag === 'retry.schedule')
    t.match(schedule?.detail, /attempts at 0, 300, 600, 1200, 2400, 4800, /)
    t.ok(may?.attempts.slice(1).every(({ cause }) => cause === 'own'))
  })

  t.test('what it asked its resolver is in the log of its cell', async (t) => {
    const asked = events.filter((event) => event.type === 'dns' && event.cell === `${OMIT}/may/postfix`)
    t.ok(asked.length >= 4, `${asked.length} DNS messages`)
  })
})

t.test('a release that does not exist', async (t) => {
  const done = await badmx(t, t.testdir({}), 'run', '--client', 'postfix@sarge')
  t.equal(done.code, 2)
  t.match(done.stderr, /there is no release "sarge"/)
  const other = await badmx(t, t.testdir({}), 'run', '--client', 'nodemailer@trixie')
  t.equal(other.code, 2)
  t.match(other.stderr, /nodemailer is used as it is on this machine/)
})
