/** What a server and a ClientHello have in common: version, suite, group, session. RFC 5246 §7.4.1. Pure. */
import { type ClientHello, EXTENSION, listOf, ticketOf } from './client-hello.ts'
import { GROUPS, type GroupName } from './key-exchange.ts'
import { ProtocolError, SSL3, TLS12, versionName } from './protocol.ts'
import type { LegacyServer } from './server.ts'
import type { SessionState } from './sessions.ts'
import type { Suite } from './suites.ts'

export interface Negotiated {
  readonly version: number
  readonly suite: Suite
  readonly group: GroupName | undefined
  /** The session that is resumed. */
  readonly resumed: SessionState | undefined
}

/** There is nothing in common. */
export class Refusal extends ProtocolError {}

/** @throws {Refusal} */
export function negotiate(server: LegacyServer, hello: ClientHello): Negotiated {
  const version = Math.min(hello.version, server.max)
  if (version < server.min)
    throw new Refusal(
      'protocol_version',
      `the client has ${versionName(hello.version)} at most, the server ${versionName(server.min)} at least`,
    )
  const group = groupFor(server, hello)
  const usable = server.suites.filter((suite) => fits(suite, version, group))
  const suite = preferred(server, hello.suites, usable)
  if (suite === undefined)
    throw new Refusal(
      'handshake_failure',
      `no cipher suite in common, of ${hello.suites.length} that the server looked at`,
    )
  const session = sessionOf(server, hello)
  const same = session !== undefined && session.version === version && hello.suites.includes(session.suite)
  const own = same ? usable.find(({ id }) => id === session.suite) : undefined
  return { version, suite: own ?? suite, group, resumed: own === undefined ? undefined : session }
}

function fits({ exchange, tls12 }: Suite, version: number, group: GroupName | undefined): boolean {
  if (tls12 && version < TLS12) return false
  // SSL 3.0 knows no curves, and its hello no groups.
  return !exchange.startsWith('ECDH') || (version > SSL3 && group !== undefined)
}

/** A client that names no groups has them all, RFC 8422 §4; X25519 is younger than such clients. */
function groupFor(server: LegacyServer, hello: ClientHello): GroupName | undefined {
  const offered = hello.extensions.has(EXTENSION.supportedGroups)
    ? listOf(hello, EXTENSION.supportedGroups)
    : [GROUPS.p256]
  return server.options.groups.find((name) => offered.includes(GROUPS[name]))
}

function preferred(server: LegacyServer, offered: readonly number[], usable: readonly Suite[]): Suite | undefined {
  if (server.options.order === 'server') return usable.find(({ id }) => offered.includes(id))
  for (const id of offered) {
    const found = usable.find((suite) => suite.id === id)
    if (found !== undefined) return found
  }
  return undefined
}

function sessionOf(server: LegacyServer, hello: ClientHello): SessionState | undefined {
  const ticket = ticketOf(hello)
  if (ticket !== undefined && ticket.length > 0) return server.sessions.openTicket(ticket)
  return hello.sessionId.length === 0 ? undefined : server.sessions.find(hello.sessionId)
}
