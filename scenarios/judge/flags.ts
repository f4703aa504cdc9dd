/**
 * Every flag of the catalogue's section 3.3 that the wire and the client's word can show, weighed for the cell's policy.
 * Pure. One detector is one function; the flag table decides what each says.
 */
import type { FlagRaised } from '../record.ts'
import { weightOf } from './flag-table.ts'
import { downgrades } from './flags-downgrade.ts'
import { injectFlags } from './flags-inject.ts'
import { leaks } from './flags-leak.ts'
import { mxFlags } from './flags-mx.ts'
import { protocolFlags } from './flags-protocol.ts'
import { replyFlags } from './flags-reply.ts'
import { reportFlags } from './flags-report.ts'
import { retryFlags } from './flags-retry.ts'
import { tlsFlags } from './flags-tls.ts'
import type { Observation } from './observe.ts'
import type { Outcomes } from './outcome.ts'
import type { Raised } from './raised.ts'

type Detector = (observation: Observation, outcomes: Outcomes) => readonly Raised[]

const DETECTORS: readonly Detector[] = [
  leaks,
  injectFlags,
  downgrades,
  protocolFlags,
  replyFlags,
  tlsFlags,
  mxFlags,
  retryFlags,
  reportFlags,
]

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
