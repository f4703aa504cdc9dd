/** Scenarios for tests: complete ones, of which a test says only what it is about. */
import { familyOf } from '../families.ts'
import type { Host, Scenario } from '../scenario.ts'

export const SAMPLE_HOST: Host = {
  preference: 10,
  address: 'ipv4',
  stack: [],
  certificate: 'good',
  tls: { on: 'starttls', min: 'TLSv1.2', max: 'TLSv1.3' },
  extensions: {},
}

/** A scenario of the family that its id names, expecting C, V, V, V unless told otherwise. */
export function sampleScenario(id: string, given: Partial<Scenario> = {}): Scenario {
  const family = familyOf(id)
  if (family === undefined) throw new Error(`"${id}" is of no family`)
  return {
    id,
    family,
    name: `${family}/${id}`,
    file: `scenarios/catalogue/${family}/${id}.yaml`,
    title: `The title of ${id}`,
    wire: `What ${id} does`,
    source: ['RFC 3207 §4', 'a field report'],
    cases: [],
    severity: 'high',
    hosts: { mx: SAMPLE_HOST },
    dns: { wildcard: false, zones: { '{domain}': { records: [], faults: [] } }, tlsa: {}, prove: [] },
    phases: {},
    expect: { none: 'C', may: 'V', encrypt: 'V', verify: 'V' },
    asserts: [],
    verbMayWork: false,
    noVerdict: [],
    needsQueue: false,
    nameDependent: false,
    job: { steps: [{ submit: 1 }, { settle: 'first' }], password: false },
    flaw: { name: 'no-second-ehlo', with: [], policy: 'may' },
    ...given,
  }
}

/** The controls that every plan needs. */
export const SAMPLE_CONTROLS: readonly Scenario[] = [
  sampleScenario('ctl-dane-ee', { expect: { dane: 'V', 'dane-only': 'V' } }),
  sampleScenario('ctl-dane-ta', { expect: { dane: 'V', 'dane-only': 'V' } }),
  sampleScenario('ctl-implicit-tls', { expect: { verify: 'V' } }),
  sampleScenario('ctl-no-tls-peer', { expect: { none: 'C', may: 'C', encrypt: 'D', verify: 'D' } }),
  sampleScenario('ctl-tls12-pkix'),
  sampleScenario('ctl-tls13-pkix'),
]
