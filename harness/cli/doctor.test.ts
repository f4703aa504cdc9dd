import { join } from 'node:path'
import t from 'tap'
import type { ClientAdapter } from '../../scenarios/client.ts'
import { client as nodemailer } from '../clients/nodemailer.ts'
import { badmx } from '../test/program.ts'
import { examine, type Finding, folder, labFinding, loopback, nodeFinding, report, testPackages } from './doctor.ts'

const FOUND: ClientAdapter = { ...nodemailer, probe: async () => ({ found: true, version: '1.2' }) }
const ABSENT: ClientAdapter = {
  ...FOUND,
  id: 'absent',
  name: 'Absent',
  probe: async () => ({ found: false, install: 'apt-get install absent' }),
}

t.test('what is here, with what it is for', async (t) => {
  const findings = await examine([FOUND, ABSENT])
  const find = (what: string): Finding | undefined => findings.find((one) => one.what === what)
  t.strictSame(find('Nodemailer 1.2'), { what: 'Nodemailer 1.2', ok: true, use: '--client nodemailer', needed: false })
  t.match(find('Absent'), { ok: false, use: '--client absent; apt-get install absent', needed: false })
  t.match(find(`Node ${process.versions.node}`), { ok: true, needed: true })
  t.match(find('listening on 127.0.0.1'), { ok: true, needed: true })
  t.ok(
    findings.some(({ what }) => what === 'Debian package swaks'),
    'the packages of the tests, in a checkout',
  )
})

t.test('what badmx needs and has not', async (t) => {
  t.match(['20.19.9', '18.20.0', '20.20.0', '22.1.0'].map(nodeFinding), [
    { ok: false },
    { ok: false },
    { ok: true },
    { ok: true },
  ])
  t.match(await loopback('127.0.0.1', 'x', true), { ok: true, what: 'listening on 127.0.0.1', use: 'x' })
  // RFC 5737: an address of no machine.
  t.match(await loopback('192.0.2.1', 'x', true), { ok: false, use: /^x; 192\.0\.2\.1 is not/ })
  const here = t.testdir()
  t.match(await folder(here, 'x', 0), { ok: true, what: /^\d+ MiB free in / })
  t.match(await folder(here, 'x', 2 ** 40), { ok: false, use: /^x: at least \d+ MiB are wanted$/ })
  t.match(await folder(join(here, 'nowhere'), 'x', 0), { ok: false, what: /^writing to / })
  t.strictSame(await testPackages(join(here, 'programs.mjs')), [], 'a published package has no tests')
})

t.test('what a lab can be here', async (t) => {
  t.match(labFinding({ kind: 'root' }), { ok: true, what: 'a lab, as root' })
  t.match(labFinding({ kind: 'subordinate' }), { ok: true })
  t.match(labFinding({ kind: 'none', reason: 'no Linux', next: 'get one' }), { ok: false, use: /; no Linux; get one$/ })
})

t.test('the report: a line each, aligned, and what badmx cannot do without', async (t) => {
  const findings: Finding[] = [
    { what: 'Node 20.20.2', ok: true, use: 'runs badmx', needed: true },
    { what: 'a\u001b[31m', ok: false, use: 'apt-get', needed: false },
  ]
  t.equal(
    report(findings),
    'ok       Node 20.20.2  runs badmx\nmissing  a␛[31m        apt-get\n\nbadmx has what it needs.\n',
  )
  const broken = report([...findings, { what: 'listening on 127.0.0.1', ok: false, use: 'x', needed: true }])
  t.match(broken, /\n\nbadmx cannot work without: listening on 127\.0\.0\.1\.\n$/)
})

t.test('on the command line', async (t) => {
  const { code, stdout, stderr } = await badmx(t, t.testdir(), 'doctor')
  t.strictSame({ code, stderr }, { code: 0, stderr: '' })
  t.match(stdout, /^ok {7}Node [^]*\nbadmx has what it needs\.\n$/)
})
