/**
 * Every flag of the catalogue's section 3.3 that the wire and the client's word can show, weighed for the cell's policy.
 * Pure. One detector is one function; the flag table decides what each says.
 */
import type { FlagRaised } from '../record.ts'
import type { Flag } from './flag-table.ts'
import { weightOf } from './flag-table.ts'
import { downgrades } from './flags-downgrade.ts'
import { leaks } from './flags-leak.ts'
import { protocolFlags } from './flags-protocol.ts'
import { reportFlags } from './flags-report.ts'
import { tlsFlags } from './flags-tls.ts'
import type { Observation } from './observe.ts'
import type { Outcomes } from './outcome.ts'

/** A flag before it is weighed. */
export interface Raised {
  readonly flag: Flag
  /** One line of evidence. */
  readonly detail: string
  readonly conn?: string
  readonly atMs?: number
  readonly offset?: number
}

type Detector = (observation: Observation, outcomes: Outcomes) => readonly Raised[]

const DETECTORS: readonly Detector[] = [leaks, downgrades, protocolFlags, tlsFlags, reportFlags]

/** In order of time; those that say nothing under the policy are left out. */
export function raiseFlags(observation: Observation, outcomes: Outcomes): readonly FlagRaised[] {
  const flags: FlagRaised[] = []
  for (const detector of DETECTORS) {
    for (const raised of detector(observation, outcomes)) {
      const weight = weightOf(raised.flag, observation.cell.judgedAs)
      if (weight !== undefined) flags.push({ ...raised, weight })
    }
  }
  return flags.sort((a, b) => (a.atMs ?? Number.POSITIVE_INFINITY) - (b.atMs ?? Number.POSITIVE_INFINITY))
}

/** Where an entry of the transcript stands, for a flag. */
export function placeOf(entry: { readonly conn: string; readonly t: number; readonly offset?: number }) {
  const { conn, t, offset } = entry
  return { conn, atMs: t, ...(offset === undefined ? {} : { offset }) }
}
