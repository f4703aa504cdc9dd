/** One cell of the log to one cell of the record. Pure. */
import { ja3 } from '../../peers/tls/ja3.ts'
import { ja4 } from '../../peers/tls/ja4.ts'
import type { CellBegun, LogEvent } from '../events.ts'
import { isPolicy } from '../policy.ts'
import {
  type AssertRecord,
  type AttemptRecord,
  type CellRecord,
  type HelloRecord,
  UNSEEN,
  type Verdict,
} from '../record.ts'
import { verifyChain } from './credential.ts'
import { raiseFlags } from './flags.ts'
import { type Observation, observe, withoutPreparation } from './observe.ts'
import { type AttemptOutcome, type Outcomes, outcomesOf } from './outcome.ts'
import { PREDICATES } from './predicates.ts'
import { proofRecords } from './proof.ts'
import { judgeObservation } from './verdict.ts'

/** Judges the events of a cell, its `cell` event first. A cell whose expectation cannot be read is `error`. */
export function judgeCell(cell: CellBegun, events: readonly LogEvent[]): CellRecord {
  let observation: Observation
  try {
    observation = observe(cell, events)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return { ...blank(cell), verdict: 'error', reason: error.message }
  }
  const outcomes = outcomesOf(observation)
  const own = withoutPreparation(observation)
  const ownOutcomes = outcomesOf(own)
  const findings = raiseFlags(own, ownOutcomes)
  const asserts = cell.asserts.map((id) => checkAssert(id, own, ownOutcomes))
  const { verdict, reason } = judgeObservation(observation, outcomes, findings, asserts)
  const known = outcomeKnown(verdict)
  return {
    ...blank(cell),
    verdict,
    reason,
    outcome: known ? { first: outcomes.first, final: outcomes.final } : { first: 'unknown', final: 'unknown' },
    flags: [...new Set(findings.map(({ flag }) => flag))].sort(),
    findings,
    asserts,
    attempts: outcomes.attempts.map(attemptRecord),
    proof: proofRecords(observation),
    ...clientWord(observation),
    ...presented(observation),
    ...hellos(observation),
    durationMs: observation.lastAt - cell.t,
  }
}

function attemptRecord({ attempt, outcome }: AttemptOutcome): AttemptRecord {
  const { t, cause, policy, connections, endedAt, word } = attempt
  return {
    atMs: t,
    cause,
    ...(policy === undefined ? {} : { policy }),
    outcome,
    connections: connections.map(({ conn }) => conn),
    hosts: [...new Set(connections.map(({ host }) => host))],
    ...(endedAt === undefined ? {} : { endedAtMs: endedAt }),
    ...(word?.ageSeconds === undefined ? {} : { ageSeconds: word.ageSeconds }),
  }
}

/** A verdict about the harness says nothing of how a delivery ended. */
function outcomeKnown(verdict: Verdict): boolean {
  return verdict !== 'unsupported' && verdict !== 'error' && verdict !== 'missing'
}

function checkAssert(id: string, observation: Observation, outcomes: Outcomes): AssertRecord {
  const predicate = PREDICATES[id]
  if (predicate === undefined) return { assert: id, held: 'not-applicable', detail: 'there is no such predicate' }
  return { assert: id, ...predicate.check(observation, outcomes) }
}

function clientWord(observation: Observation): Pick<CellRecord, 'clientWord'> {
  const word = observation.attempts.at(-1)?.word
  if (word === undefined) return {}
  const { state, kind, exitCode, reason } = word
  return {
    clientWord: {
      state,
      ...(kind === undefined ? {} : { kind }),
      ...(exitCode === undefined ? {} : { exitCode }),
      reason,
    },
  }
}

function presented(observation: Observation): Pick<CellRecord, 'presented'> {
  const shown = observation.connections.flatMap((connection) =>
    connection.presented.map(({ event, seq }) => ({ chain: event.chain, seq, connection })),
  )
  const last = shown.sort((a, b) => a.seq - b.seq).at(-1)
  if (last === undefined) return {}
  // Verifying is most of the work of judging, and a session that came up has been verified already.
  const { credential, host } = last.connection
  const { chain, validity, name, reasons } = credential.verification ?? verifyChain(last.chain, host, observation.cell)
  return { presented: { chain, validity, name, reasons } }
}

function hellos({ connections }: Observation): Pick<CellRecord, 'hellos'> {
  const seen = connections.flatMap((connection) => connection.hellos.map(({ event }) => event.hello))
  const told = new Map<string, HelloRecord>()
  for (const hello of seen) {
    if (hello.format !== 'tls') continue
    const older = ja3(hello)
    const record = { ...(older === undefined ? {} : { ja3: older }), ja4: ja4(hello) }
    told.set(JSON.stringify(record), record)
  }
  return told.size === 0 ? {} : { hellos: [...told.values()] }
}

/** A record of a cell of which nothing was seen yet. */
function blank(cell: CellBegun): CellRecord {
  return {
    id: cell.cell,
    scenario: cell.scenario,
    title: cell.title,
    severity: cell.severity,
    policy: cell.policy,
    judgedAs: cell.judgedAs,
    client: cell.client,
    role: cell.role,
    verdict: 'missing',
    reason: '',
    ...UNSEEN,
    expected: cell.expected,
    clause: cell.clause,
    reproduce: cell.reproduce,
  }
}

/** A planned cell, `<family>/<id>/<policy>/<client>`, of which the log has nothing at all. */
export function missingCell(id: string): CellRecord {
  const [family = '', scenario = '', policy = '', ...rest] = id.split('/')
  const client = rest.join('/').replace(/#\d+$/, '')
  const known = isPolicy(policy) ? policy : 'default'
  return {
    id,
    scenario: `${family}/${scenario}`,
    title: scenario,
    severity: 'medium',
    policy: known,
    judgedAs: known === 'default' ? 'none' : known,
    client,
    role: 'scenario',
    verdict: 'missing',
    reason: 'the cell was planned and the log has nothing of it',
    ...UNSEEN,
    expected: '-',
    reproduce: `npx badmx run --only ${family}/${scenario} --policy ${known} --client ${client}`,
  }
}
