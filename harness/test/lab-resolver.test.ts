/** `badmx run --resolver`: real unbound in the lab, as the resolver of a real MTA. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runRecordSchema } from '../../reports/schema.ts'
import { judge } from '../../scenarios/judge/judge.ts'
import { readLog } from '../../scenarios/judge/log.ts'
import type { RunRecord } from '../../scenarios/record.ts'
import { sharedLayers } from '../lab/testing/visit.ts'
import { badmx } from './program.ts'

const layers = await sharedLayers('postfix', 'unbound')
const skip = typeof layers === 'string' ? { skip: layers } : {}

/** Two that fail, a sound one, and one that QNAME minimisation hides. */
const ONLY = 'dns-tlsa-bogus-nodata,dns-tlsa-servfail,dane-full-cert,dns-tlsa-timeout'

t.test('every profile', { ...skip, timeout: 400_000 }, async (t) => {
  const cwd = t.testdir({})
  const run = async (resolver: string) => {
    const words = ['--client', 'postfix', '--policy', 'dane', '--only', ONLY, '--resolver', resolver, '--out', resolver]
    const done = await badmx(t, cwd, 'run', ...words)
    t.equal(done.code, 0, done.stdout + done.stderr)
    const record = JSON.parse(readFileSync(join(cwd, resolver, 'run.json'), 'utf8')) as RunRecord
    const events = [...readLog(readFileSync(join(cwd, resolver, 'events.ndjson'), 'utf8'), 'events.ndjson')]
    t.ok(runRecordSchema.safeParse(record).success, 'run.json is what its schema says')
    t.same(judge(events).resolver, record.resolver, 'the log alone tells the resolver')
    const verdicts = Object.fromEntries(
      record.cells.flatMap(({ scenario, role, verdict }) => (role === 'scenario' ? [[scenario, verdict]] : [])),
    )
    return { record, events, verdicts }
  }
  const embedded = await run('embedded')
  t.equal(embedded.record.resolver, undefined)
  t.same(new Set(Object.values(embedded.verdicts)), new Set(['pass']))

  const classic = await run('unbound-classic')
  t.match(classic.record.resolver, { profile: 'unbound-classic', version: /^1\./ })
  t.same(classic.verdicts, embedded.verdicts, 'as with our own resolver')
  const told = classic.events.flatMap((event) =>
    event.type === 'resolver-log' && event.cell === 'dns/dns-tlsa-bogus-nodata/dane/postfix' ? [event.line] : [],
  )
  t.match(told, [/validation failure <_25\._tcp\..* TLSA IN>: nodata proof failed/])
  t.match(
    classic.events.find(
      (event) => event.type === 'dns' && event.at === 'stub' && event.cell === 'dns/dane-full-cert/dane/postfix',
    ),
    { local: { address: '198.18.0.53' } },
    'what Postfix asked is in the log',
  )
  const shown = await badmx(t, cwd, 'show', 'unbound-classic', 'dns/dns-tlsa-bogus-nodata/dane/postfix')
  t.match(shown.stdout, /^Reproduce: .* --resolver unbound-classic$/m)
  t.match(shown.stdout, /The resolver said:\n[\s\S]*nodata proof failed/)

  // It asks for _tcp of the host first, is told NXDOMAIN, with proof, and need not ask for what is below (RFC 8020): that
  // there are no TLSA records is true, and the firewall is never met.
  const modern = await run('unbound-modern')
  t.same(modern.verdicts, { ...embedded.verdicts, 'dns/dns-tlsa-timeout': 'not-exercised' })
})

t.test('clients outside the lab have no resolver to choose', async (t) => {
  const done = await badmx(t, t.testdir({}), 'run', '--client', 'nodemailer', '--resolver', 'unbound-modern')
  t.match(done, { code: 2, stderr: /--resolver is about mail servers in the lab/ })
  const unknown = await badmx(t, t.testdir({}), 'run', '--client', 'postfix', '--resolver', 'bind')
  t.match(unknown, { code: 2, stderr: /resolver/ })
})
