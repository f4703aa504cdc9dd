/**
 * The session of the correct client, from banner to final dot: RFC 5321 §3, RFC 3207, RFC 4954. It reads as if there
 * were no flaws; where one could go wrong it asks {@link Decisions}. It resolves when the server has taken the message
 * and throws a {@link Failure} in every other case.
 */
import { randomBytes } from 'node:crypto'
import type { Credentials } from '../../../scenarios/client.ts'
import { type Capabilities, NO_CAPABILITIES, readCapabilities } from './capabilities.ts'
import type { Presented } from './certificate.ts'
import type { Decisions, Memory } from './decisions.ts'
import { Dialogue, type Secured, type Wire } from './dialogue.ts'
import { Failure, type Stage } from './failure.ts'
import { type Job, OWN_NAME } from './job.ts'
import type { Reply } from './replies.ts'
import { exchangeOf, type Mechanism } from './sasl.ts'
import type { Handshake } from './sessions.ts'

/** What a delivered message went through. */
export interface Receipt {
  readonly encrypted: boolean
  readonly verified: boolean
}

export async function session(wire: Wire, job: Job, decide: Decisions, memory: Memory): Promise<Receipt> {
  const talk = new Dialogue(wire, decide, job)
  try {
    if (decide.startsInTls(job.policy)) await handshake(talk, job, decide, memory)
    const banner = expect(await talk.reply('banner'), 'banner', 220)
    const offered = await negotiate(talk, job, decide, memory, banner)
    await authenticate(talk, job, decide, offered)
    await transaction(talk, job, offered)
  } catch (failure) {
    if (failure instanceof Failure && failure.inStep) await quit(talk)
    throw failure
  }
  const encrypted = talk.secured
  await quit(talk, decide.afterUnansweredQuit)
  return { encrypted, verified: encrypted && (job.tlsa !== undefined || decide.checksCertificate(job.policy)) }
}

/** Greets, starts TLS where the policy wants it, and greets again; returns what the server offers for the message. */
async function negotiate(
  talk: Dialogue,
  job: Job,
  decide: Decisions,
  memory: Memory,
  banner: Reply,
): Promise<Capabilities> {
  const offered = await greet(talk, job, decide, banner)
  if (job.policy === 'none' || talk.secured || decide.skipsTls(job, memory)) return offered
  if (decide.authenticatesFirst && offered.keywords.has('AUTH')) await authenticate(talk, job, decide, offered)
  if (!(await startTls(talk, job, decide, memory, offered))) return offered
  if (decide.repeatsStartTls(offered)) await talk.command('starttls', 'STARTTLS')
  if (!decide.greetsInTls) return offered
  return decide.capabilitiesInTls(offered, await greet(talk, job, decide, banner))
}

async function greet(talk: Dialogue, job: Job, decide: Decisions, banner: Reply): Promise<Capabilities> {
  if (decide.greetWith(banner) === 'EHLO') {
    const reply = await talk.command('ehlo', `EHLO ${decide.ownName(talk.secured)}`)
    if (reply.code === 250) return readCapabilities(reply, decide.readKeyword)
    if (reply.code < 500 || decide.afterRefusedEhlo(job) === 'fail') throw unexpected(reply, 'ehlo')
  }
  expect(await talk.command('ehlo', `HELO ${OWN_NAME}`), 'ehlo', 250)
  return NO_CAPABILITIES
}

/** True when TLS is up, false when the policy lets the message go in clear. */
async function startTls(
  talk: Dialogue,
  job: Job,
  decide: Decisions,
  memory: Memory,
  offered: Capabilities,
): Promise<boolean> {
  if (offered.startTls === 0) {
    if (decide.withoutStartTls(job, offered, memory) === 'clear') return false
    throw new Failure('no-tls', 'starttls', 'TLS is required and STARTTLS is not offered')
  }
  const reply = await talk.command('starttls', decide.startTlsCommand(OWN_NAME, job))
  const answer = decide.startTlsAnswer(reply.code)
  if (answer === 'broken') throw new Failure('protocol', 'starttls', `${reply.code} in answer to STARTTLS`)
  if (answer === 'refused') {
    if (decide.afterRefusedStartTls(job.policy) === 'clear') return false
    throw new Failure('no-tls', 'starttls', `TLS is required and STARTTLS was refused with ${reply.code}`, reply.code)
  }
  const tooEarly = decide.beforeHandshake(OWN_NAME)
  if (tooEarly !== '') await talk.send('handshake', Buffer.from(tooEarly, 'latin1'), tooEarly.trimEnd())
  return handshake(talk, job, decide, memory)
}

/** True when TLS is up with a peer that the policy accepts. */
async function handshake(talk: Dialogue, job: Job, decide: Decisions, memory: Memory): Promise<boolean> {
  const name = decide.sessionName(job)
  const kept = memory.sessions.get(name)
  memory.sessions.delete(name)
  let secured: Secured
  try {
    secured = await talk.secure(kept?.session)
  } catch (failure) {
    memory.broken.add(job.hostName)
    const failed = failure instanceof Failure && (failure.kind === 'handshake' || failure.kind === 'timeout')
    if (!failed || decide.afterFailedHandshake === 'fail') throw failure
    talk.unsecure()
    return false
  }
  const then = secured.resumed ? kept?.presented : undefined
  const how: Handshake = kept === undefined ? 'full' : secured.resumed ? 'resumed' : 'refused'
  if (how === 'refused' && decide.afterRefusedSession === 'fail')
    throw new Failure('handshake', 'handshake', 'the server does not go on with the session')
  const keep = (): void =>
    talk.keepSessions((session) => memory.sessions.set(name, { session, presented: then ?? secured.presented }))
  if (decide.keepsSessionsOf === 'any') keep()
  acceptPeer(then === undefined ? secured.presented : decide.resumedPeer(then), how, job, decide, memory)
  keep()
  memory.tls.add(job.hostName)
  return true
}

/** Throws a {@link Failure} unless the policy accepts the peer that showed this. */
function acceptPeer(presented: Presented, how: Handshake, job: Job, decide: Decisions, memory: Memory): void {
  const refused = (reason: string): Failure => new Failure('certificate', 'handshake', reason)
  const unmet = decide.demand(presented, job.hostName, memory)
  if (unmet !== undefined) throw refused(unmet)
  if (job.tlsa !== undefined) {
    const { records, names } = job.tlsa
    if (decide.tlsaToTry(records).some((record) => decide.matchesTlsa(record, presented, names))) return
    throw refused(`no TLSA record of ${job.hostName} matches the certificate`)
  }
  if (!decide.checksCertificate(job.policy) || !decide.checksPeerOf(how)) return
  const [leaf] = presented.chain
  if (leaf === undefined) throw refused('the server showed no certificate')
  const distrusted = decide.distrust(presented, job.hostName)
  if (distrusted !== undefined) throw refused(`the certificate is not trusted: ${distrusted}`)
  if (!decide.nameMatches(leaf, job.hostName, presented)) throw refused(`the certificate is not for ${job.hostName}`)
}

async function authenticate(talk: Dialogue, job: Job, decide: Decisions, offered: Capabilities): Promise<void> {
  if (job.credentials === undefined) return
  const mechanism = decide.chooseMechanism(offered)
  if (mechanism === undefined || !decide.mayAuthenticate(talk.secured)) {
    if (decide.withoutAuth === 'deliver') return
    const why =
      mechanism === undefined ? 'no AUTH mechanism that it knows is offered' : 'the connection is not encrypted'
    throw new Failure('no-auth', 'auth', `the password cannot be used: ${why}`)
  }
  const reply = await proveWith(talk, mechanism, job.credentials, decide)
  if (reply.code === 235) return
  const next = decide.afterRefusedAuth(mechanism)
  if (next === undefined) throw unexpected(reply, 'auth')
  expect(await proveWith(talk, next, job.credentials, decide), 'auth', 235)
}

/** One AUTH exchange, RFC 4954 §4; the reply that ends it. */
async function proveWith(
  talk: Dialogue,
  mechanism: Mechanism,
  credentials: Credentials,
  decide: Decisions,
): Promise<Reply> {
  const exchange = exchangeOf(mechanism, credentials, randomBytes(18).toString('base64'))
  const say = (line: string, shown: string): Promise<Reply> =>
    talk.command('auth', line, decide.log.secrets ? line : shown)
  const initial = exchange.initial === undefined ? '' : ` ${base64(exchange.initial)}`
  let last = initial
  let reply = await say(`AUTH ${mechanism}${initial}`, `AUTH ${mechanism}${initial === '' ? '' : ' (secret)'}`)
  while (reply.code === 334) {
    const challenge = Buffer.from(reply.lines.join(''), 'base64').toString('latin1')
    const answer = exchange.respond(challenge)
    if (answer === undefined && decide.strayChallenge === 'cancel') {
      await talk.command('auth', '*')
      throw new Failure('protocol', 'auth', `a challenge that ${mechanism} does not foresee`)
    }
    last = answer === undefined ? last : base64(answer)
    reply = await say(last.trim(), '(secret)')
  }
  if (reply.code === 235 && !exchange.complete()) {
    throw new Failure('protocol', 'auth', 'the server has not proven that it knows the password')
  }
  return reply
}

/** RFC 5321 §3.3. All recipients or none: a refused one fails the delivery. */
async function transaction(talk: Dialogue, job: Job, offered: Capabilities): Promise<void> {
  const content = stuffed(job.message)
  expect(
    await talk.command('mail', `MAIL FROM:<${job.from}>${sizeParameter(job.message.length, offered)}`),
    'mail',
    250,
  )
  for (const recipient of job.to) {
    const reply = await talk.command('rcpt', `RCPT TO:<${recipient}>`)
    if (reply.code !== 250 && reply.code !== 251) throw unexpected(reply, 'rcpt')
  }
  expect(await talk.command('data', 'DATA'), 'data', 354)
  const blocks = Math.max(1, Math.ceil(content.length / BLOCK))
  for (let block = 0; block < blocks; block += 1) {
    const octets = content.subarray(block * BLOCK, (block + 1) * BLOCK)
    await talk.send('block', octets, `(${octets.length} octets of the message)`)
  }
  expect(await talk.command('dot', '.'), 'dot', 250)
}

/** Octets of the message that are written at a time, each within the limit of a block. */
const BLOCK = 64 * 1024

/** RFC 1870: the declared size, or a failure where the server says that it takes less. */
function sizeParameter(size: number, offered: Capabilities): string {
  const limit = offered.keywords.get('SIZE')
  if (limit === undefined) return ''
  if (/^[0-9]{1,20}$/.test(limit) && Number(limit) > 0 && size > Number(limit)) {
    throw new Failure('refused', 'mail', `the message has ${size} octets, the server takes ${limit}`, 552)
  }
  return ` SIZE=${size}`
}

/** The message with its last line ended and leading dots doubled (RFC 5321 §4.5.2), without the final dot. */
function stuffed(message: Buffer): Buffer {
  const text = message.toString('latin1')
  const ended = text.endsWith('\r\n') || text === '' ? text : `${text}\r\n`
  return Buffer.from(ended.replace(/^\./, '..').replace(/\r\n\./g, '\r\n..'), 'latin1')
}

/** The delivery is decided by now: no answer to QUIT changes it (RFC 5321 §4.1.1.10). */
async function quit(talk: Dialogue, unanswered: Decisions['afterUnansweredQuit'] = 'delivered'): Promise<void> {
  try {
    await talk.command('quit', 'QUIT')
  } catch (failure) {
    if (!(failure instanceof Failure) || unanswered === 'fail') throw failure
  }
}

function expect(reply: Reply, stage: Stage, code: number): Reply {
  if (reply.code !== code) throw unexpected(reply, stage)
  return reply
}

/** 4yz and 5yz are refusals; any other code that was not expected here is none of RFC 5321's (§4.2). */
function unexpected(reply: Reply, stage: Stage): Failure {
  const text = JSON.stringify(reply.lines.join(' ').slice(0, 120))
  const kind = reply.code >= 400 ? 'refused' : 'protocol'
  return new Failure(kind, stage, `${stage}: the server said ${reply.code} ${text}`, reply.code)
}

function base64(text: string): string {
  return Buffer.from(text, 'latin1').toString('base64')
}
