/** What a cell needs the proof of before it can be judged: what its scenario is about, and not what it only stands on. Pure. */
import type { ProofNeeded } from './events.ts'
import { isDane, type JudgedAs } from './expected.ts'
import { provenSettings } from './host-tls.ts'
import type { Scenario, World } from './scenario.ts'

/** Chains with nothing wrong: what a scenario stands on, and not what it is about. */
const SOUND: readonly string[] = ['good', 'rsa']

/** What has to fire, in the phases of the world together: a companion of one phase may be needed in another. */
export function proofOf(scenario: Scenario, judged: JudgedAs): readonly ProofNeeded[] {
  const needed = new Map<string, ProofNeeded>()
  const worlds: World[] = [scenario.hosts, ...Object.values(scenario.phases)]
  for (const world of worlds)
    for (const [host, spec] of Object.entries(world)) {
      const { stack, certificate } = spec
      const members: ProofNeeded[] = stack.map(({ use, fires }) => ({ behaviour: use, host, fires }))
      for (const setting of provenSettings(scenario.family, spec))
        members.push({ behaviour: setting, host, fires: 'must' })
      if (!SOUND.includes(certificate)) members.push({ behaviour: `certificate:${certificate}`, host, fires: 'must' })
      for (const member of members) {
        const key = `${member.host} ${member.behaviour}`
        if (needed.get(key)?.fires !== 'must') needed.set(key, member)
      }
    }
  const faults = Object.values(scenario.dns.zones).flatMap((zone) => zone.faults)
  return [
    ...needed.values(),
    ...faults.map(({ use, name, fires = 'must' }) => ({ behaviour: `dns:${use}`, host: name ?? '*', fires })),
    ...provenSets(scenario.dns, judged).map((set) => ({
      behaviour: `record:${set}`,
      host: '*',
      fires: 'must' as const,
    })),
  ]
}

/** Only DANE has a reason to ask for TLSA records and at names of services; under the other policies the scenario is there as a control. */
function provenSets({ prove }: Scenario['dns'], judged: JudgedAs): readonly string[] {
  return prove.filter((set) => isDane(judged) || !(set.endsWith(' TLSA') || set.startsWith('_')))
}
