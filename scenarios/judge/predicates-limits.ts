/** Predicates about what a client takes from a peer that sends without end, and what it writes into its log. Pure. */
import { findCanaries } from '../../peers/canary.ts'
import type { Connection } from './connection.ts'
import { notApplicable, unless } from './holding.ts'
import type { Observation } from './observe.ts'
import type { Predicate } from './predicates.ts'

/**
 * Octets of one unfinished reply that may be on their way to a client that has stopped to read: what both kernels' buffers
 * can grow to (4 MiB to send, 32 MiB to receive where the system's limit has been raised), and what the peer itself holds.
 */
const IN_FLIGHT = 40 * 1024 * 1024

/** More than any SASL mechanism has steps (RFC 4422 §3.5). */
const MOST_ANSWERS = 16

/** Octets that went to the client since the last whole reply, or its own last word, in the run that has most of them. */
function longestReply(connection: Connection): number {
  let longest = 0
  let octets = 0
  for (const entry of connection.entries) {
    if (entry.kind === 'bytes' && entry.from === 'peer' && entry.what !== 'tls-records') {
      octets += entry.bytes.length + (entry.missing ?? 0)
      longest = Math.max(longest, octets)
    } else if (entry.kind === 'reply') {
      longest = Math.max(longest, octets + entry.bytes.length)
      octets = 0
    }
  }
  return longest
}

function mostAnswers(connection: Connection): number {
  const counts = connection.commands
    .filter(({ verb }) => verb === 'AUTH')
    .map(({ id }) => connection.entries.filter((entry) => entry.kind === 'content' && entry.id === id).length)
  return Math.max(0, ...counts)
}

/** What a terminal would obey: C0 but for tabs, DEL, C1. */
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f-\x9f]/

function logLines({ attempts }: Observation): string[] {
  return attempts.flatMap(({ word }) => (word === undefined ? [] : [word.reason, ...word.log]))
}

export const LIMIT_PREDICATES: Readonly<Record<string, Predicate>> = {
  'bounded-reply': {
    title: `The client takes no more than ${IN_FLIGHT / 1024 / 1024} MiB of one reply`,
    source: 'RFC 5321 §4.5.3.1.5, §4.5.3.1.10',
    // What it does with them, keep or drop, is not seen on the wire.
    weight: 'flagged',
    check({ connections }) {
      const longest = Math.max(0, ...connections.map(longestReply))
      const detail = `${longest.toLocaleString('en')} octets of one reply`
      return unless(longest > IN_FLIGHT ? `took ${detail}` : undefined, `at most ${detail} were sent`)
    },
  },
  'bounded-challenges': {
    title: `The client answers no more than ${MOST_ANSWERS} challenges of one AUTH`,
    source: 'RFC 4954 §4; RFC 4422 §3.5',
    weight: 'fail',
    check({ connections }) {
      const asked = connections.some((connection) =>
        connection.commands.some((command) => command.verb === 'AUTH' && isChallenged(connection, command.id)),
      )
      if (!asked) return notApplicable('AUTH was never challenged')
      const most = Math.max(...connections.map(mostAnswers))
      return unless(
        most > MOST_ANSWERS ? `answered ${most} challenges of one AUTH` : undefined,
        `answered ${most} of the challenges`,
      )
    },
  },
  'log-escaped': {
    title: 'The client writes no control character of a reply into its output',
    source: 'RFC 5321 §4.2; CWE-117, CWE-150',
    weight: 'flagged',
    check(observation) {
      const lines = logLines(observation)
      if (lines.length === 0) return notApplicable('the client wrote nothing')
      const raw = lines.find((line) => CONTROL.test(line))
      const code = raw === undefined ? 0 : (CONTROL.exec(raw)?.[0].charCodeAt(0) ?? 0)
      const shown = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`
      return unless(raw === undefined ? undefined : `${shown} in a line of its output`, 'no control character')
    },
  },
  'no-secret-in-log': {
    title: 'The client does not write the password into its output',
    source: 'RFC 4954 §9; CWE-532',
    weight: 'flagged',
    check(observation) {
      const secrets = observation.cell.canaries.filter(({ name }) => name === 'password')
      if (secrets.length === 0) return notApplicable('the client had no password')
      const text = Buffer.from(logLines(observation).join('\n'), 'utf8')
      const [found] = findCanaries(text, secrets)
      return unless(
        found === undefined
          ? undefined
          : `the password in its output${found.form === 'plain' ? '' : `, as ${found.form}`}`,
        'no password in its output',
      )
    },
  },
}

function isChallenged(connection: Connection, id: number): boolean {
  return connection.replies.some((reply) => reply.answers === id && reply.code === 334)
}
