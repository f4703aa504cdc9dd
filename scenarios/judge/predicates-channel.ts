/** Predicates about what may cross in clear, and when. Pure. RFC 3207 §4, §4.2, §6; RFC 7435 §3, §4; RFC 8314 §3.3. */
import { sightingsAfter } from './canaries.ts'
import type { Connection } from './connection.ts'
import { commandsAfterGo } from './flags-protocol.ts'
import { broken, held, notApplicable, unless } from './holding.ts'
import { clearMails, type Observation } from './observe.ts'
import type { Predicate } from './predicates.ts'
import { printed } from './raised.ts'

/** The first thing of the message, or of the password, that crossed in clear after `seq`, as a sentence. */
function clearAfter(observation: Observation, seq: number): string | undefined {
  const mail = clearMails(observation, observation.connections).find((command) => command.seq > seq)
  if (mail !== undefined) return 'MAIL of this message in clear'
  for (const connection of observation.connections) {
    const seen = sightingsAfter(connection, 'clear', seq, observation.cell.canaries).find(({ name }) => name !== 'helo')
    if (seen !== undefined) return `the ${seen.name} canary in clear`
  }
  return undefined
}

function clearCommandsAfter(connection: Connection, seq: number): string[] {
  return connection.commands
    .filter(
      (command) => command.layer === 'clear' && command.seq > seq && command.verb !== 'QUIT' && command.verb !== '',
    )
    .map(({ verb }) => printed(verb))
}

const neverClear = (observation: Observation) => {
  if (!observation.forbidsClear) return notApplicable('the policy lets the message go in clear')
  return unless(clearAfter(observation, -1), 'nothing of the message crossed in clear')
}

export const CHANNEL_PREDICATES: Readonly<Record<string, Predicate>> = {
  'no-cleartext-after-certificate': {
    title: 'Nothing of the message crosses in clear after a certificate was shown',
    source: 'RFC 7435 §4',
    weight: 'leak',
    check(observation) {
      const shown = observation.connections.flatMap(({ presented }) => presented)[0]
      if (shown === undefined) return notApplicable('no certificate was shown')
      const seen = clearAfter(observation, shown.seq)
      return unless(
        seen === undefined ? undefined : `${seen} after the certificate`,
        'nothing in clear after the certificate',
      )
    },
  },
  'not-cleartext-opportunistic': {
    title: 'A client that may use TLS and is offered it does not fall back to cleartext',
    source: 'RFC 7435 §3, §4',
    weight: 'leak',
    check(observation) {
      if (observation.cell.judgedAs === 'none') return notApplicable('the policy asks for no TLS')
      return unless(clearAfter(observation, -1), 'nothing of the message crossed in clear')
    },
  },
  'tls-or-error-never-clear': {
    title: 'Under a policy that demands TLS there is TLS or an error, and nothing in clear',
    source: 'RFC 3207 §6',
    weight: 'leak',
    check: neverClear,
  },
  'nothing-secret-in-clear': {
    title: 'Neither the password nor anything of the message crosses in clear',
    source: 'RFC 8314 §5.2',
    weight: 'leak',
    check: neverClear,
  },
  'no-helo-delivery': {
    title: 'Under a policy that demands TLS, HELO is no way around it',
    source: 'RFC 5321 §3.2; RFC 3207 §6',
    weight: 'leak',
    check(observation) {
      if (!observation.forbidsClear) return notApplicable('the policy lets the message go in clear')
      const fallen = observation.connections.filter(({ commands }) =>
        commands.some(({ verb, layer }) => verb === 'HELO' && layer === 'clear'),
      )
      if (fallen.length === 0) return held('no HELO in clear')
      const deeds = fallen.flatMap((connection) => [
        ...clearMails(observation, [connection]).map(() => 'MAIL in clear after HELO'),
        ...connection.commands
          .filter(({ verb, layer }) => verb === 'AUTH' && layer === 'clear')
          .map(() => 'AUTH in clear after HELO'),
      ])
      return unless(deeds, 'HELO, but neither MAIL nor AUTH in clear after it')
    },
  },
  'no-auth-in-clear': {
    title: 'No AUTH in clear, and no password',
    source: 'RFC 4954 §4, §9',
    weight: 'leak',
    check(observation) {
      const deeds = observation.connections.flatMap(({ commands, sightings }) => [
        ...commands
          .filter(({ verb, layer }) => verb === 'AUTH' && layer === 'clear')
          .map(({ argument }) => `AUTH ${printed(argument.split(/\s/)[0]?.toUpperCase() ?? '')} in clear`),
        ...sightings
          .filter(({ name, layer }) => name === 'password' && layer === 'clear')
          .map(() => 'the password in clear'),
      ])
      return unless(deeds, 'no AUTH in clear')
    },
  },
  'no-auth-begun-in-clear': {
    title: 'The client begins no AUTH in clear, not even one in which nothing secret has crossed yet',
    source: 'RFC 4954 §9; RFC 8314 §5.2',
    // A password that crossed is a flag of its own, leak.credentials-clear; a name of a mechanism or of a user is none.
    weight: 'flagged',
    check({ connections }) {
      const begun = connections
        .flatMap(({ commands }) => commands)
        .filter(({ verb, layer }) => verb === 'AUTH' && layer === 'clear')
        .map(({ argument }) => `AUTH ${printed(argument.split(/\s/)[0]?.toUpperCase() ?? '')} in clear`)
      return unless(begun, 'no AUTH in clear')
    },
  },
  'no-clear-bytes-before-client-hello': {
    title: 'Where TLS begins with the connection the client says nothing before its ClientHello',
    source: 'RFC 8314 §3.3',
    weight: 'fail',
    check(observation) {
      const direct = observation.connections.filter(({ opened }) => opened.event.tlsOnConnect)
      if (direct.length === 0) return notApplicable('no connection on which TLS begins at once')
      const early = direct.flatMap(({ entries }) =>
        entries
          .filter(
            (entry) =>
              entry.from === 'client' &&
              entry.layer === 'clear' &&
              entry.bytes.length > 0 &&
              !(entry.kind === 'bytes' && entry.what === 'tls-records'),
          )
          .map((entry) => `${entry.bytes.length} octets in clear where a ClientHello was due`),
      )
      return unless(early, 'the ClientHello came first')
    },
  },
  'no-command-in-clear-after-220': {
    title: 'After the 220 to STARTTLS no command in clear on that connection',
    source: 'RFC 3207 §4',
    weight: 'fail',
    check(observation) {
      const deeds = observation.connections.flatMap((connection) =>
        commandsAfterGo(connection).map(({ verb }) => `${printed(verb)} in clear after the 220`),
      )
      return unless(deeds, 'no command in clear after the 220')
    },
  },
  'no-cleartext-after-close-notify': {
    title: 'When TLS has been ended the client does not go on in clear on that connection',
    source: 'RFC 3207 §4.2; RFC 8446 §6.1',
    weight: 'fail',
    check(observation) {
      const closed = observation.connections.flatMap((connection) => {
        const end = connection.entries.find((entry) => entry.kind === 'tls' && entry.state === 'closed')
        return end === undefined ? [] : [{ connection, seq: end.seq }]
      })
      if (closed.length === 0) return notApplicable('TLS was never ended on a connection that went on')
      const deeds = closed.flatMap(({ connection, seq }) => clearCommandsAfter(connection, seq))
      return deeds[0] === undefined
        ? held('nothing in clear after close_notify')
        : broken(`${deeds[0]} in clear after close_notify`)
    },
  },
  'no-answer-to-334': {
    title: 'A 334 that the client did not ask for gets neither user name nor password',
    source: 'RFC 4954 §4; NO STARTTLS (USENIX Security 2021)',
    weight: 'leak',
    check(observation) {
      const secrets = observation.cell.canaries.filter(({ name }) => name === 'user' || name === 'password')
      if (secrets.length === 0) return notApplicable('the client had no password')
      const asked = observation.connections.flatMap((connection) =>
        connection.replies
          .filter(({ code, interim }) => code === 334 && !interim)
          .map((reply) => ({ connection, reply })),
      )
      if (asked.length === 0) return notApplicable('no such 334 was sent')
      const deeds = asked.flatMap(({ connection, reply }) =>
        sightingsAfter(connection, reply.layer, reply.seq, secrets).map(({ name }) => `the ${name} after the 334`),
      )
      return unless(deeds, 'nothing secret after the 334')
    },
  },
}
