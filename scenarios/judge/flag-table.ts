/**
 * What each flag of the catalogue's section 3.3 weighs under each policy: `leak` and `fail` are forbidden, `flagged` is
 * permitted but worth knowing, `info` is recorded; `-` means that the flag says nothing under this policy and is not set.
 *
 * The one place where that is decided. Flags whose evidence is DNS, a queue or a report stand here for the day when the
 * log has it.
 */
import type { Policy } from '../policy.ts'

export type Weight = 'leak' | 'fail' | 'flagged' | 'info'
export type JudgedPolicy = Exclude<Policy, 'default'>

/** The order of the columns below. */
const COLUMNS: readonly JudgedPolicy[] = [
  'none',
  'may',
  'encrypt',
  'verify',
  'dane',
  'dane-only',
  'mta-sts',
  'implicit',
]

interface FlagRow {
  /** One line: when it is set. */
  readonly meaning: string
  /** RFC sections, or the catalogue's own rule. */
  readonly source: string
  /** Eight weights, in the order of {@link COLUMNS}. */
  readonly weights: string
}

const TABLE = {
  'leak.envelope-clear': row(
    '- - leak leak leak leak leak leak',
    'RFC 3207 §6',
    'MAIL or RCPT crossed in clear although the policy forbids it',
  ),
  'leak.content-clear': row(
    '- - leak leak leak leak leak leak',
    'RFC 3207 §6',
    'message content crossed in clear, accepted or not',
  ),
  'leak.credentials-clear': row(
    'info leak leak leak leak leak leak leak',
    'RFC 4954 §4, §9',
    'the password crossed in clear, accepted or not',
  ),
  'leak.credentials-hash': row(
    'info flagged leak leak leak leak leak leak',
    'RFC 2195; RFC 5802 §9',
    'a response made from the password crossed in clear',
  ),
  'leak.envelope-unauth': row(
    '- - - leak leak leak leak leak',
    'RFC 8461 §4.2; RFC 8314 §5.3',
    'MAIL or RCPT went to a peer that had not proven its name',
  ),
  'leak.content-unauth': row(
    '- - - leak leak leak leak leak',
    'RFC 8461 §4.2; RFC 8314 §5.3',
    'message content went to a peer that had not proven its name',
  ),
  'leak.credentials-unauth': row(
    '- flagged flagged leak leak leak leak leak',
    'RFC 4954 §14',
    'the password went to a peer that had not proven its name',
  ),
  'leak.client-cert': row(
    '- info info flagged flagged flagged flagged flagged',
    'RFC 8446 §E.1',
    'a client certificate went to a peer that had not proven its name, or in clear (TLS 1.2 and below)',
  ),
  'leak.helo-name': row(
    'info info info info info info info info',
    'RFC 3207 §4.2',
    'the EHLO names outside and inside TLS differ',
  ),
  'inject.accepted': row(
    'leak leak leak leak leak leak leak leak',
    'RFC 3207 §4.2; CVE-2021-38371',
    'a command was sent while the reply to EHLO inside TLS was withheld: a reply from before TLS was believed',
  ),
  'inject.partial': row(
    'leak leak leak leak leak leak leak leak',
    'RFC 3207 §4.2',
    'octets from before TLS changed what the client did inside TLS',
  ),
  'downgrade.same-connection': row(
    '- info leak leak leak leak leak leak',
    'RFC 7435 §3',
    'MAIL in clear on the connection on which TLS was offered or tried',
  ),
  'downgrade.immediate': row(
    '- info leak leak leak leak leak leak',
    'RFC 7435 §3',
    'MAIL in clear on a new connection of the same attempt, after TLS was tried',
  ),
  'downgrade.delayed': row('- info leak leak leak leak leak leak', 'RFC 7435 §3', 'MAIL in clear in a later attempt'),
  'downgrade.helo': row(
    '- info leak leak leak leak leak leak',
    'RFC 5321 §3.2',
    'MAIL in clear after HELO, when EHLO was refused or lost',
  ),
  'downgrade.after-cert-failure': row(
    '- leak leak leak leak leak leak leak',
    'RFC 7435 §4',
    'MAIL in clear after the client refused a certificate',
  ),
  'downgrade.after-injection': row(
    '- flagged leak leak leak leak leak leak',
    'RFC 3207 §6',
    'MAIL in clear after octets were injected before TLS',
  ),
  'downgrade.version-dance': row(
    '- flagged flagged flagged flagged flagged flagged flagged',
    'RFC 9325 §3.1.3; RFC 7507',
    'a later connection offered a lower highest version of TLS',
  ),
  'delivered-duplicate': row(
    'fail fail fail fail fail fail fail fail',
    'RFC 5321 §4.5.4.1',
    'accepted twice, or accepted and reported as failed',
  ),
  // The peer broke the order of replies; what the client may not do is deliver or lose by it, which predicates and outcomes say.
  desync: row(
    'flagged flagged flagged flagged flagged flagged flagged flagged',
    'RFC 5321 §4.2',
    'a reply was taken for the answer to another command',
  ),
  'protocol.command-after-220': row(
    '- flagged flagged flagged flagged flagged flagged flagged',
    'RFC 3207 §4',
    'a command in clear after the 220 to STARTTLS',
  ),
  'protocol.no-second-ehlo': row(
    '- flagged flagged flagged flagged flagged flagged flagged',
    'RFC 3207 §4.2 (SHOULD)',
    'no EHLO after the handshake',
  ),
  'protocol.second-starttls': row(
    '- flagged flagged flagged flagged flagged flagged flagged',
    'RFC 3207 §4.2',
    'STARTTLS inside TLS',
  ),
  'protocol.pipelined-after-starttls': row(
    '- flagged flagged flagged flagged flagged flagged flagged',
    'RFC 3207 §4',
    'octets after STARTTLS before its reply',
  ),
  'protocol.used-pretls-caps': row(
    '- flagged flagged flagged flagged flagged flagged flagged',
    'RFC 3207 §4.2',
    'an extension was used inside TLS that had been offered only before it',
  ),
  'tls.weak-version': row(
    '- info flagged flagged flagged flagged flagged flagged',
    'RFC 8996 §4, §5',
    'a session of TLS 1.1 or below',
  ),
  'tls.weak-cipher': row(
    '- info flagged flagged flagged flagged flagged flagged',
    'RFC 9325 §4.1',
    'a session with a broken or no cipher',
  ),
  'tls.no-sni': row(
    '- info info info flagged flagged flagged info',
    'RFC 7672 §8.1; RFC 8461 §7.1',
    'the ClientHello named no server',
  ),
  'tls.wrong-sni': row(
    '- flagged flagged flagged flagged flagged flagged flagged',
    'RFC 6066 §3',
    'the ClientHello named another server',
  ),
  'tls.renegotiated': row('- info info info info info info info', 'RFC 5746', 'the client renegotiated'),
  'tls.early-data': row(
    '- flagged flagged flagged flagged flagged flagged flagged',
    'RFC 8446 §8',
    'the ClientHello asked for early data, which can be replayed',
  ),
  'retry.too-fast': row(
    'flagged flagged flagged flagged flagged flagged flagged flagged',
    'RFC 5321 §4.5.4.1',
    'the client made two attempts of itself within a minute, on its own clock',
  ),
  'retry.storm': row(
    'flagged flagged flagged flagged flagged flagged flagged flagged',
    'RFC 5321 §4.5.4.1',
    'more than ten connections to one host in a minute for one message',
  ),
  'retry.none': row(
    'flagged flagged flagged flagged flagged flagged flagged flagged',
    'RFC 5321 §4.5.4.1',
    'left to its schedule, the client made no second attempt',
  ),
  'retry.schedule': row(
    'info info info info info info info info',
    'RFC 5321 §4.5.4.1',
    'when the client, left to its own schedule, came back',
  ),
  'mx.order': row(
    'flagged flagged flagged flagged flagged flagged flagged flagged',
    'RFC 5321 §5.1',
    'a host was tried before one of a preference that comes first',
  ),
  'mx.stopped-early': row(
    'fail fail fail fail fail fail fail fail',
    'RFC 5321 §5.1 (SHOULD try at least two addresses)',
    'one address only was tried although another host would have taken the message',
  ),
  'resp.parse-lenient': row(
    'info info info info info info info info',
    'RFC 5321 §4.2',
    'a reply that breaks the grammar was taken as good',
  ),
  'resp.parse-strict': row(
    'info info info info info info info info',
    'RFC 5321 §4.2',
    'a legal reply was not understood',
  ),
  'dns.skipped-check': row('- - - - leak leak - -', 'RFC 7672 §2.2', 'no TLSA query where one was due'),
  'dns.trusted-remote-ad': row(
    '- - - - leak leak - -',
    'RFC 7672 §2.1',
    'the AD bit of a distant resolver was believed',
  ),
  'report.misclaim': row(
    'leak leak leak leak leak leak leak leak',
    'catalogue §3.4',
    'the client claims more than the wire shows',
  ),
  'report.silent': row(
    '- info flagged flagged flagged flagged flagged flagged',
    'catalogue §3.3',
    'a downgrade without a word of the client',
  ),
  'tlsrpt.missing': row('- - - - flagged flagged flagged -', 'RFC 8460 §4', 'no report'),
  'tlsrpt.wrong': row('- - - - flagged flagged flagged -', 'RFC 8460 §4', 'a report with another result or count'),
  'dsn.wrong-code': row(
    'flagged flagged flagged flagged flagged flagged flagged flagged',
    'RFC 3463',
    'a bounce with another enhanced status code',
  ),
  'dsn.requiretls': row(
    'flagged flagged flagged flagged flagged flagged flagged flagged',
    'RFC 8689 §5',
    'a bounce that exposes what REQUIRETLS protects',
  ),
} as const satisfies Readonly<Record<string, FlagRow>>

export type Flag = keyof typeof TABLE

/** Every flag with its meaning and source, for documentation. */
export const FLAGS: Readonly<Record<Flag, FlagRow>> = TABLE

function row(weights: string, source: string, meaning: string): FlagRow {
  return { weights, source, meaning }
}

const WEIGHTS: ReadonlyMap<Flag, readonly string[]> = new Map(
  (Object.keys(TABLE) as Flag[]).map((flag) => [flag, TABLE[flag].weights.split(' ')]),
)

/** What `flag` weighs under `policy`; undefined where it says nothing. */
export function weightOf(flag: Flag, policy: JudgedPolicy): Weight | undefined {
  const weight = WEIGHTS.get(flag)?.[COLUMNS.indexOf(policy)]
  return weight === undefined || weight === '-' ? undefined : (weight as Weight)
}
