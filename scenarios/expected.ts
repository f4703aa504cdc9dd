/** Which cell of a scenario's table holds for a policy, and whether the two go together at all. Pure. */
import type { Column, Policy } from './policy.ts'
import type { Scenario } from './scenario.ts'

/** A policy that something can be judged as: all but `default`, which is judged as what the client documents. */
export type JudgedAs = Exclude<Policy, 'default'>

/** The families in which TLS on connect meets the same world as STARTTLS does; the others are about STARTTLS. */
const WITHOUT_STARTTLS: readonly Scenario['family'][] = ['tls', 'cert', 'client-cert', 'resume', 'post']

/** The control whose host speaks TLS on connect: it means something under `implicit` only. */
const TLS_ON_CONNECT = 'control/ctl-implicit-tls'

/** The controls, by what the policy must show. */
export const CONTROLS = ['control/ctl-tls13-pkix', 'control/ctl-tls12-pkix', 'control/ctl-no-tls-peer'] as const
export const IMPLICIT_CONTROLS = ['control/ctl-tls13-pkix', 'control/ctl-tls12-pkix', TLS_ON_CONNECT] as const

/** Besides {@link CONTROLS}, where TLSA records are to be believed. */
export const DANE_CONTROLS = ['control/ctl-dane-ee', 'control/ctl-dane-ta'] as const

/** The controls of a client under a policy. */
export function controlsUnder(policy: JudgedAs): readonly string[] {
  if (policy === 'implicit') return IMPLICIT_CONTROLS
  return isDane(policy) ? [...CONTROLS, ...DANE_CONTROLS] : CONTROLS
}

/** It goes by TLSA records. */
export function isDane(policy: JudgedAs): boolean {
  return policy === 'dane' || policy === 'dane-only'
}

/** The column of a policy: `implicit` has none of its own and uses that of `verify`. */
export function columnOf(policy: JudgedAs): Column {
  return policy === 'implicit' ? 'verify' : policy
}

/** Messages under another policy speak STARTTLS first, to a host that under `implicit` waits for TLS. */
function changesPolicy({ job }: Scenario): boolean {
  return job.steps.some((step) => 'submit' in step && step.policy !== undefined)
}

/** The expectation under a policy, in the letters of the catalogue, or undefined where there is nothing to run. */
export function expectedOf(scenario: Scenario, policy: JudgedAs): string | undefined {
  const isControl = (IMPLICIT_CONTROLS as readonly string[]).includes(scenario.name)
  const fits =
    policy === 'implicit'
      ? isControl || (WITHOUT_STARTTLS.includes(scenario.family) && !changesPolicy(scenario))
      : scenario.name !== TLS_ON_CONNECT
  const cell = fits ? scenario.expect[columnOf(policy)] : undefined
  return cell === '-' ? undefined : cell
}
