/** Flaws of the reference client's queue: which hosts it tries, in which order, and when it gives a message up. */
import { domainToUnicode } from 'node:url'
import type { FlawTable } from '../flaws.ts'
import { dnsNames } from '../names.ts'

export const QUEUE_FLAWS: FlawTable = {
  'stop-at-first-host': {
    meaning: 'tries the host of highest preference only',
    decide: { hostsToTry: (hosts) => hosts.slice(0, 1) },
  },
  'ignore-preference': {
    meaning: 'tries the hosts of a domain in the reverse of their preference',
    decide: { hostsToTry: (hosts) => [...hosts].reverse() },
  },
  'never-retry': {
    meaning: 'keeps a message in its queue and never tries it again',
    decide: { retries: false },
  },
  'hammer-host': {
    meaning: 'opens twelve connections to a host at once for one message',
    decide: { connections: 12 },
  },
  'want-mx-record': {
    meaning: 'finds no host for a domain that has no MX record',
    decide: { hostsToTry: (hosts) => hosts.filter(({ preference }) => preference !== undefined) },
  },
  'keep-first-lookup': {
    meaning: 'looks the hosts of a domain up once and for all',
    decide: {
      lookedUp: (domain, hosts, memory) => {
        const known = memory.hosts.get(domain) ?? hosts
        memory.hosts.set(domain, known)
        return known
      },
    },
  },
  'dotted-names': {
    meaning: 'takes the dot at the end of a name in an MX record for a part of the name',
    decide: {
      bareName: (name) => `${name.replace(/\.$/, '')}.`,
      nameMatches: (leaf, name) => dnsNames(leaf).includes(name),
    },
  },
  'unicode-names': {
    meaning: 'wants the U-labels of a mail host in its certificate',
    decide: { nameMatches: (leaf, name) => leaf.checkHost(domainToUnicode(name)) !== undefined },
  },
  'remember-broken-tls': {
    meaning: 'sends in clear, whatever the policy, to a host where TLS once did not come up',
    decide: { skipsTls: ({ hostName }, memory) => memory.broken.has(hostName) },
  },
  'spread-broken-tls': {
    meaning: 'sends in clear to every host once TLS did not come up at one',
    decide: { skipsTls: (_job, memory) => memory.broken.size > 0 },
  },
  'cleartext-on-retry': {
    meaning: 'drops the demand for TLS from the second attempt on',
    decide: { policyOf: (policy, attempt) => (attempt > 1 ? 'none' : policy) },
  },
  'hasty-retries': {
    meaning: 'tries a message again every 30 seconds',
    decide: { retryAfter: () => 30 },
  },
  'give-up-within-a-day': {
    meaning: 'gives a message up that is a day old',
    decide: { lifetime: 86_400 },
  },
}
