/**
 * Every decision of the reference client that a flaw can take differently, by name, and how the correct client decides.
 * The session asks, and never knows of flaws; a flaw is another answer to one of these questions ({@link ./flaws.ts}).
 */
import type { X509Certificate } from 'node:crypto'
import type { ClientWord, MailHost } from '../../../scenarios/client.ts'
import type { Policy as AnyPolicy } from '../../../scenarios/policy.ts'
import { type Capabilities, chooseMechanism, readKeyword } from './capabilities.ts'
import { distrust, nameMatches, type Presented } from './certificate.ts'
import { isUsable, matchesAnchor, matchesLeaf, type Tlsa } from './dane.ts'
import type { Failure, Stage } from './failure.ts'
import { type Job, OWN_NAME, type Policy } from './job.ts'
import { assemble, LONGEST, type Reply, type ReplyDecisions, readLine } from './replies.ts'
import type { Mechanism } from './sasl.ts'
import { type Handshake, type KeptSession, sessionName } from './sessions.ts'

/** What one started client remembers from delivery to delivery. The correct client looks at nothing of it but its sessions. */
export interface Memory {
  /** Hosts that TLS came up with. */
  readonly tls: Set<string>
  /** Fingerprint of the first certificate of each host. */
  readonly pins: Map<string, string>
  /** Hosts where TLS did not come up. */
  readonly broken: Set<string>
  /** The hosts of each domain when it was first looked up. */
  readonly hosts: Map<string, readonly MailHost[]>
  /** By {@link Decisions.sessionName}. */
  readonly sessions: Map<string, KeptSession>
}

export interface Residue {
  readonly replies?: Buffer
  readonly tls?: Buffer
}

export interface Decisions extends ReplyDecisions {
  // The dialogue
  /** Octets that arrived although nothing was asked, found when about to send: end the session, or take them as a reply. */
  readonly unasked: (stage: Stage) => 'fail' | 'keep'
  /** Lines to send in answer to a 334 that is not part of AUTH. */
  readonly answerStrayChallenge: (job: Job) => readonly string[]
  /** Milliseconds until `stage` has taken too long. */
  readonly stageLimit: (stage: Stage, timeScale: number) => number
  /** Milliseconds until the whole attempt has. */
  readonly attemptLimit: (deadlineMs: number) => number
  /** Whether {@link stageLimit} is for a whole reply, or starts anew with each octet. */
  readonly limits: 'reply' | 'octet'

  // Greeting
  readonly startsInTls: (policy: Policy) => boolean
  readonly greetWith: (banner: Reply) => 'EHLO' | 'HELO'
  /** What it calls itself in EHLO. */
  readonly ownName: (secured: boolean) => string
  readonly afterRefusedEhlo: (job: Job) => 'helo' | 'fail'
  readonly readKeyword: typeof readKeyword

  // Before TLS
  /** Does not ask for TLS although it is offered. */
  readonly skipsTls: (job: Job, memory: Memory) => boolean
  readonly withoutStartTls: (job: Job, offered: Capabilities, memory: Memory) => 'clear' | 'fail'
  /** The command, without its line end. */
  readonly startTlsCommand: (ehlo: string, job: Job) => string
  readonly startTlsAnswer: (code: number) => 'go' | 'refused' | 'broken'
  readonly afterRefusedStartTls: (policy: Policy) => 'clear' | 'fail'
  /** What is sent in clear between the 220 and the handshake. */
  readonly beforeHandshake: (ehlo: string) => string
  /** Octets received in clear when TLS is to begin: end the session, or read them as replies inside, or as TLS. */
  readonly residue: (octets: Buffer) => Residue | 'fail'

  // TLS
  readonly sendsServerName: boolean
  /** Bits of the shortest Diffie-Hellman group that it agrees to. */
  readonly smallestGroup: number
  readonly afterFailedHandshake: 'fail' | 'same-connection'
  readonly afterCloseNotify: 'fail' | 'same-connection'
  readonly checksCertificate: (policy: Policy) => boolean
  /** Why the chain is not trusted, or undefined. */
  readonly distrust: (presented: Presented, hostName: string) => string | undefined
  readonly nameMatches: (leaf: X509Certificate, hostName: string, presented: Presented) => boolean
  /** A demand on certificates beyond the policy's; why it is not met, or undefined. */
  readonly demand: (presented: Presented, hostName: string, memory: Memory) => string | undefined
  /** What a session may be offered to. */
  readonly sessionName: (job: Job) => string
  /** Whose sessions are kept: those of peers that the policy accepts, or of any that completes a handshake. */
  readonly keepsSessionsOf: 'accepted' | 'any'
  readonly afterRefusedSession: 'go-on' | 'fail'
  /** What is known of the peer of a resumed session. */
  readonly resumedPeer: (then: Presented) => Presented
  /** Whether the peer is checked at all where the policy wants it. */
  readonly checksPeerOf: (handshake: Handshake) => boolean
  readonly greetsInTls: boolean
  readonly capabilitiesInTls: (before: Capabilities, inside: Capabilities) => Capabilities
  readonly repeatsStartTls: (before: Capabilities) => boolean

  // Password and message
  readonly chooseMechanism: (offered: Capabilities) => Mechanism | undefined
  readonly mayAuthenticate: (secured: boolean) => boolean
  readonly withoutAuth: 'fail' | 'deliver'
  /** Before STARTTLS, where AUTH is offered in clear. */
  readonly authenticatesFirst: boolean
  /** What is tried when the server has refused `refused`. */
  readonly afterRefusedAuth: (refused: Mechanism) => Mechanism | undefined
  /** A challenge where the mechanism foresees none: give up, or say the last answer again. */
  readonly strayChallenge: 'cancel' | 'repeat'

  /** When QUIT gets no answer after the message was taken. */
  readonly afterUnansweredQuit: 'delivered' | 'fail'

  // DNS and DANE
  /** Whether TLSA records are looked up for a host whose address, or alias, is secure or not. */
  readonly asksForTlsa: (secure: boolean) => boolean
  readonly afterFailedTlsa: 'fail' | 'none'
  /** Whether a domain is refused whose MX records are not secure (RFC 7672 §2.2.1). */
  readonly needsSecureMx: (policy: AnyPolicy) => boolean
  /** Where DANE is mandatory and there are no TLSA records to use. */
  readonly withoutTlsa: 'fail' | 'verify'
  /** Whether mail for `domain` goes without DANE, where that is switched off for `exempt`. */
  readonly isWithoutDane: (domain: string, exempt: string) => boolean
  readonly followsTlsaAliases: boolean
  readonly believesTlsa: (secure: boolean) => boolean
  readonly usesTlsa: (record: Tlsa) => boolean
  readonly withUnusableTlsa: 'encrypted' | 'none'
  readonly tlsaToTry: (records: readonly Tlsa[]) => readonly Tlsa[]
  /** @param names the TLSA base domain first, then the recipient domain */
  readonly matchesTlsa: (record: Tlsa, presented: Presented, names: readonly string[]) => boolean
  readonly afterFailedMx: 'queue' | 'bounce' | 'address'
  /** The domain does not exist, or has a null MX. */
  readonly afterNoDomain: 'bounce' | 'queue'

  // The queue
  /** The name of a host, which a resolver gives with a dot at its end, as TLS and certificates have it. */
  readonly bareName: (name: string) => string
  /** The hosts of a domain as they were looked up now. */
  readonly lookedUp: (domain: string, hosts: readonly MailHost[], memory: Memory) => readonly MailHost[]
  /** Of the hosts of a domain in the order of their preference, those to try in one attempt. */
  readonly hostsToTry: (hosts: readonly MailHost[]) => readonly MailHost[]
  /** Connections to a host at a time, for one message. */
  readonly connections: number
  /** Tries a message again that it keeps. */
  readonly retries: boolean
  /** Seconds until the next attempt, after so many. */
  readonly retryAfter: (attempts: number) => number
  /** Age in seconds at which a message that cannot be delivered is given up. */
  readonly lifetime: number
  /** The policy of an attempt, counted from 1. */
  readonly policyOf: (policy: AnyPolicy, attempt: number) => AnyPolicy

  // The attempt
  readonly afterFailure: (
    failure: Failure,
    job: Job,
  ) => 'give-up' | 'reconnect-in-clear' | 'reconnect-with-older-tls' | 'crash'
  /** What the client tells its caller. */
  readonly report: (word: ClientWord, failure: Failure | undefined, job: Job) => ClientWord
  /** Passwords are kept out of the log, and what a terminal would obey is escaped. */
  readonly log: { readonly secrets: boolean; readonly escaped: boolean }
}

/** RFC 5321 §4.5.3.2, in seconds; what it does not name gets its five minutes for the greeting, QUIT a token wait. */
const SECONDS: Readonly<Record<Stage, number>> = {
  connect: 300,
  handshake: 300,
  banner: 300,
  ehlo: 300,
  starttls: 300,
  auth: 300,
  mail: 300,
  rcpt: 300,
  data: 120,
  block: 180,
  dot: 600,
  quit: 30,
}

/** Addresses that are tried in one attempt; Postfix has as many (postconf(5), smtp_mx_address_limit). */
const MOST_ADDRESSES = 5

/** Seconds between attempts: doubling, as Postfix does it (postconf(5), minimal_backoff_time, maximal_backoff_time). */
const RETRY = { shortest: 300, longest: 4000 } as const

/** The correct client. */
export const CORRECT: Decisions = {
  received: (octets) => octets,
  lineEnd: 'crlf',
  longest: LONGEST,
  readLine,
  assemble,

  unasked: () => 'fail',
  answerStrayChallenge: () => [],
  stageLimit: (stage, timeScale) => (SECONDS[stage] * 1000) / timeScale,
  attemptLimit: (deadlineMs) => deadlineMs * 0.8,
  limits: 'reply',

  startsInTls: (policy) => policy === 'implicit',
  greetWith: () => 'EHLO',
  ownName: () => OWN_NAME,
  afterRefusedEhlo: ({ policy, credentials }) =>
    (policy === 'none' || policy === 'may') && credentials === undefined ? 'helo' : 'fail',
  readKeyword,

  skipsTls: () => false,
  withoutStartTls: ({ policy }) => (policy === 'may' ? 'clear' : 'fail'),
  startTlsCommand: () => 'STARTTLS',
  startTlsAnswer: (code) => {
    if (code === 220) return 'go'
    return code >= 400 && code !== 421 ? 'refused' : 'broken'
  },
  afterRefusedStartTls: (policy) => (policy === 'may' ? 'clear' : 'fail'),
  beforeHandshake: () => '',
  residue: (octets) => (octets.length === 0 ? { replies: octets } : 'fail'),

  sendsServerName: true,
  smallestGroup: 1024,
  afterFailedHandshake: 'fail',
  afterCloseNotify: 'fail',
  checksCertificate: (policy) => policy === 'verify' || policy === 'implicit',
  distrust,
  nameMatches,
  demand: () => undefined,
  sessionName,
  keepsSessionsOf: 'accepted',
  afterRefusedSession: 'go-on',
  resumedPeer: (then) => then,
  checksPeerOf: () => true,
  greetsInTls: true,
  capabilitiesInTls: (_before, inside) => inside,
  repeatsStartTls: () => false,

  chooseMechanism,
  mayAuthenticate: (secured) => secured,
  withoutAuth: 'fail',
  authenticatesFirst: false,
  afterRefusedAuth: () => undefined,
  strayChallenge: 'cancel',
  afterUnansweredQuit: 'delivered',

  asksForTlsa: (secure) => secure,
  afterFailedTlsa: 'fail',
  needsSecureMx: (policy) => policy === 'dane-only',
  withoutTlsa: 'fail',
  isWithoutDane: (domain, exempt) => domain === exempt,
  followsTlsaAliases: true,
  believesTlsa: (secure) => secure,
  usesTlsa: isUsable,
  withUnusableTlsa: 'encrypted',
  tlsaToTry: (records) => records,
  matchesTlsa: (record, presented, names) =>
    record.usage === 3 ? matchesLeaf(record, presented) : matchesAnchor(record, presented, names),
  afterFailedMx: 'queue',
  afterNoDomain: 'bounce',

  bareName: (name) => name.replace(/\.$/, ''),
  lookedUp: (_domain, hosts) => hosts,
  hostsToTry: (hosts) => hosts.slice(0, MOST_ADDRESSES),
  connections: 1,
  retries: true,
  retryAfter: (attempts) => Math.min(RETRY.longest, RETRY.shortest * 2 ** (attempts - 1)),
  lifetime: 5 * 86_400,
  policyOf: (policy) => policy,

  afterFailure: () => 'give-up',
  report: (word) => word,
  log: { secrets: false, escaped: true },
}
