import t from 'tap'
import { createAuthority } from '../../peers/certificates/authority.ts'
import type { OwnLimits } from '../client.ts'
import type { CellBegun, LogEvent, ProofNeeded } from '../events.ts'
import type { CellRecord, Verdict } from '../record.ts'
import { judgeCell } from './cell.ts'
import type { JudgedPolicy } from './flag-table.ts'
import { CANARIES, HOST_NAME, LogBuilder, MAIL } from './log-builder.ts'

const authority = createAuthority({ now: new Date('2026-01-15T12:00:00.000Z'), seed: 1 })
const names = { host: HOST_NAME, domain: 'cell.badmx.test' }
const good = (await authority.issue('good', names)).chain
const bad = (await authority.issue('untrusted-ca', names)).chain
const common = (await authority.issue('cn-only', names)).chain

/** What the client does: clear, verified or unauthenticated delivery, failure, bounce, nothing, lost. */
type Deed = 'C' | 'V' | 'U' | 'D' | 'B' | 'lost' | 'crashed'

const act = (log: LogBuilder, deed: Deed, attempt = 1): void => {
  const conn = `c${attempt}`
  if (deed === 'C') log.conn(conn).greet().deliver().quit()
  else if (deed === 'V') log.conn(conn).greet('STARTTLS').starttls().tls(good).ehlo().deliver().quit()
  else if (deed === 'U') log.conn(conn).greet('STARTTLS').starttls().tls(bad).ehlo().deliver().quit()
  else log.conn(conn).greet('STARTTLS').quit()
  if (deed === 'D') log.says(log.cell.kind === 'queue' ? 'queued' : 'failed', {}, attempt)
  else if (deed === 'B') log.says('bounced', {}, attempt)
  else if (deed === 'crashed') log.says('crashed', {}, attempt)
  else log.says('delivered', {}, attempt)
}

const judged = (
  judgedAs: JudgedPolicy,
  expected: string,
  deeds: readonly Deed[],
  given: Partial<CellBegun> = {},
): CellRecord => {
  const log = new LogBuilder({ roots: [authority.rootDer], judgedAs, expected, ...given })
  deeds.forEach((deed, at) => {
    log.attempt(at + 1, at === 0 ? 'first' : 'forced')
    act(log, deed, at + 1)
  })
  return log.done().judge()
}

t.test('the verdict table', (t) => {
  type Row = readonly [policy: JudgedPolicy, expected: string, deeds: readonly Deed[], verdict: Verdict]
  const table: readonly Row[] = [
    ['may', 'V', ['V'], 'pass'],
    ['may', 'V|D', ['D'], 'pass'],
    ['may', 'C', ['C'], 'pass'],
    ['none', 'C', ['C'], 'pass'],
    ['may', 'V|w:C', ['C'], 'flagged'],
    ['encrypt', 'D|w:B', ['B'], 'flagged'],
    ['encrypt', 'D', ['C'], 'leak'],
    ['encrypt', 'D', ['V'], 'leak'],
    ['verify', 'D', ['U'], 'leak'],
    ['verify', 'D', ['V'], 'leak'],
    ['verify', 'V|D', ['U'], 'leak'],
    ['may', 'V', ['C'], 'leak'],
    ['may', 'V', ['U'], 'leak'],
    ['encrypt', 'U', ['C'], 'leak'],
    ['may', 'D', ['C'], 'leak'],
    ['may', 'D|D>C', ['C'], 'leak'],
    ['may', 'D', ['B'], 'fail'],
    ['may', 'V', ['B'], 'fail'],
    ['may', 'V', ['lost'], 'fail'],
    ['may', 'C|D', ['crashed'], 'fail'],
    ['may', 'V', ['D'], 'over-strict'],
    ['none', 'C', ['D'], 'over-strict'],
    ['may', 'U', ['D'], 'over-strict'],
    ['may', 'V|w:C', ['D'], 'over-strict'],
    ['may', 'D>C', ['D'], 'pass'],
    ['may', 'D>C|D', ['D'], 'pass'],
    ['may', 'C', ['V'], 'flagged'],
    ['may', 'U', ['V'], 'flagged'],
  ]
  for (const [policy, expected, deeds, verdict] of table) {
    const record = judged(policy, expected, deeds)
    t.equal(record.verdict, verdict, `${policy} ${expected} ${deeds}: ${record.reason}`)
  }
  t.end()
})

t.test('sequences of a queueing client', (t) => {
  type Row = readonly [expected: string, deeds: readonly Deed[], verdict: Verdict]
  const table: readonly Row[] = [
    ['D>C', ['D', 'C'], 'pass'],
    ['D>V', ['D', 'V'], 'pass'],
    ['D>C', ['D', 'D'], 'over-strict'],
    ['D>C', ['D'], 'pass'],
    ['D', ['D', 'V'], 'leak'],
    ['D>V', ['D', 'C'], 'leak'],
    ['D', ['D', 'B'], 'fail'],
    ['B', ['D', 'D'], 'fail'],
  ]
  for (const [expected, deeds, verdict] of table) {
    const record = judged('may', expected, deeds, { kind: 'queue' })
    t.equal(record.verdict, verdict, `${expected} ${deeds}: ${record.reason}`)
  }
  t.end()
})

t.test('stronger than allowed counts only where the verb may work', (t) => {
  t.equal(judged('encrypt', 'D', ['V'], { verbMayWork: true }).verdict, 'pass')
  t.equal(judged('encrypt', 'D', ['U'], { verbMayWork: true }).verdict, 'pass')
  t.equal(judged('verify', 'D', ['V'], { verbMayWork: true }).verdict, 'pass')
  t.equal(judged('verify', 'D', ['U'], { verbMayWork: true }).verdict, 'leak')
  t.equal(judged('encrypt', 'D', ['C'], { verbMayWork: true }).verdict, 'leak')
  const direct = new LogBuilder({
    roots: [authority.rootDer],
    judgedAs: 'encrypt',
    expected: 'D',
    verbMayWork: true,
  }).attempt()
  direct.conn('c1', { tlsOnConnect: true }).tls(good).greet().deliver().quit()
  t.equal(direct.says('delivered').done().judge().verdict, 'leak', 'TLS on connect is not the verb')
  t.end()
})

t.test('a name that the client may accept or not counts in the scenario about it, and nowhere else', async (t) => {
  const nexthop = (await authority.issue('nexthop-name', names)).chain
  const run = (fault: string, chain: readonly Buffer[], judgedAs: JudgedPolicy): CellRecord => {
    const behaviour = `certificate:${fault}`
    const proof = [{ host: 'mx', behaviour, fires: 'must' as const }]
    const log = new LogBuilder({ roots: [authority.rootDer], judgedAs, expected: 'D|V', proof }).attempt()
    log.conn().greet('STARTTLS').starttls().tls(chain).ehlo().deliver().quit()
    return log.proof('opportunity', behaviour).proof('fired', behaviour).says('delivered').done().judge()
  }
  const verified = { verdict: 'pass', outcome: { first: 'delivered-verified' }, presented: { name: false }, flags: [] }
  const unauthenticated = { verdict: 'leak', outcome: { first: 'delivered-unauthenticated-tls' } }
  t.match(run('cn-only', common, 'verify'), verified)
  t.match(run('nexthop-name', nexthop, 'verify'), verified)
  t.match(run('cn-only', common, 'mta-sts'), unauthenticated)
  t.match(run('nexthop-name', nexthop, 'mta-sts'), unauthenticated)
  t.match(run('wrong-name', common, 'verify'), unauthenticated, 'a common name elsewhere')
  t.match(run('wrong-name', nexthop, 'verify'), unauthenticated, 'the recipient domain elsewhere')
  t.match(run('cn-only', bad, 'verify'), unauthenticated, 'the chain counts all the same')
})

const needed = (fires: ProofNeeded['fires'], behaviour = 'hide-starttls'): readonly ProofNeeded[] => [
  { behaviour, host: 'mx', fires },
]

t.test('a message under another policy prepares, and is not judged', (t) => {
  const record = (prepared: Deed, own: Deed, policy?: 'may', given: Partial<CellBegun> = {}): CellRecord => {
    const log = new LogBuilder({ roots: [authority.rootDer], judgedAs: 'verify', expected: 'D', messages: 2, ...given })
    log.attempt(1, 'first', policy)
    act(log, prepared)
    log.attempt(2)
    act(log, own, 2)
    return log.done().judge()
  }
  for (const prepared of ['U', 'C'] as const) {
    const told = record(prepared, 'D', 'may', { asserts: ['no-clear-resend-at-once'] })
    t.match(
      told,
      { verdict: 'pass', flags: [], attempts: [{ policy: 'may' }, { policy: undefined, outcome: 'deferred' }] },
      prepared,
    )
    t.equal(told.attempts.length, 2, 'and stands in the record')
    t.match(record(prepared, 'D'), { verdict: 'leak' }, `${prepared} under the policy itself`)
    t.match(record('U', prepared, 'may'), { verdict: 'leak' }, `${prepared} afterwards`)
  }
  t.match(record('crashed', 'D', 'may'), { verdict: 'fail' }, 'no policy lets it crash')
  t.match(record('D', 'U', 'may', { judgedAs: 'encrypt', expected: 'U' }), { verdict: 'pass' })
  t.end()
})

t.test('no pass without proof', (t) => {
  type State = 'armed' | 'opportunity' | 'fired'
  const run = (
    states: readonly State[],
    deed: Deed,
    proof: readonly ProofNeeded[] = needed('must'),
    judgedAs: JudgedPolicy = 'encrypt',
    behaviour = 'hide-starttls',
  ) => {
    const log = new LogBuilder({ roots: [authority.rootDer], judgedAs, expected: 'D', proof }).attempt()
    for (const state of states) log.proof(state, behaviour)
    act(log, deed)
    return log.done().judge()
  }
  t.equal(run(['armed', 'opportunity', 'fired'], 'D').verdict, 'pass')
  t.equal(run(['armed', 'opportunity'], 'D').verdict, 'inconclusive')
  t.match(run(['armed'], 'D'), {
    verdict: 'not-exercised',
    reason: /hide-starttls was in place and never got its opportunity$/,
  })
  t.equal(run([], 'D').verdict, 'error', 'never in place, and the client came')
  t.equal(
    run([], 'D', needed('must', 'certificate:expired')).verdict,
    'not-exercised',
    'a certificate is in place with its host',
  )
  t.match(
    run(['armed'], 'D', needed('may')),
    { verdict: 'not-exercised', reason: /not the doing of hide-starttls$/ },
    'stopped by something else',
  )
  t.equal(run(['armed', 'opportunity', 'fired'], 'D', needed('may')).verdict, 'pass')
  t.equal(run(['armed'], 'U', needed('may'), 'verify').verdict, 'leak', 'findings need no proof of a companion')
  t.equal(
    run(['armed', 'opportunity', 'fired'], 'D', [...needed('must'), ...needed('may', 'cut-reply')]).verdict,
    'pass',
  )
  t.equal(run(['armed'], 'D', needed('must-not')).verdict, 'pass')
  t.equal(run(['armed', 'fired'], 'D', needed('must-not')).verdict, 'fail')
  t.equal(
    run(['armed', 'opportunity', 'fired'], 'D', [...needed('must'), ...needed('must', 'certificate:expired')]).verdict,
    'not-exercised',
    'each must fire',
  )
  for (const states of [['armed'], ['armed', 'opportunity']] as const) {
    t.equal(run(states, 'C').verdict, 'leak', 'cleartext under encrypt needs no proof')
    t.equal(run(states, 'U', needed('must'), 'verify').verdict, 'leak', 'nor an unverified peer under verify')
    t.equal(run(states, 'crashed').verdict, 'fail', 'nor a crash')
    t.equal(run(states, 'lost').verdict, 'fail', 'nor a loss')
    t.not(run(states, 'V').verdict, 'leak', 'a safe delivery does')
    t.not(run(states, 'C', needed('must'), 'may').verdict, 'leak', 'and so does cleartext under may')
  }
  const other = new LogBuilder({
    judgedAs: 'encrypt',
    expected: 'D',
    proof: [{ behaviour: 'hide-starttls', host: 'mx2', fires: 'must' }],
  }).attempt()
  other.proof('armed', 'hide-starttls').proof('opportunity', 'hide-starttls').proof('fired', 'hide-starttls')
  act(other, 'D')
  t.equal(other.done().judge().verdict, 'not-exercised', 'another host is another proof')
  t.end()
})

t.test('what DNS was to tell has to have been told, whatever else fired', (t) => {
  const record = { behaviour: 'record:_25._tcp.mx TLSA', host: '*', fires: 'must' as const }
  const other = { behaviour: 'record:alias CNAME', host: '*', fires: 'must' as const }
  type State = 'armed' | 'opportunity' | 'fired'
  const run = (states: readonly State[], proof: readonly ProofNeeded[] = [record], given: Partial<CellBegun> = {}) => {
    const log = new LogBuilder({ judgedAs: 'dane', expected: 'D', kind: 'queue', proof, ...given }).attempt()
    for (const state of states) log.push({ type: state, behaviour: record.behaviour, host: '*', detail: '' })
    log.proof('armed', 'hide-starttls').proof('opportunity', 'hide-starttls').proof('fired', 'hide-starttls')
    act(log, 'D')
    return log.done().judge()
  }
  t.equal(run(['armed', 'opportunity', 'fired']).verdict, 'pass')
  t.match(run(['armed', 'opportunity']), {
    verdict: 'inconclusive',
    reason: /_25\._tcp\.mx TLSA was asked for, and no sound answer left$/,
  })
  t.match(run(['armed']), { verdict: 'not-exercised', reason: /TLSA was in place and was never asked for$/ })
  t.equal(run(['armed'], [record, ...needed('must')]).verdict, 'not-exercised', 'a fault of a host is no stand-in')
  t.equal(run(['armed', 'opportunity', 'fired'], [record, ...needed('must')]).verdict, 'pass')
  t.equal(run(['armed', 'opportunity', 'fired'], [record, other]).verdict, 'not-exercised', 'each of them')
  const asserts = ['tlsa-asked']
  t.match(
    run(['armed'], [record], { asserts }),
    { verdict: 'fail', reason: /tlsa-asked does not hold/ },
    'it owed that',
  )
  const fault = { behaviour: 'dns:drop-queries', host: '*', fires: 'must' as const }
  t.equal(run([], [fault], { asserts }).verdict, 'fail', 'so with a fault that waits for that question')
  t.equal(run([], [fault]).verdict, 'not-exercised')
  t.end()
})

t.test('leaked canaries are leaks whatever was delivered', (t) => {
  const log = new LogBuilder({ judgedAs: 'encrypt', expected: 'D', proof: needed('must') })
    .attempt()
    .proof('armed', 'hide-starttls')
  log.conn().greet().c(MAIL).s('530 no\r\n').quit()
  t.match(log.says('failed').done().judge(), { verdict: 'leak', outcome: { first: 'deferred' } })
  const password = new LogBuilder({ judgedAs: 'may', expected: 'D|C' }).attempt()
  password
    .conn()
    .greet('AUTH PLAIN')
    .c(`AUTH PLAIN ${Buffer.from(`\u0000u\u0000${CANARIES.password}`).toString('base64')}\r\n`)
    .close()
  t.match(password.says('failed').done().judge(), { verdict: 'leak', flags: ['leak.credentials-clear'] })
  t.end()
})

t.test('no verdict, but what no policy lets pass', (t) => {
  t.equal(judged('may', 'V', ['C'], { noVerdict: true }).verdict, 'info')
  t.equal(judged('may', 'V', ['lost'], { noVerdict: true }).verdict, 'fail')
  t.equal(judged('encrypt', 'V', ['C'], { noVerdict: true }).verdict, 'leak')
  t.end()
})

t.test('what the harness could not do', (t) => {
  const log = (): LogBuilder => new LogBuilder({ judgedAs: 'encrypt', expected: 'D' }).attempt()
  t.match(log().done('unsupported', 'it has no such policy').judge(), {
    verdict: 'unsupported',
    reason: 'it has no such policy',
    outcome: { first: 'unknown' },
  })
  t.match(log().done('error', 'no port').judge(), { verdict: 'error', reason: 'no port' })
  t.equal(log().done('interrupted').judge().verdict, 'missing')
  t.equal(log().judge().verdict, 'missing', 'no end')
  t.match(log().says('unsupported', { reason: 'cannot' }).done().judge(), { verdict: 'unsupported', reason: 'cannot' })
  t.equal(log().done().judge().verdict, 'inconclusive', 'no connection and no word')
  const leaked = log()
  act(leaked, 'C')
  t.equal(leaked.done('interrupted').judge().verdict, 'leak', 'what was seen before an interruption stands')
  const broken = log()
  act(broken, 'C')
  t.equal(broken.done('error', 'no port').judge().verdict, 'error', 'a broken harness proves nothing')
  t.match(new LogBuilder({ expected: 'Q' }).done().judge(), { verdict: 'error', reason: /got "Q"/ })
  t.match(judged('may', 'C', ['C'], { asserts: ['no-such'] }), { verdict: 'error' })
  t.end()
})

t.test('what the harness ended is no deed of the client', (t) => {
  const run = (by: 'harness' | 'client'): CellRecord => {
    const log = new LogBuilder({ judgedAs: 'encrypt', expected: 'D' }).attempt()
    log.conn().greet('STARTTLS').close(by)
    return log.says('failed').done().judge()
  }
  t.equal(run('harness').verdict, 'error')
  t.equal(run('client').verdict, 'pass')
  const after = new LogBuilder({ judgedAs: 'encrypt', expected: 'D' }).attempt()
  const dialogue = after.conn().greet('STARTTLS')
  after.says('failed')
  dialogue.close('harness')
  t.equal(after.done().judge().verdict, 'pass', 'after its word it is only tidied up')
  const waits = (seconds: OwnLimits['seconds']): CellRecord => {
    const log = new LogBuilder({ judgedAs: 'encrypt', expected: 'D' }).attempt()
    const dialogue = log.conn().greet('STARTTLS').c('STARTTLS\r\n')
    log.wait(18_000)
    dialogue.close('harness')
    return log
      .says('queued', { limits: { seconds, source: 'x.h' } })
      .done()
      .judge()
  }
  t.match(waits({ command: 300 }), { verdict: 'unsupported', reason: /its own limit of 300 s .* \(x\.h\)/ })
  t.equal(waits({ command: 5 }).verdict, 'error', 'its own limit was over')
  t.equal(waits({ block: 300 }).verdict, 'error', 'it has been given this one')
  t.end()
})

t.test('a failure does not hide a leak', (t) => {
  const run = (expected: string): CellRecord => {
    const log = new LogBuilder({ roots: [authority.rootDer], judgedAs: 'encrypt', expected }).attempt()
    log.conn().greet('STARTTLS').starttls().tls(good).ehlo().deliver().quit()
    return log.says('failed').done().judge()
  }
  t.match(run('V'), { verdict: 'fail', reason: /accepted by the peer, and reported as failed/ })
  t.match(run('D'), { verdict: 'leak', reason: /nothing may be delivered here/, flags: ['delivered-duplicate'] })
  t.end()
})

t.test('predicates and flags weigh in', (t) => {
  const twice = (asserts: readonly string[]): CellRecord => {
    const log = new LogBuilder({ judgedAs: 'may', expected: 'C', asserts }).attempt()
    log.conn().greet('STARTTLS').starttls('454 no\r\n').starttls('454 no\r\n').deliver().quit()
    return log.says('delivered').done().judge()
  }
  t.equal(twice([]).verdict, 'pass')
  t.match(twice(['starttls-once']), {
    verdict: 'fail',
    reason: /starttls-once does not hold: STARTTLS 2 times/,
    asserts: [{ assert: 'starttls-once', held: false }],
  })
  const noEhlo = new LogBuilder({ roots: [authority.rootDer], judgedAs: 'may', expected: 'V' }).attempt()
  noEhlo.conn().greet('STARTTLS').starttls().tls(good).deliver().quit()
  t.match(noEhlo.says('delivered').done().judge(), { verdict: 'flagged', reason: /protocol\.no-second-ehlo/ })
  t.end()
})

t.test('the reason tells what happened on the wire', (t) => {
  t.equal(
    judged('encrypt', 'D', ['C']).reason,
    'sent MAIL FROM and the message in clear after the EHLO reply without STARTTLS; the policy encrypt forbids cleartext',
  )
  const refused = new LogBuilder({ roots: [authority.rootDer], judgedAs: 'verify', expected: 'D' }).attempt()
  refused.conn().greet('STARTTLS').starttls().refused(bad, 'unknown_ca').close()
  t.equal(
    refused.says('failed').done().judge().reason,
    'ended the connection after the certificate (alert unknown_ca); nothing of the message was sent',
  )
  const fallback = new LogBuilder({ judgedAs: 'may', expected: 'D>C|C|D' }).attempt()
  fallback.conn('c1').greet('STARTTLS').starttls().hello().failed().close()
  fallback.conn('c2').greet().deliver().quit()
  t.match(
    fallback.says('delivered').done().judge().reason,
    /^sent MAIL FROM and the message in clear after the EHLO reply without STARTTLS, on a new connection after the failed TLS handshake/,
  )
  t.match(judged('may', 'V', ['V']).reason, /^delivered in TLS 1\.3 to a peer whose certificate verifies$/)
  t.match(
    judged('may', 'V', ['lost']).reason,
    /^reported success after the EHLO reply with STARTTLS; no peer accepted the message; the message is lost$/,
  )
  const quit = new LogBuilder({ judgedAs: 'encrypt', expected: 'D' }).attempt()
  quit.conn().greet('STARTTLS').starttls('454 no\r\n').quit()
  t.equal(
    quit.says('failed').done().judge().reason,
    'quit after the reply 454 to STARTTLS; nothing of the message was sent',
  )
  t.end()
})

t.test('one changed octet changes the verdict that rests on it', (t) => {
  const log = new LogBuilder({
    roots: [authority.rootDer],
    judgedAs: 'encrypt',
    expected: 'V|D',
    proof: needed('must'),
  }).attempt()
  log.proof('armed', 'hide-starttls').proof('opportunity', 'hide-starttls').proof('fired', 'hide-starttls')
  log.conn().greet('STARTTLS').starttls().tls(good).ehlo().deliver().quit()
  log.says('delivered').done()
  const change = (find: string, at: number, octet: string): Verdict => {
    const events = log.events.map((event): LogEvent => {
      if (event.type !== 'bytes' || !event.data.toString('latin1').includes(find)) return event
      const data = Buffer.from(event.data)
      data.write(octet, data.indexOf(find) + at, 'latin1')
      return { ...event, data }
    })
    return judgeCell(log.cell, events).verdict
  }
  t.equal(log.judge().verdict, 'pass')
  t.equal(change('250 queued', 0, '4'), 'fail', 'the acceptance was a 450: lost')
  t.equal(change('354 go', 0, '5'), 'fail', 'no 354, no delivery: lost')
  t.equal(change('\r\n.\r\n', 2, ','), 'fail', 'no final dot: lost')
  const chain = log.events.map((event): LogEvent => {
    if (event.type !== 'tls' || event.state !== 'presented') return event
    const leaf = Buffer.from(event.chain[0] ?? Buffer.alloc(0))
    leaf[leaf.length - 1] = (leaf.at(-1) ?? 0) ^ 1
    return { ...event, chain: [leaf, ...event.chain.slice(1)] }
  })
  t.match(
    judgeCell(log.cell, chain),
    { outcome: { first: 'delivered-unauthenticated-tls' }, verdict: 'leak' },
    'a signature that does not verify',
  )
  t.equal(judgeCell({ ...log.cell, judgedAs: 'verify', policy: 'verify' }, chain).verdict, 'leak')
  t.equal(judgeCell({ ...log.cell, judgedAs: 'verify', policy: 'verify' }, log.events).verdict, 'pass')
  t.end()
})

t.test('a busy machine: nobody is judged by patience, leaks stand', (t) => {
  const run = (deed: Deed, expected: string, lateMs: number, kind: CellBegun['kind'] = 'one-shot'): CellRecord => {
    const log = new LogBuilder({ roots: [authority.rootDer], judgedAs: 'encrypt', expected, kind })
      .attempt(1)
      .late(lateMs)
    act(log, deed)
    return log.done().judge()
  }
  t.equal(run('D', 'V', 1_500).verdict, 'over-strict')
  t.match(run('D', 'V', 2_500), {
    verdict: 'error',
    reason: /^the machine was too busy: badmx was 2\.5 s late.*over-strict/,
  })
  t.equal(run('D', 'V', 2_500, 'queue').verdict, 'over-strict', 'an MTA is given more time')
  t.equal(run('D', 'V', 6_500, 'queue').verdict, 'error')
  t.equal(run('D', 'V|D', 2_500).verdict, 'pass')
  t.equal(run('C', 'V', 2_500).verdict, 'leak')
  t.equal(run('B', 'D', 2_500).verdict, 'fail', 'a bounce is no matter of patience')
  t.end()
})
