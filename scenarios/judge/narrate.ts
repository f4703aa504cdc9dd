/**
 * What happened on the wire, as a clause of a sentence: "sent MAIL FROM and the message in clear after the EHLO reply
 * without STARTTLS". Pure.
 */
import { type Connection, goAhead, offerBefore, replyFor } from './connection.ts'
import { clearMails, type Observation, type Observed, observed } from './observe.ts'
import type { AttemptOutcome } from './outcome.ts'
import { printed } from './raised.ts'
import type { CommandEntry, Entry } from './transcript.ts'

/** What the client did in an attempt, in the past tense, without its subject. */
export function narrate(observation: Observation, attempt: AttemptOutcome): string {
  const { connections, word } = attempt.attempt
  if (attempt.outcome === 'crashed') return `crashed${becauseOf(word?.reason)} ${lastMoment(connections)}`
  if (attempt.wait !== undefined) return waited(attempt)
  if (attempt.weakest !== undefined) return delivered(observation, attempt, attempt.weakest.conn)
  if (attempt.outcome === 'lost') return `reported success ${lastMoment(connections)}; no peer accepted the message`
  const clear = clearMails(observation, connections)[0]
  if (clear !== undefined) {
    return `sent MAIL FROM in clear after ${before(connections, clear)}; no peer accepted the message`
  }
  const last = connections.at(-1)
  if (last === undefined)
    return word === undefined ? 'made no connection' : `made no connection and reported: ${oneLine(word.reason)}`
  return `${ended(last)}; ${sent(observation, connections)}`
}

function waited(attempt: AttemptOutcome): string {
  const { wait } = attempt
  if (wait === undefined) return ''
  const limit = `RFC 5321 §4.5.3.2 allows ${seconds(wait.limitMs)} at this scale`
  return `was ended by the harness after ${seconds(wait.waitedMs)} of waiting for ${wait.for} (${limit})`
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

function delivered(observation: Observation, attempt: AttemptOutcome, conn: string): string {
  const { connections } = attempt.attempt
  const connection = observed(observation, conn)
  const mail = attempt.weakest?.mail
  if (connection === undefined || mail === undefined) return 'delivered'
  if (attempt.outcome === 'delivered-cleartext' && mail.layer === 'clear') {
    return `sent MAIL FROM and the message in clear after ${before(connections, mail)}`
  }
  const session = connection.ups.at(-1)?.event
  const tls = session === undefined ? 'TLS' : spokenVersion(session.version)
  if (attempt.outcome === 'delivered-cleartext')
    return `delivered in ${tls} without encryption: ${connection.credential.reason}`
  return attempt.outcome === 'delivered-verified'
    ? `delivered in ${tls} to a peer whose certificate verifies`
    : `delivered in ${tls} to a peer that is not verified: ${connection.credential.reason}`
}

/** What the client knew when it sent this command in clear. */
function before(connections: readonly Connection[], mail: CommandEntry): string {
  const connection = connections.find(({ conn }) => conn === mail.conn)
  if (connection === undefined) return 'connecting'
  const earlier = connections.filter(({ opened }) => opened.seq < connection.opened.seq)
  const tail = earlier.length > 0 ? `, on a new connection after ${stageOf(earlier.at(-1) as Connection)}` : ''
  const sofar = connection.entries.filter((entry) => entry.seq < mail.seq)
  return `${moment(connection, sofar)}${tail}`
}

/** How the client left a connection. */
function ended(connection: Connection): string {
  const { closed } = connection
  const stage = stageOf(connection)
  if (closed === undefined) return `left the connection open after ${stage}`
  const quit = connection.commands.some(({ verb }) => verb === 'QUIT')
  if (quit) return `quit after ${stage}`
  if (closed.event.by === 'client')
    return `${closed.event.how === 'rst' ? 'reset' : 'ended'} the connection after ${stage}`
  if (closed.event.by === 'harness') return `said nothing more after ${stage}, until the harness ended the connection`
  return `gave up when the connection was ended after ${stage}`
}

function stageOf(connection: Connection): string {
  return moment(connection, connection.entries)
}

function lastMoment(connections: readonly Connection[]): string {
  const last = connections.at(-1)
  return last === undefined ? 'without a connection' : `after ${stageOf(last)}`
}

/** The last thing of weight among the entries, as a noun. */
function moment(connection: Connection, entries: readonly Entry[]): string {
  const failed = brokenBy(entries)
  const presented = entries.some((entry) => entry.kind === 'tls' && entry.state === 'presented')
  const up = entries.findLast((entry) => entry.kind === 'tls' && entry.state === 'up')
  const reply = entries.findLast((entry) => entry.kind === 'reply' && answersOf(connection, entry)?.verb !== 'QUIT')
  const closed = entries.findLast((entry) => entry.kind === 'tls' && entry.state === 'closed')
  if (closed !== undefined && closed.seq > (reply?.seq ?? -1)) return 'the end of TLS by close_notify'
  if (failed?.kind === 'tls' && failed.seq > (reply?.seq ?? -1)) {
    if (entries.some((entry) => entry.kind === 'command' && entry.layer === 'tls'))
      return `TLS broke (${oneLine(failed.detail)})`
    if (!presented && helloBeforeGo(connection, entries))
      return 'its ClientHello, which came before the 220 to STARTTLS'
    return presented
      ? `the certificate (${oneLine(failed.detail)})`
      : `the failed TLS handshake (${oneLine(failed.detail)})`
  }
  const command = entries.findLast((entry) => entry.kind === 'command' && entry.verb !== 'QUIT')
  if (command?.kind === 'command' && command.seq > (reply?.seq ?? -1) && replyFor(connection, command) === undefined) {
    return `${printed(command.verb)}${command.layer === 'tls' ? ' inside TLS' : ''}, which got no reply`
  }
  if (up !== undefined && up.seq > (reply?.seq ?? -1))
    return presented ? 'the handshake and the certificate' : 'the TLS handshake'
  const hello = helloThatCameToNothing(entries)
  if (hello !== undefined) return hello
  if (reply?.kind !== 'reply')
    return connection.opened.event.tlsOnConnect
      ? 'connecting, without a ClientHello, to a peer where TLS comes first'
      : 'connecting, before any banner'
  return replyMoment(connection, reply)
}

/** The client began TLS and the peer, who has none, gave it silence or text: as a noun, where nothing else came after. */
function helloThatCameToNothing(entries: readonly Entry[]): string | undefined {
  if (entries.some((entry) => entry.kind === 'tls' && entry.state === 'hello')) return undefined
  const at = entries.findLastIndex((entry) => entry.kind === 'bytes' && entry.what === 'tls-records')
  if (entries[at]?.from !== 'client') return undefined
  const later = entries.slice(at + 1)
  const answer = later.find((entry) => entry.from === 'peer' && entry.bytes.length > 0)
  const done = later.some((entry) => entry.kind === 'reply' && entry.answers !== null)
  if (done) return undefined
  if (answer === undefined) return 'its ClientHello, which got no answer'
  return `its ClientHello, which was answered in clear${answer.kind === 'reply' ? ` (${answer.code})` : ''}`
}

/** A ClientHello that did not wait for the go belongs to no handshake: the server lets go of it (CVE-2011-0411). */
function helloBeforeGo(connection: Connection, entries: readonly Entry[]): boolean {
  const hello = entries.findLast((entry) => entry.kind === 'tls' && entry.state === 'hello')
  const go = goAhead(connection)
  return hello !== undefined && go !== undefined && hello.seq < go.seq
}

/** The failure of a handshake that the client had begun, unless it came after QUIT, when it matters no more. */
function brokenBy(entries: readonly Entry[]): Entry | undefined {
  if (!entries.some((entry) => entry.kind === 'tls' && entry.state === 'hello')) return undefined
  const failed = entries.findLast((entry) => entry.kind === 'tls' && entry.state === 'failed')
  const quit = entries.find((entry) => entry.kind === 'command' && entry.verb === 'QUIT')
  return failed !== undefined && quit !== undefined && quit.seq < failed.seq ? undefined : failed
}

function replyMoment(connection: Connection, reply: Extract<Entry, { kind: 'reply' }>): string {
  const where = reply.layer === 'tls' ? ' inside TLS' : ''
  if (reply.answers === 0) return reply.code === 220 ? 'the banner' : `the banner ${reply.code}`
  const command = answersOf(connection, reply)
  if (command === undefined) return `the reply ${reply.code} that nothing had asked for`
  if (command.verb === 'EHLO' && reply.code === 250) {
    if (reply.layer === 'tls') return 'the EHLO reply inside TLS'
    const offers = offerBefore(connection, { layer: 'clear', seq: reply.seq + 1 })?.keywords.has('STARTTLS') === true
    return `the EHLO reply ${offers ? 'with' : 'without'} STARTTLS`
  }
  if (command.verb === 'STARTTLS' && reply === goAhead(connection)) return 'the 220 to STARTTLS'
  return `the reply ${reply.code} to ${printed(command.verb)}${where}`
}

function answersOf(connection: Connection, reply: Entry): CommandEntry | undefined {
  if (reply.kind !== 'reply' || reply.answers === null) return undefined
  return connection.commands.find(({ id }) => id === reply.answers)
}

/** What of the message and the password went out in this attempt. */
function sent(observation: Observation, connections: readonly Connection[]): string {
  const names = new Map<string, string>()
  for (const { conn } of connections) {
    const connection = observed(observation, conn) as Observed
    for (const { name, layer } of connection.sightings) {
      const where =
        layer === 'clear'
          ? 'in clear'
          : `inside TLS to a ${connection.credential.kind === 'verified' ? 'verified' : 'unverified'} peer`
      const what =
        name === 'sender' || name === 'recipient'
          ? 'the envelope'
          : name === 'subject' || name === 'body'
            ? 'content'
            : name === 'password'
              ? 'the password'
              : ''
      if (what !== '') names.set(`${what} ${where}`, what)
    }
  }
  const all = [...names.keys()]
  return all.length === 0 ? 'nothing of the message was sent' : `sent ${all.join(', ')}`
}

function spokenVersion(version: string): string {
  return version.replace(/^TLSv/, 'TLS ').replace(/^TLS 1$/, 'TLS 1.0')
}

function becauseOf(reason: string | undefined): string {
  return reason === undefined || reason === '' ? '' : ` (${oneLine(reason)})`
}

/** A client's or a library's own words: one line, at most 160 characters. */
function oneLine(text: string): string {
  const line = text.split(/\r?\n/, 1)[0] ?? ''
  return line.length > 160 ? `${line.slice(0, 157)}…` : line
}
