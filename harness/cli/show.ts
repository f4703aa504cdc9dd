/** `badmx show`: the ladder of a cell or of a session, or everything about a scenario. */
import { join } from 'node:path'
import type { Argv } from 'yargs'
import { nearestNames } from '../../peers/nearest-name.ts'
import { loadBehaviours } from '../../peers/registry.ts'
import { type CellLog, logOf, logsByCell } from '../../reports/by-cell.ts'
import { lacksRecords, renderCapture } from '../../reports/capture/capture.ts'
import { buildLadder } from '../../reports/ladder/build.ts'
import { renderLadderSvgFile } from '../../reports/ladder/svg.ts'
import { renderLadderText } from '../../reports/ladder/text.ts'
import type { LogEvent } from '../../scenarios/events.ts'
import { judgeCell } from '../../scenarios/judge/cell.ts'
import { judge } from '../../scenarios/judge/judge.ts'
import { readLog } from '../../scenarios/judge/log.ts'
import type { CellRecord } from '../../scenarios/record.ts'
import { loadWaiting } from '../../scenarios/waiting.ts'
import { allScenarios } from '../catalogue.ts'
import { readText } from '../read-text.ts'
import { findRun } from '../run-folder.ts'
import { sessionLadder, sessionsOf } from '../session-ladder.ts'
import { sessionLine } from '../strip.ts'
import { UserError } from '../user-error.ts'
import { writeOut } from '../write-out.ts'
import type { Command, Done } from './commands.ts'
import { wantsColor, width } from './options.ts'
import { showScenario } from './show-scenario.ts'

export function showCommand(done: Done): Command {
  return {
    builder: (yargs: Argv) =>
      yargs
        .positional('what', {
          string: true,
          demandOption: true,
          describe: 'a scenario, the folder of a run, or latest',
        })
        .positional('cell', {
          string: true,
          describe: '<family>/<id>/<policy>/<client>, or the number of a session; … or * for any',
        })
        .option('svg', {
          string: true,
          requiresArg: true,
          describe: 'write the ladder of one cell to this file, as a picture',
        })
        .option('pcapng', {
          string: true,
          requiresArg: true,
          describe: 'write what crossed in one cell or session to this file, for Wireshark',
        })
        .example('$0 show strip-ehlo-omit', 'a scenario')
        .example('$0 show latest strip/strip-ehlo-omit/verify/curl', 'what happened in a cell')
        .example('$0 show latest strip/strip-ehlo-omit/verify/curl --pcapng cell.pcapng', 'the same for Wireshark')
        .example(
          '$0 show badmx-out/20260101-120000-abcd 7.mx.1',
          'a session of `badmx serve` or `badmx strip`',
        ) as unknown as Argv<object>,
    handler: async (given) => done(await handle(given as unknown as Given)),
  }
}

interface Given {
  readonly what: string
  readonly cell?: string
  readonly svg?: string
  readonly pcapng?: string
}

async function handle(given: Given): Promise<number> {
  const { what, cell } = given
  if (cell === undefined && !(await isRun(what))) {
    process.stdout.write(
      showScenario(what, await allScenarios(), (await loadWaiting()).waiting, await loadBehaviours()),
    )
    return 0
  }
  const file = join(await findRun(what), 'events.ndjson')
  const events = [...readLog(await readText(file), file)]
  const ofRun = events.some(({ type }) => type === 'run')
  if (given.svg === undefined && given.pcapng === undefined)
    process.stdout.write(ofRun ? cellLadders(events, cell, what) : sessionTexts(events, cell, what))
  else if (ofRun)
    await writeFiles(
      given,
      events,
      matching(judge(events).cells, ({ id }) => id, cell ?? '', { what: 'cell', run: what }),
    )
  else await writeSession(given, events, what)
  return 0
}

/** The capture of one session of `badmx serve` or `badmx strip`. */
async function writeSession(
  { cell = '', svg, pcapng }: Given,
  events: readonly LogEvent[],
  run: string,
): Promise<void> {
  if (svg !== undefined || pcapng === undefined)
    throw new UserError('there are pictures of cells only', 'give --pcapng FILE, or neither for the ladder as text')
  const [session, ...others] = matching([...sessionsOf(events)], ([id]) => id, cell, { what: 'session', run })
  if (session === undefined || others.length > 0)
    throw new UserError(`"${cell}" means ${1 + others.length} sessions, and a file holds one`, 'name one of them whole')
  const [id, own] = session
  const serving = events.find((event) => event.type === 'serving')
  const capture = serving === undefined ? undefined : renderCapture(own, serving, `Session ${id}`)
  if (capture === undefined)
    throw new UserError(`there is no capture of ${id}: its log is of a badmx that recorded no TLS records`)
  await writeOut(pcapng, capture)
  process.stdout.write(`${pcapng}\n`)
}

/** The ladder and the capture of one cell, as files. */
async function writeFiles(given: Given, events: readonly LogEvent[], cells: readonly CellRecord[]): Promise<void> {
  const [cell] = cells
  if (cell === undefined || cells.length > 1)
    throw new UserError(`"${given.cell}" means ${cells.length} cells, and a file holds one`, 'name one of them whole')
  const { run, events: own } = logOf(logsByCell(events), cell)
  if (given.svg !== undefined) {
    await writeOut(given.svg, renderLadderSvgFile(buildLadder(own, cell)))
    process.stdout.write(`${given.svg}\n`)
  }
  if (given.pcapng === undefined) return
  const capture = run === undefined ? undefined : renderCapture(own, run)
  if (capture === undefined) {
    const lacks = run !== undefined && lacksRecords(own, run)
    throw new UserError(
      `there is no capture of ${cell.id}: ${lacks ? 'its run recorded no TLS records' : 'nothing crossed the wire'}`,
      lacks ? 'run it again, with captures (--capture)' : undefined,
    )
  }
  await writeOut(given.pcapng, capture)
  process.stdout.write(`${given.pcapng}\n`)
}

function cellLadders(events: readonly LogEvent[], pattern: string | undefined, run: string): string {
  if (pattern === undefined)
    throw new UserError(`which cell of ${run}?`, `badmx show ${run} CELL; badmx judge ${run} shows the whole run`)
  const found = matching(judge(events).cells, ({ id }) => id, pattern, { what: 'cell', run })
  const logs = logsByCell(events)
  return found.map((record) => tries(record, logs.get(record.id) ?? { events: [] })).join('')
}

/** The ladder of a cell, or two where it was tried twice. */
function tries(record: CellRecord, { events, spoilt }: CellLog): string {
  const ladder = (own: readonly LogEvent[], of: CellRecord): string =>
    `${renderLadderText(buildLadder(own, of), { color: wantsColor(), width: width() })}\n`
  const { again } = record
  if (again === undefined || spoilt === undefined) return ladder(events, record)
  const [first, second] = [spoilt, events].map((own, at) => {
    if ((again.counts === 'first') === (at === 0)) return ladder(own, record)
    const begun = own.find((event) => event.type === 'cell')
    return begun === undefined ? '' : ladder(own, judgeCell(begun, own))
  })
  const counts = (which: string): string => (again.counts === which ? ', which counts' : '')
  return `First of two tries, spoilt${counts('first')}\n\n${first}Second try, alone${counts('second')}\n\n${second}`
}

/** Of a log of `badmx serve` or `badmx strip`: a line for each session, or the ladders of some. */
function sessionTexts(events: readonly LogEvent[], pattern: string | undefined, run: string): string {
  const sessions = [...sessionsOf(events)]
  if (sessions.length === 0) throw new UserError(`there is no session in ${run}`, 'no client has come by')
  if (pattern === undefined) return sessions.map(([, own]) => `${sessionLine(own)}\n`).join('')
  return matching(sessions, ([id]) => id, pattern, { what: 'session', run })
    .map(([, own]) => `${sessionLadder(own, { color: wantsColor(), width: width() })}\n`)
    .join('')
}

/** A scenario is never called `latest`, and its id never has an event log. */
async function isRun(what: string): Promise<boolean> {
  if (what === 'latest') return true
  return findRun(what).then(
    () => true,
    () => false,
  )
}

/** At most so many ladders for one pattern. */
const MOST = 20

/** @throws {UserError} where the pattern means none, or too many. */
function matching<Shown>(
  all: readonly Shown[],
  idOf: (shown: Shown) => string,
  pattern: string,
  { what, run }: { readonly what: string; readonly run: string },
): readonly Shown[] {
  const parts = pattern.split(/\u2026|\*+/).map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
  const matcher = new RegExp(`^${parts.join('.*')}$`)
  const found = all.filter((each) => matcher.test(idOf(each)))
  if (found.length === 0) {
    const near = nearestNames(pattern, all.map(idOf), 3)
    throw new UserError(
      `there is no ${what} "${pattern}" in ${run}`,
      near.length === 0 ? `it has ${all.length} ${what}s` : `did you mean ${near.join(' or ')}?`,
    )
  }
  if (found.length > MOST)
    throw new UserError(`"${pattern}" means ${found.length} ${what}s of ${run}`, `name at most ${MOST}`)
  return found
}
