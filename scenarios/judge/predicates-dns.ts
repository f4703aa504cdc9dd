/** Predicates about what a client asks its resolver for. Pure. RFC 7672 §2.2. */
import { TYPE } from '../../peers/dns/numbers.ts'
import { broken, held, notApplicable, unless } from './holding.ts'
import type { Observation } from './observe.ts'
import type { Predicate } from './predicates.ts'

function isDane({ cell }: Observation): boolean {
  return cell.judgedAs === 'dane' || cell.judgedAs === 'dane-only'
}

export const DNS_PREDICATES: Readonly<Record<string, Predicate>> = {
  'tlsa-asked': {
    title: 'Under DANE the TLSA records of a host of the domain are looked up',
    source: 'RFC 7672 §2.2',
    // What is delivered for want of the question is a leak by its channel; that nobody asked leaks nothing yet.
    weight: 'fail',
    explainsAbsence: true,
    check(observation) {
      if (!isDane(observation)) return notApplicable('the policy is not DANE')
      const [first] = observation.asked
      const tlsa = observation.asked.find(({ type }) => type === TYPE.TLSA)
      if (tlsa !== undefined) return held(`asked for the TLSA records of ${tlsa.name}`)
      return broken(first === undefined ? 'the client asked for nothing' : 'no TLSA record was asked for')
    },
  },
  'no-tlsa-query': {
    title: 'No TLSA records are asked for: the addresses of the hosts are not secure',
    source: 'RFC 7672 §2.2.2',
    weight: 'flagged',
    check(observation) {
      if (!isDane(observation)) return notApplicable('the policy is not DANE')
      const found = observation.asked.filter(({ type }) => type === TYPE.TLSA)
      return unless(
        found.map(({ name }) => `asked for the TLSA records of ${name}`),
        'no TLSA record was asked for',
      )
    },
  },
}
