/** Predicates about the ClientHellos of a client. Pure. RFC 6066 §3, RFC 6176 §3, RFC 9325 §3.1.3. */
import { downgrades } from './flags-downgrade.ts'
import { notApplicable, unless } from './holding.ts'
import type { Observation } from './observe.ts'
import type { Predicate } from './predicates.ts'

function hellosOf({ connections }: Observation) {
  return connections.flatMap(({ hellos }) => hellos).filter(({ event }) => event.hello.format !== 'none')
}

/** How the legacy engine says that the client sent one. */
const HEARTBEAT = /^a heartbeat of \d+ octets$/

export const TLS_PREDICATES: Readonly<Record<string, Predicate>> = {
  'no-sslv2-hello': {
    title: 'No ClientHello is in the format of SSLv2',
    source: 'RFC 6176 §3',
    weight: 'flagged',
    check(observation) {
      const hellos = hellosOf(observation)
      if (hellos.length === 0) return notApplicable('no ClientHello')
      const old = hellos.filter(({ event }) => event.hello.format === 'sslv2')
      return unless(
        old.map(() => 'a ClientHello in the format of SSLv2'),
        'every ClientHello is in TLS records',
      )
    },
  },
  'names-the-server': {
    title: 'Where the certificate is checked against a name the ClientHello names the server',
    source: 'RFC 6066 §3; RFC 7672 §8.1; RFC 8461 §7.1',
    weight: 'flagged',
    check(observation) {
      if (!observation.requiresVerified) return notApplicable('the policy checks no name')
      const hellos = hellosOf(observation)
      if (hellos.length === 0) return notApplicable('no ClientHello')
      const bare = hellos.filter(({ event }) => event.hello.serverName === undefined)
      return unless(
        bare.map(() => 'a ClientHello without server_name'),
        'every ClientHello names a server',
      )
    },
  },
  'no-dot-in-server-name': {
    title: 'No name in a ClientHello ends in a dot',
    source: 'RFC 6066 §3',
    weight: 'flagged',
    check(observation) {
      const names = hellosOf(observation).flatMap(({ event }) => event.hello.serverName ?? [])
      if (names.length === 0) return notApplicable('no ClientHello names a server')
      return unless(
        names.filter((name) => name.endsWith('.')).map((name) => `the ClientHello names ${name}`),
        'no name ends in a dot',
      )
    },
  },
  'no-heartbeat-answer': {
    title: 'No heartbeat is answered that was not agreed to',
    source: 'RFC 6520 §3; CVE-2014-0160',
    weight: 'fail',
    check({ connections }) {
      const shaken = connections.filter(({ presented, failures }) => presented.length > 0 || failures.length > 0)
      if (shaken.length === 0) return notApplicable('no TLS handshake')
      const answers = shaken.flatMap(({ failures }) => failures.filter(({ event }) => HEARTBEAT.test(event.reason)))
      return unless(
        answers.map(({ event }) => `the client sent ${event.reason}`),
        'no heartbeat came from the client',
      )
    },
  },
  'no-version-dance': {
    title: 'No later ClientHello offers a lower highest version',
    source: 'RFC 9325 §3.1.3; RFC 7507',
    weight: 'fail',
    check(observation) {
      if (hellosOf(observation).length < 2) return notApplicable('fewer than two ClientHellos')
      const dances = downgrades(observation).filter(({ flag }) => flag === 'downgrade.version-dance')
      return unless(
        dances.map(({ detail }) => detail),
        'no lower version',
      )
    },
  },
}
