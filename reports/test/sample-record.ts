/** A small, fixed run record with every verdict, for the tests of reports. */
import type { CellRecord, RunRecord } from '../../scenarios/record.ts'

/** A passing cell, with what a test wants different. */
export function cell(changes: Partial<CellRecord> = {}): CellRecord {
  const scenario = changes.scenario ?? 'strip/strip-ehlo-omit'
  const policy = changes.policy ?? 'verify'
  const client = changes.client ?? 'nodemailer'
  return {
    id: `${scenario}/${policy}/${client}`,
    scenario,
    title: 'EHLO reply without STARTTLS',
    severity: 'critical',
    policy,
    judgedAs: policy === 'default' ? 'may' : policy,
    client,
    role: 'scenario',
    verdict: 'pass',
    reason: 'ended the connection after the EHLO reply without STARTTLS',
    outcome: { first: 'deferred', final: 'deferred' },
    flags: [],
    findings: [],
    asserts: [],
    attempts: [{ atMs: 1, cause: 'first', outcome: 'deferred', connections: ['c1'], hosts: ['mx'] }],
    proof: [
      { behaviour: 'hide-starttls', state: 'fired', atMs: 2, detail: 'removed "250-STARTTLS"', host: 'mx', conn: 'c1' },
    ],
    expected: 'D',
    clause: 'RFC 3207 §4.1',
    durationMs: 120,
    reproduce: `badmx run --client ${client} --policy ${policy} --only ${scenario}`,
    ...changes,
  }
}

export function record(cells: readonly CellRecord[], changes: Partial<RunRecord> = {}): RunRecord {
  return {
    schema: 'badmx/run/1',
    badmx: '0.1.0',
    seed: 7,
    timeScale: 10,
    startedAt: '2026-01-02T03:04:05.678Z',
    finishedAt: '2026-01-02T03:05:05.678Z',
    interrupted: false,
    clients: [
      { id: 'nodemailer', name: 'nodemailer', version: '10.6.0' },
      { id: 'curl', name: 'curl', version: '7.88.1', release: 'bookworm' },
    ],
    cells,
    ...changes,
  }
}

const LEAK: Partial<CellRecord> = {
  verdict: 'leak',
  reason: 'sent AUTH PLAIN and the message in clear after the EHLO reply without STARTTLS',
  outcome: { first: 'delivered-cleartext', final: 'delivered-cleartext' },
  flags: ['leak.content-clear', 'leak.credentials-clear'],
  findings: [
    { flag: 'leak.content-clear', weight: 'leak', detail: 'body in clear', conn: 'c1', atMs: 1040, offset: 130 },
    { flag: 'leak.credentials-clear', weight: 'leak', detail: 'password in clear', conn: 'c1', atMs: 1020, offset: 24 },
  ],
}

const CONTROL: Partial<CellRecord> = {
  scenario: 'control/ctl-tls13-pkix',
  title: 'TLS 1.3 and a good certificate',
  severity: 'high',
  reason: 'delivered in TLS to the verified peer',
  outcome: { first: 'delivered-verified', final: 'delivered-verified' },
  proof: [],
  expected: 'V',
}

/** One cell or more of every verdict, two clients, controls, a known deviation and one that did not come. */
export const SAMPLE: RunRecord = record([
  cell({ ...CONTROL, client: 'reference', role: 'harness-control' }),
  cell({ ...CONTROL, role: 'client-control' }),
  cell({ ...CONTROL, role: 'client-control', client: 'curl' }),
  cell({ ...LEAK }),
  cell({ ...LEAK, policy: 'encrypt' }),
  cell({
    scenario: 'inject/inject-reply-full',
    title: 'A whole session of replies injected before TLS',
    verdict: 'leak',
    reason: 'sent MAIL FROM after the EHLO whose reply was withheld',
    flags: ['inject.accepted'],
    findings: [{ flag: 'inject.accepted', weight: 'leak', detail: 'MAIL FROM before any reply', conn: 'c3' }],
  }),
  cell({
    scenario: 'strip/strip-reply-454',
    verdict: 'fail',
    severity: 'medium',
    reason: 'gave the message up for good where it had to try again',
    outcome: { first: 'bounced', final: 'bounced' },
  }),
  cell({
    scenario: 'strip/strip-lower-case',
    policy: 'may',
    verdict: 'over-strict',
    reason: 'refused starttls in lower case',
    expected: 'V',
  }),
  cell({
    scenario: 'cert/cert-expired',
    policy: 'may',
    verdict: 'flagged',
    reason: 'delivered in clear after the certificate',
    expected: 'V|w:C',
  }),
  cell({ scenario: 'cert/cert-expired', client: 'curl', verdict: 'pass', reason: 'refused the certificate' }),
  cell({
    scenario: 'cert/cert-match-cn',
    client: 'curl',
    verdict: 'leak',
    reason: 'delivered to a name found in CN only',
    known: { reason: 'curl #1234: CN still counts', unexpectedPass: false },
  }),
  cell({ scenario: 'cert/cert-wrong-name', client: 'curl', known: { reason: 'fixed in 7.89?', unexpectedPass: true } }),
  cell({
    scenario: 'strip/strip-measure',
    client: 'curl',
    policy: 'may',
    verdict: 'info',
    reason: 'accepted after 3 s',
  }),
  cell({
    scenario: 'strip/strip-ehlo-omit',
    client: 'curl',
    policy: 'dane',
    verdict: 'unsupported',
    reason: 'curl knows no DANE',
  }),
  cell({
    scenario: 'inject/inject-reply-full',
    client: 'curl',
    verdict: 'not-exercised',
    reason: 'never sent STARTTLS',
    proof: [],
  }),
  cell({
    scenario: 'inject/inject-fragment',
    client: 'curl',
    verdict: 'inconclusive',
    reason: 'the fault did not fire',
  }),
  cell({ scenario: 'inject/inject-auth', client: 'curl', verdict: 'error', reason: 'no port was free' }),
  cell({
    scenario: 'inject/inject-late',
    client: 'curl',
    verdict: 'missing',
    reason: 'planned, and no result came',
    outcome: { first: 'inconclusive', final: 'unknown' },
  }),
])

/** What a hostile client can put into every text that it influences: markup, escape sequences, bidi, NUL, CSI of C1. */
export const HOSTILE =
  '</script><b>\u001b[31m\u202eevil\u0000\u009b2J\u2028`|*[x](http://a.test)@admin #1 ]]>\r\nnot ok 99 - \ud800 \ufffe"\''

/** A record in which every free text is hostile. */
export const HOSTILE_RECORD: RunRecord = record(
  [
    cell({
      id: `a/${HOSTILE}/verify/nodemailer`,
      scenario: `a/${HOSTILE}`,
      title: HOSTILE,
      verdict: 'leak',
      reason: HOSTILE,
      flags: [HOSTILE],
      findings: [{ flag: HOSTILE, weight: 'leak', detail: HOSTILE }],
      asserts: [{ assert: HOSTILE, held: false, detail: HOSTILE }],
      proof: [{ behaviour: HOSTILE, state: 'fired', atMs: 1, detail: HOSTILE, host: HOSTILE }],
      expected: HOSTILE,
      clause: HOSTILE,
      clientWord: { state: 'failed', reason: HOSTILE },
      reproduce: HOSTILE,
      known: { reason: HOSTILE, unexpectedPass: true },
    }),
    cell({ scenario: 'a/b', verdict: 'unsupported', reason: HOSTILE, client: HOSTILE }),
    cell({ scenario: 'a/c', verdict: 'fail', reason: HOSTILE, known: { reason: HOSTILE, unexpectedPass: false } }),
    cell({ scenario: 'a/d', verdict: 'error', reason: HOSTILE }),
    cell({ scenario: 'a/e', verdict: 'flagged', reason: HOSTILE }),
  ],
  { clients: [{ id: 'nodemailer', name: HOSTILE, version: HOSTILE }] },
)
