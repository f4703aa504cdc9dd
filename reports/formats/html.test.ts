import { inflateRawSync } from 'node:zlib'
import t from 'tap'
import type { LogEvent, RunBegun } from '../../scenarios/events.ts'
import type { CellRecord } from '../../scenarios/record.ts'
import { hostileLog } from '../test/hostile-log.ts'
import { LogBuilder } from '../test/sample-log.ts'
import { cell, HOSTILE, HOSTILE_RECORD, record, SAMPLE } from '../test/sample-record.ts'
import { format } from './html.ts'

/** The views that are packed, by scenario. */
function packed(page: string): ReadonlyMap<string, string> {
  const json = /<script type="application\/json" id="packed">([^<]*)<\/script>/.exec(page)?.[1] ?? '[]'
  const chunks = JSON.parse(json) as [string, string][]
  return new Map(chunks.map(([name, octets]) => [name, String(inflateRawSync(Buffer.from(octets, 'base64')))]))
}

function begun(changes: Partial<RunBegun> = {}): RunBegun {
  return {
    ...{ type: 'run', t: 0, schema: 'badmx/events/1', badmx: '0.1.0', seed: 7, startedAt: SAMPLE.startedAt },
    ...{ timeScale: 10, shard: '1/2', node: '20.20.2', openssl: '3.0', clients: [], plan: '', cells: [] },
    ...changes,
  }
}

/** A cell's session: long enough, and different for each cell. */
function session(subject: CellRecord): readonly LogEvent[] {
  const log = new LogBuilder(subject.id).open('c1')
  log.peer('c1', `220 mx.${subject.scenario}.badmx.test ESMTP\r\n`)
  for (const verb of [
    'EHLO client.test',
    `MAIL FROM:<${subject.policy}@${subject.client}.test>`,
    'RCPT TO:<a@b.test>',
    'DATA',
  ])
    log.client('c1', `${verb}\r\n`).peer('c1', `250-${verb}\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 STARTTLS\r\n`)
  const lines = Array.from({ length: 40 }, (_, index) => `${subject.id}: line ${index} of what it logged`)
  return log.close('c1').add({
    type: 'client',
    attempt: 1,
    word: { state: 'failed', log: lines, reason: 'no' },
    logAt: lines.map((_, index) => 5000 + 8 * index),
  }).events
}

t.test('one file: a policy without network, its style and script by their hashes', async (t) => {
  const page = format.render(SAMPLE, {}, [begun()])
  const policy = /<meta http-equiv="Content-Security-Policy" content="([^"]*)">/.exec(page)?.[1]
  t.match(
    policy,
    /^default-src 'none'; style-src 'sha256-[^ ]+'; script-src 'sha256-[^ ]+'; base-uri 'none'; form-action 'none'$/,
  )
  t.notMatch(page, /\b(?:src|href)="(?!#)/, 'nothing is loaded, and no link leads away')
  t.notMatch(page, / on\w+="| style="/, 'nothing that the policy would stop')
  t.notMatch(page, /^(?:import|export) /m, 'the script is one module')
})

t.test('the sentences, the numbers, the facts and each cell of the matrix', async (t) => {
  const page = format.render(SAMPLE, {}, [begun()])
  t.match(page, /nodemailer 10\.6\.0 <strong>leaked credentials<\/strong> in 1 of/)
  t.match(page, /<b>3<\/b> leak|<b>4<\/b> leak/)
  for (const fact of ['badmx 0.1.0', 'seed 7', 'time limits ÷ 10', 'Node 20.20.2', 'shard 1/2', '1 of 1 passed'])
    t.match(page, fact)
  t.notMatch(page, 'slowest cell')
  const [first] = session(SAMPLE.cells[0] as CellRecord)
  const timed = format.render({ ...SAMPLE, cells: SAMPLE.cells.map((each) => ({ ...each, durationMs: 8100 })) }, {}, [
    begun(),
    { ...(first as LogEvent), type: 'cell', t: 1900 } as LogEvent,
  ])
  t.match(timed, 'clients ready after 1.9 s, slowest cell 8.1 s')
  const matrix = /<table class="matrix[^]*?<\/table>/.exec(page)?.[0] ?? ''
  for (const { id, verdict, role } of SAMPLE.cells) {
    const place = `<td class="c ${verdict}`
    const link = `<a href="#cell/${id}"`
    const own = matrix.split('</td>').find((each) => each.includes(link))
    if (role === 'harness-control') t.equal(own, undefined, `${id} is no subject`)
    else t.ok(own?.includes(place), `${id} is ${verdict}`)
  }
})

t.test('every view is packed, and what is of interest can be read without JavaScript too', async (t) => {
  const page = format.render(SAMPLE)
  const chunks = [...packed(page).values()].join('')
  for (const { id, verdict, known } of SAMPLE.cells) {
    const place = `id="cell/${id}"`
    const open = !['pass', 'info', 'not-exercised', 'unsupported'].includes(verdict) || known !== undefined
    t.equal(page.includes(place), open, `${id}, ${verdict}: open`)
    t.ok(chunks.includes(place), `${id}, ${verdict}: packed`)
  }
  for (const scenario of new Set(SAMPLE.cells.map((each) => each.scenario)))
    t.ok(packed(page).get(scenario)?.includes(`id="scenario/${scenario}"`), scenario)
})

t.test("the client's log is on the clock of the ladder", async (t) => {
  const leak = cell({ verdict: 'leak' })
  const page = format.render(record([leak]), {}, [begun(), ...session(leak)])
  t.match(page, `<time>+0.312 s</time> ${leak.id}: line 39 of what it logged`)
})

t.test('captures are linked where the run wrote some', async (t) => {
  const leak = cell({ verdict: 'leak' })
  const log = session(leak)
  const path = 'href="cells/strip/strip-ehlo-omit/verify/nodemailer/capture.pcapng"'
  t.ok(format.render(record([leak]), {}, [begun({ capture: true }), ...log]).includes(path))
  t.notOk(format.render(record([leak]), {}, [begun(), ...log]).includes(path))
  t.notOk(format.render(record([leak]), {}, [begun({ capture: true })]).includes(path), 'nothing crossed')
})

t.test('wherever a client can write, what it writes stays text', async (t) => {
  const page = format.render(HOSTILE_RECORD, {}, hostileLog())
  for (const [name, markup] of [['page', page], ...packed(page)] as const) {
    t.notMatch(markup, /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u, `${name}: nothing hides or steers`)
    t.notMatch(markup, /<b>(?:␛|\u001b)|<\/script><b>|\[x\]\(http:\/\/a\.test\)">/, `${name}: nothing is markup`)
  }
  t.equal(page.match(/<\/script>/g)?.length, 2, 'only our scripts end')
  t.ok(page.split('‹U+202E›evil').length > 30, 'and it is shown')
  t.notMatch(HOSTILE, /‹/)
})

t.test('200 scenarios of 8 columns are less than 5 MB', async (t) => {
  const verdicts = ['pass', 'pass', 'pass', 'pass', 'pass', 'flagged', 'fail', 'leak'] as const
  const cells = Array.from({ length: 200 }, (_, scenario) =>
    ['one', 'two'].flatMap((client, at) =>
      (['may', 'encrypt', 'verify', 'none'] as const).map((policy, column) =>
        cell({
          ...{ scenario: `strip/strip-number-${scenario}`, client, policy },
          verdict: verdicts[(scenario + at + column) % verdicts.length] ?? 'pass',
        }),
      ),
    ),
  ).flat()
  const page = format.render(record(cells), {}, [begun(), ...cells.flatMap(session)])
  t.ok(Buffer.byteLength(page) < 5_000_000, `${Buffer.byteLength(page)} octets`)
  const open = page.match(/<article class="view cell"/g)?.length ?? 0
  t.ok(open > 50 && open < 600, `${open} cells are open`)
  t.equal(
    [...packed(page).values()].join('').match(/<article class="view cell"/g)?.length,
    cells.length,
    'and every cell is there',
  )
  t.match(page, new RegExp(`<noscript>[^]*${(cells.length - open).toLocaleString('en')} more cells`))
})

t.test('connections that nobody asked for are told, and none where there was none', async (t) => {
  const unexpected = [{ cell: cell().id, conn: 'c9', atMs: 3, detail: `from 127.0.0.9, ${HOSTILE}` }]
  const page = format.render(record([cell()], { unexpected }))
  t.match(page, /<h2>Unexpected connections <small>1<\/small><\/h2>[^]*from 127\.0\.0\.9, &lt;\/script&gt;/)
  t.notMatch(format.render(SAMPLE), 'Unexpected connections')
})

t.test('of a cell that was tried twice, which try it is and what spoilt the first', async (t) => {
  const again = { spoilt: 'an MTA ended with 7 cells in hand', counts: 'second' } as const
  const subject = cell({ again, reason: 'refused' })
  const first = new LogBuilder(subject.id).open('c1').peer('c1', '220 the first\r\n').close('c1')
  const second = new LogBuilder(subject.id, { alone: true }).open('c2').peer('c2', '220 the second\r\n').close('c2')
  const views = (changed: CellRecord): string => {
    const page = format.render(record([changed]), {}, [begun(), ...first.events, ...second.events])
    t.match(page, '1 cell run again, each alone')
    return [...packed(page).values()].join('')
  }
  const told = views(subject)
  t.match(told, 'second of two tries, alone; the first was spoilt: an MTA ended with 7 cells in hand')
  t.match(told, '220 the second')
  t.notMatch(told, '220 the first')
  const stands = views({ ...subject, again: { ...again, counts: 'first' } })
  t.match(stands, 'first of two tries, which was spoilt: an MTA ended')
  t.match(stands, '220 the first')
})
