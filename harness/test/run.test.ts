/** A whole run from the command line, and everything that can be had from its folder afterwards. */
import { readdirSync, readFileSync, realpathSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { runRecordSchema } from '../../reports/schema.ts'
import type { LogEvent } from '../../scenarios/events.ts'
import { judge } from '../../scenarios/judge/judge.ts'
import { readLog, writeEvent } from '../../scenarios/judge/log.ts'
import type { CellRecord, RunRecord } from '../../scenarios/record.ts'
import { badmx, badmxEach } from './program.ts'

const OMIT = 'strip/strip-ehlo-omit/may/reference'

function readRecord(folder: string): RunRecord {
  return JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8')) as RunRecord
}

async function readEvents(folder: string): Promise<LogEvent[]> {
  return [...readLog(await readFile(join(folder, 'events.ndjson'), 'utf8'), 'events.ndjson')]
}

function cellOf(record: RunRecord, id: string): CellRecord {
  const found = record.cells.find((cell) => cell.id === id)
  if (found === undefined) throw new Error(`no cell ${id}`)
  return found
}

t.test('a run', { timeout: 120_000 }, async (t) => {
  const cwd = t.testdir({})
  const only = ['--only', 'strip-ehlo-omit,inject-reply-full', '--policy', 'may,verify']
  const done = await badmx(t, cwd, 'run', '--client', 'reference', ...only)
  t.equal(done.code, 0, done.stderr + done.stdout)
  t.match(done.stdout, /^badmx reference client v[\d.]+: no leak and no failure in 2 scenarios\.\n/)
  t.match(done.stdout, /Result: fine \(exit code 0\)/)
  t.notMatch(done.stderr, /Warning/, 'no warning of Node, with as many cells at once as there are')
  t.notMatch(done.stdout, /\x1b/, 'no colour where there is no terminal')
  const latest = join(cwd, 'badmx-out', 'latest')
  const folder = realpathSync(latest)
  t.strictSame(readdirSync(folder).sort(), [
    'ca.pem',
    'cells',
    'events.ndjson',
    'index.html',
    'junit.xml',
    'results.tap',
    'run.json',
    'summary.md',
  ])
  t.strictSame(readdirSync(join(cwd, 'tmp')), [], 'no temporary file is left')
  const record = readRecord(folder)
  const events = await readEvents(folder)

  t.test('its files', async (t) => {
    t.ok(runRecordSchema.safeParse(record).success, 'run.json is what its schema says')
    t.match(readFileSync(join(folder, 'ca.pem'), 'latin1'), /^-----BEGIN CERTIFICATE-----/)
    t.match(readFileSync(join(folder, 'junit.xml'), 'utf8'), /^<\?xml[^]*<testsuites[^]*<\/testsuites>\s*$/)
    t.match(readFileSync(join(folder, 'results.tap'), 'utf8'), /^TAP version 14\n/)
    t.match(readFileSync(join(folder, 'summary.md'), 'utf8'), /strip/)
    t.match(readFileSync(join(folder, 'index.html'), 'utf8'), /^<!doctype html>[^]*<\/html>\n$/)
    const capture = readFileSync(join(folder, 'cells', OMIT, 'capture.pcapng'))
    t.equal(capture.readUInt32LE(0), 0x0a0d0d0a, 'a capture of each cell')
    t.equal(events[0]?.type, 'run')
    t.equal(events.at(-1)?.type, 'end')
    t.match(cellOf(record, OMIT), { verdict: 'pass', outcome: { final: 'delivered-cleartext' } })
    t.match(cellOf(record, OMIT).proof, [{ behaviour: 'hide-starttls', state: 'armed' }])
    t.ok(
      cellOf(record, OMIT).proof.some(({ state }) => state === 'fired'),
      'its pass has its proof',
    )
  })

  t.test("the client's log is on the clock of the wire", async (t) => {
    const own = events.filter((event) => event.cell === OMIT)
    const said = own.find((event) => event.type === 'client')
    const log = said?.word.log ?? []
    t.equal(said?.logAt?.length, log.length)
    const timeOf = (line: RegExp): number => said?.logAt?.[log.findIndex((each) => line.test(each))] ?? Number.NaN
    const crossed = (direction: 'in' | 'out', text: string): number =>
      own.find((event) => event.type === 'bytes' && event.direction === direction && event.data.includes(text))?.t ??
      Number.NaN
    // The client reads what we sent, and says so before we have what it sent upon that. A tenth of a millisecond is rounded.
    t.ok(crossed('out', '220 ') <= timeOf(/^S: 220 /) + 0.1, 'banner')
    t.ok(timeOf(/^S: 220 /) <= crossed('in', 'MAIL FROM') + 0.1, 'and not only at the end')
    t.ok(crossed('in', 'MAIL FROM') <= timeOf(/^S: 221 /) + 0.1, 'QUIT')
    t.ok(timeOf(/^S: 221 /) <= (said?.t ?? 0))
    const shown = await badmx(t, cwd, 'show', 'latest', OMIT)
    const at = (timeOf(/^S: 220 /) - (own[0]?.t ?? 0)) / 1000
    t.match(shown.stdout, `  │ +${at.toFixed(3)} S: 220 `)
  })

  t.test('what can be had from them', async (t) => {
    const [judged, judgedText, one, several, none, nearest, which, list, behaviours, scenario, run, ca] =
      await badmxEach(t, cwd, [
        ['judge', join(folder, 'events.ndjson'), '--json'],
        ['judge', 'latest'],
        ['show', 'latest', OMIT],
        ['show', 'latest', 'strip/*/reference'],
        ['show', 'latest', 'nothing/*'],
        ['show', 'latest', OMIT.replace('omit', 'omt')],
        ['show', 'latest'],
        ['list', '--json'],
        ['list', '--behaviours'],
        ['schema', 'scenario'],
        ['schema', 'run'],
        ['ca'],
      ])
    t.equal(judged?.code, 0)
    t.strictSame(JSON.parse(judged?.stdout ?? ''), record, 'the log alone gives the same record')
    t.match(judgedText, { code: 0, stdout: /Result: fine/ })
    t.match(one, {
      code: 0,
      stdout:
        /was: 250 STARTTLS[^]*MAIL FROM:[^]*Reproduce: npx badmx run --only strip\/strip-ehlo-omit --policy may --client reference --seed 1/,
    })
    t.equal(several?.stdout.match(/Reproduce:/g)?.length, 2, 'a glob shows every cell that it means')
    t.match(none, { code: 2, stderr: /there is no cell "nothing\/\*" in latest/ })
    t.match(nearest, { code: 2, stderr: new RegExp(`did you mean ${OMIT}`) })
    t.match(which, { code: 2, stderr: /which cell of latest\?/ })
    const listed = JSON.parse(list?.stdout ?? '') as { id: string; family: string; policies: Record<string, string> }[]
    t.match(
      listed.find(({ id }) => id.endsWith('strip-ehlo-omit')),
      { family: 'strip', title: String, source: Array, policies: { may: String, verify: String } },
    )
    t.match(behaviours?.stdout, /hide-starttls/)
    t.match(JSON.parse(scenario?.stdout ?? ''), { $schema: String })
    t.match(JSON.parse(run?.stdout ?? ''), { $schema: String, title: /badmx\/run\/1/ })
    t.equal(ca?.stdout, `${join(cwd, 'badmx-out', 'latest', 'ca.pem')}\n`)
  })

  t.test('a log that was tampered with', async (t) => {
    /** The record of a log of which the events of one cell have been changed. */
    const changed = (id: string, change: (event: LogEvent) => LogEvent | undefined): CellRecord =>
      cellOf(judge(events.flatMap((event) => (event.cell === id ? (change(event) ?? []) : event))), id)
    const inBytes =
      (from: string, to: string) =>
      (event: LogEvent): LogEvent =>
        event.type === 'bytes' && event.data.includes(from, 0, 'latin1')
          ? { ...event, data: Buffer.from(event.data.toString('latin1').replace(from, to), 'latin1') }
          : event
    t.strictSame(
      changed(OMIT, (event) => event),
      cellOf(record, OMIT),
      'unchanged, it is the same',
    )
    for (const state of ['fired', 'opportunity'])
      t.ok(
        events.some((event) => event.cell === OMIT && event.type === state),
        state,
      )
    t.equal(
      changed(OMIT, (event) => (event.type === 'fired' ? undefined : event)).verdict,
      'inconclusive',
      'without its proof',
    )
    t.equal(
      changed(OMIT, (event) => (event.type === 'fired' || event.type === 'opportunity' ? undefined : event)).verdict,
      'not-exercised',
      'without its opportunity',
    )
    t.not(changed(OMIT, inBytes('MAIL', 'MAIM')).verdict, 'pass', 'an octet of MAIL')
    t.not(changed(OMIT, inBytes('250 2.6.0', '550 2.6.0')).verdict, 'pass', 'the code of the last reply')
    t.equal(
      changed(OMIT, (event) => (event.type === 'cell-end' ? undefined : event)).verdict,
      'missing',
      'without its end',
    )
    t.equal(
      changed(OMIT, (event) => (event.type === 'client' ? undefined : event)).verdict,
      'pass',
      'the client is a second witness only',
    )
    const verify = OMIT.replace('/may/', '/verify/')
    const begun = (event: LogEvent): LogEvent =>
      event.type === 'cell' ? { ...event, policy: 'verify', judgedAs: 'verify', expected: 'D' } : event
    t.equal(changed(OMIT, begun).verdict, 'leak', 'the same octets under a policy that forbids them')
    t.equal(cellOf(record, verify).verdict, 'pass')
  })

  t.test('a log that was tampered with, at the command line', async (t) => {
    const spoilt = t.testdir({})
    const lines = events.filter((event) => !(event.type === 'fired' && event.cell === OMIT)).map(writeEvent)
    await writeFile(join(spoilt, 'events.ndjson'), lines.join(''))
    await writeFile(join(spoilt, 'cut.ndjson'), lines.join('').slice(0, -40))
    const [without, cut] = await badmxEach(t, cwd, [
      ['judge', spoilt],
      ['judge', join(spoilt, 'cut.ndjson'), '--json'],
    ])
    t.match(without, { code: 3, stdout: /inconclusive +strip\/strip-ehlo-omit under may/ })
    t.match(cut, { code: 3, stdout: /"interrupted": true/ }, 'a log that was cut off is an interrupted run')
  })
})
