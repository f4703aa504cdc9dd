/** Flaws of the reference client's queue: which hosts it tries, in which order, and when it gives a message up. */
import type { FlawTable } from '../flaws.ts'

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
    meaning: 'connects to a host twenty times in a row when TLS fails there',
    decide: { hostsToTry: (hosts) => hosts.flatMap((host) => Array.from({ length: 20 }, () => host)) },
  },
}
