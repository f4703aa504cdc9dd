/**
 * Whether the client was put to the test: what each behaviour of the cell recorded of itself. Pure.
 *
 * No pass without proof. Opportunity and no firing is inconclusive; no opportunity is not-exercised, with the proof; a
 * behaviour whose point is its absence (`must-not`) may not fire; a cell that needs no proof is engaged as it is.
 */
import type { ProofEvent } from '../../peers/events.ts'
import type { ProofNeeded } from '../events.ts'
import type { ProofRecord } from '../record.ts'
import type { Observation } from './observe.ts'

export interface Engagement {
  /** `forbidden`: a behaviour fired that must not. `error`: one was never in place although the client came. */
  readonly state: 'engaged' | 'forbidden' | 'inconclusive' | 'not-exercised' | 'error'
  readonly detail: string
}

export function engagementOf(observation: Observation): Engagement {
  const { proof } = observation.cell
  const fired = proof
    .filter((needed) => needed.fires === 'must-not')
    .filter((needed) => has(observation, needed, 'fired'))
  if (fired[0] !== undefined) return { state: 'forbidden', detail: `${fired[0].behaviour} must not fire, and did` }
  // What DNS was to tell is the ground for all that follows: whatever else fired, each of it has to have been told.
  const told = engagementAt(observation, proof.filter(isRecord))
  if (told.state !== 'engaged') return told
  const faults = proof.filter((needed) => !isRecord(needed))
  const hosts = [...new Set(faults.filter(({ fires }) => fires !== 'may').map(({ host }) => host))]
  const engagements = hosts.map((host) =>
    engagementAt(
      observation,
      faults.filter((needed) => needed.host === host),
    ),
  )
  for (const state of PRECEDENCE) {
    const found = engagements.find((engagement) => engagement.state === state)
    if (found !== undefined) return found
  }
  return { state: 'engaged', detail: '' }
}

/**
 * Of several hosts with faults one whose faults all fired is enough: a client that was served there had no reason to come
 * to the others. What says that the harness did not work weighs more.
 */
const PRECEDENCE: readonly Engagement['state'][] = ['error', 'inconclusive', 'engaged', 'not-exercised']

/** Of the faults of one host. */
function engagementAt(observation: Observation, proof: readonly ProofNeeded[]): Engagement {
  const silent = proof.filter((needed) => needed.fires === 'must' && !has(observation, needed, 'fired'))
  const unarmed = [...silent, ...proof.filter((needed) => needed.fires === 'must-not')].find((needed) =>
    neverInPlace(observation, needed),
  )
  if (unarmed !== undefined)
    return { state: 'error', detail: `${unarmed.behaviour} was not in place at ${unarmed.host}` }
  const missed = silent.find((needed) => has(observation, needed, 'opportunity'))
  if (missed !== undefined) {
    const detail = isRecord(missed) ? 'was asked for, and no sound answer left' : 'had its opportunity and did not fire'
    return { state: 'inconclusive', detail: `${missed.behaviour} ${detail}` }
  }
  const [untouched] = silent
  if (untouched !== undefined) {
    const { behaviour, host } = untouched
    if (
      !behaviour.startsWith('dns:') &&
      !isRecord(untouched) &&
      Object.keys(observation.cell.hosts).length > 1 &&
      !isMet(observation, host)
    )
      return { state: 'not-exercised', detail: `the client did not come to ${host}, where ${behaviour} was waiting` }
    const armed = has(observation, untouched, 'armed') ? 'was in place and' : ''
    const missing = isRecord(untouched) ? 'was never asked for' : 'never got its opportunity'
    return { state: 'not-exercised', detail: `${behaviour} ${armed} ${missing}`.replace('  ', ' ') }
  }
  return { state: 'engaged', detail: '' }
}

/** A record set of sound DNS data that proves itself; anything else is a fault of a host, of its certificate or of DNS. */
function isRecord({ behaviour }: ProofNeeded): boolean {
  return behaviour.startsWith('record:')
}

function has(observation: Observation, needed: ProofNeeded, state: ProofEvent['type']): boolean {
  return observation.proof.some(
    ({ event }) => event.type === state && event.behaviour === needed.behaviour && event.host === needed.host,
  )
}

/** A certificate is in place whenever its host is; anything else says so when a connection opens. */
function neverInPlace(observation: Observation, needed: ProofNeeded): boolean {
  if (needed.behaviour.startsWith('certificate:')) return false
  return (
    isMet(observation, needed.host) &&
    !observation.proof.some(({ event }) => event.behaviour === needed.behaviour && event.host === needed.host)
  )
}

function isMet(observation: Observation, host: string): boolean {
  return observation.connections.some((connection) => connection.host === host)
}

/** All proofs of the cell, in order. */
export function proofRecords(observation: Observation): ProofRecord[] {
  return observation.proof.map(({ event }) => ({
    behaviour: event.behaviour,
    state: event.type,
    atMs: event.t,
    detail: event.detail,
    host: event.host,
    ...(event.conn === undefined ? {} : { conn: event.conn }),
  }))
}
