/**
 * The environment and the names that every client under test gets: its user's configuration, trust stores and proxies
 * must not decide a verdict, so the variables that carry them are left out.
 */
import type { ClientAdapter, Delivery, PolicySupport } from '../../scenarios/client.ts'
import { isPolicy, POLICIES, type Policy } from '../../scenarios/policy.ts'

/** What a client calls itself in EHLO, where it can be told. */
export const EHLO_NAME = 'client.badmx.test'

/** Variables that change what some client trusts, reads or goes through. */
const LEFT_OUT = [
  /^(no|all|https?|ftp|socks)_proxy$/i,
  /^node_(options|extra_ca_certs|tls_reject_unauthorized|debug|v8_coverage)$/i,
  /^(ssl_cert_(file|dir)|nix_ssl_cert_file|requests_ca_bundle|curl_ca_bundle|curl_home|openssl_conf)$/i,
  /^(gnutls_.*|swaks_.*|msmtp.*|smtpserver|email|mailrc|netrc|logdir|xdg_config_(home|dirs?))$/i,
  /^(_?java_(tool_)?options|jdk_java_options|classpath|remote_addr)$/i,
  /^(perl5?(opt|lib)|python(path|startup|home|warnings)|ruby(opt|lib)|php(rc|_ini_scan_dir)|godebug)$/i,
]

/** This process's environment without {@link LEFT_OUT}, in the C locale; `more` is added last. */
export function clientEnvironment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const environment: Record<string, string> = {}
  for (const [name, value] of Object.entries(process.env))
    if (value !== undefined && !LEFT_OUT.some((pattern) => pattern.test(name))) environment[name] = value
  return { ...environment, LC_ALL: 'C', ...more }
}

/**
 * Milliseconds that are added to every limit of a client which the scale divides, for the time that a busy machine takes
 * for a step that costs nothing: a nodemailer that waits 300 ms for a banner gives up before it comes, and is judged for
 * it. So at a large scale a short limit is longer than it should be; at a small one the difference is nothing.
 */
const SLACK_MS = 2_500

/**
 * Milliseconds for a time limit of the client that covers the whole delivery, so that it ends before the harness's
 * deadline. `ownMs` is its untouched limit, where it has one.
 */
export function wholeLimit(delivery: Delivery, ownMs = Number.POSITIVE_INFINITY): number {
  return Math.max(1, Math.min(ownMs / delivery.timeScale + SLACK_MS, delivery.deadlineMs * 0.8))
}

/**
 * Milliseconds for a limit of the client on each of its waits. Less than half of the deadline: a client that times out
 * and then waits once more, for the answer to its QUIT, still ends by itself.
 */
export function waitLimit(delivery: Delivery, ownMs = Number.POSITIVE_INFINITY): number {
  return Math.max(1, Math.min(ownMs / delivery.timeScale + SLACK_MS, delivery.deadlineMs * 0.4))
}

/** Whole seconds for clients that count in them: rounded down, at least 1. */
export function wholeSeconds(milliseconds: number): string {
  return String(Math.max(1, Math.floor(milliseconds / 1000)))
}

/** What `word` means to a client; `unsupported` too where it is no policy at all. */
export function policySupport(adapter: Pick<ClientAdapter, 'policies'>, word: string): PolicySupport {
  if (isPolicy(word)) return adapter.policies[word]
  return { unsupported: `"${word}" is no policy; the policies are ${POLICIES.join(', ')}` }
}

/** The entries of policies that need DNS, for a client that is given a host and looks nothing up. */
export function withoutDns(words: string): Record<'dane' | 'dane-only' | 'mta-sts', { unsupported: string }> {
  const unsupported = (policy: string) => ({ unsupported: `no ${policy}: ${words}` })
  return { dane: unsupported('DANE'), 'dane-only': unsupported('DANE'), 'mta-sts': unsupported('MTA-STS') }
}

/** The policies of a client of which this is the table of options; each text is what is really run. */
export function supportTable<Options>(
  table: Readonly<Record<Policy, Options | { readonly unsupported: string }>>,
  write: (options: Options) => string,
): Record<Policy, PolicySupport> {
  return everyPolicy((policy) => {
    const entry = table[policy]
    return isUnsupported(entry) ? entry : { options: write(entry) }
  })
}

/** What a client has for each policy, asked one by one. */
export function everyPolicy(support: (policy: Policy) => PolicySupport): Record<Policy, PolicySupport> {
  const entries = POLICIES.map((policy): [Policy, PolicySupport] => [policy, support(policy)])
  return Object.fromEntries(entries) as Record<Policy, PolicySupport>
}

export function isUnsupported(entry: unknown): entry is { readonly unsupported: string } {
  return typeof entry === 'object' && entry !== null && 'unsupported' in entry
}
