import t from 'tap'
import type { CellBegun } from '../events.ts'
import type { Flag } from './flag-table.ts'
import { LogBuilder } from './log-builder.ts'

const HOSTS: CellBegun['hosts'] = {
  mx1: { preference: 10, tls: 'starttls' },
  mx2: { preference: 20, tls: 'starttls' },
  spare: { preference: 'none', tls: 'starttls' },
}
/** The fault is at mx1. */
const PROOF: CellBegun['proof'] = [{ behaviour: 'answer-client-hello', host: 'mx1', fires: 'must' }]

/** A cell of a client with a queue; `encrypt`, so that nothing in clear is in the way. */
function flags(build: (log: LogBuilder) => LogBuilder, given: Partial<CellBegun> = {}): readonly string[] {
  const log = new LogBuilder({
    judgedAs: 'encrypt',
    kind: 'queue',
    expected: 'V|D',
    hosts: HOSTS,
    proof: PROOF,
    ...given,
  })
  return build(log)
    .done()
    .judge()
    .flags.filter((flag) => flag.startsWith('mx.'))
}

/** The handshake fails there. */
const broken = (log: LogBuilder, conn: string, host: string): LogBuilder => {
  log.conn(conn, { host }).greet('STARTTLS').starttls().failed('handshake_failure').close()
  return log
}
const delivers = (log: LogBuilder, conn: string, host: string): LogBuilder => {
  log.conn(conn, { host }).greet('STARTTLS').starttls().tls().ehlo().deliver().quit()
  return log
}
/** MX 10 answers like this, in TLS. */
const answers = (log: LogBuilder, reply: string): LogBuilder => {
  log.conn('c1', { host: 'mx1' }).greet('STARTTLS').starttls().tls().ehlo().c('MAIL FROM:<a@b>\r\n').s(reply).quit()
  return log
}

interface Row {
  readonly name: string
  readonly given?: Partial<CellBegun>
  readonly log: (log: LogBuilder) => LogBuilder
  readonly want: readonly Flag[]
}

const EQUAL: CellBegun['hosts'] = {
  mx1: { preference: 10, tls: 'starttls' },
  mx2: { preference: 10, tls: 'starttls' },
}

const ROWS: readonly Row[] = [
  {
    name: 'in order, until one takes it',
    log: (log) => delivers(broken(log.attempt(), 'c1', 'mx1'), 'c2', 'mx2').says('delivered'),
    want: [],
  },
  {
    name: 'the second host first',
    log: (log) => delivers(log.attempt(), 'c1', 'mx2').says('delivered'),
    want: ['mx.order'],
  },
  {
    name: 'equal preferences have no order',
    given: { hosts: EQUAL },
    log: (log) => delivers(log.attempt(), 'c1', 'mx2').says('delivered'),
    want: [],
  },
  {
    name: 'addresses of a domain without MX records have no order',
    given: { hosts: { mx1: { preference: 'none', tls: 'starttls' }, mx2: { preference: 'none', tls: 'starttls' } } },
    log: (log) => delivers(log.attempt(), 'c1', 'mx2').says('delivered'),
    want: [],
  },
  {
    name: 'a host that failed a moment ago may be passed over',
    log: (log) => {
      delivers(broken(log.attempt(), 'c1', 'mx1'), 'c2', 'mx2').says('delivered')
      return delivers(log.attempt(2), 'c3', 'mx2').says('delivered', {}, 2)
    },
    want: [],
  },
  {
    name: 'a host that served a moment ago may not',
    log: (log) => {
      delivers(log.attempt(), 'c1', 'mx1').says('delivered')
      return delivers(log.attempt(2), 'c2', 'mx2').says('delivered', {}, 2)
    },
    want: ['mx.order'],
  },
  {
    name: 'what is due is what the MX records say now',
    log: (log) => {
      delivers(log.attempt(), 'c1', 'mx1').says('delivered')
      const hosts = { ...HOSTS, mx1: HOSTS['mx2'], mx2: HOSTS['mx1'] } as CellBegun['hosts']
      log.push({ type: 'phase', cell: log.cell.cell, phase: 'moved', hosts })
      return delivers(log.attempt(2), 'c2', 'mx2').says('delivered', {}, 2)
    },
    want: [],
  },
  {
    name: 'kept after the first host alone',
    log: (log) => broken(log.attempt(), 'c1', 'mx1').says('queued'),
    want: ['mx.stopped-early'],
  },
  {
    name: 'the client tells of the second host, which never saw it',
    given: { hostNames: { mx1: 'mx1.cell.test', mx2: 'mx2.cell.test' } },
    log: (log) => broken(log.attempt(), 'c1', 'mx1').says('queued', { reason: 'connect to mx2.cell.test: timed out' }),
    want: [],
  },
  {
    name: 'given up after the first host alone, in the second attempt',
    log: (log) => {
      broken(broken(log.attempt(), 'c1', 'mx1'), 'c2', 'mx2').says('queued')
      return broken(log.attempt(2, 'aged'), 'c3', 'mx1').says('bounced', {}, 2)
    },
    want: ['mx.stopped-early'],
  },
  {
    name: 'kept after the first host alone, in the second attempt',
    log: (log) => {
      broken(broken(log.attempt(), 'c1', 'mx1'), 'c2', 'mx2').says('queued')
      return broken(log.attempt(2, 'aged'), 'c3', 'mx1').says('queued', {}, 2)
    },
    want: [],
  },
  {
    name: 'two addresses are enough',
    given: { hosts: { ...HOSTS, mx3: { preference: 30, tls: 'starttls' } } },
    log: (log) => broken(broken(log.attempt(), 'c1', 'mx1'), 'c2', 'mx2').says('queued'),
    want: [],
  },
  {
    name: 'the other host is no better',
    given: { proof: [...PROOF, { behaviour: 'hide-starttls', host: 'mx2', fires: 'must' }] },
    log: (log) => broken(log.attempt(), 'c1', 'mx1').says('queued'),
    want: [],
  },
  {
    name: 'the other host has no TLS, which the policy wants',
    given: { hosts: { ...HOSTS, mx2: { preference: 20, tls: 'none' } } },
    log: (log) => broken(log.attempt(), 'c1', 'mx1').says('queued'),
    want: [],
  },
  {
    name: 'a refusal of the message is an answer',
    log: (log) => answers(log.attempt(), '550 no\r\n').says('bounced'),
    want: [],
  },
  {
    name: 'so is one for now',
    log: (log) => answers(log.attempt(), '451 later\r\n').says('queued'),
    want: [],
  },
  {
    name: 'a banner of 554 may end it for good',
    log: (log) => {
      log.attempt().conn('c1', { host: 'mx1' }).s('554 go away\r\n').quit()
      return log.says('bounced')
    },
    want: [],
  },
  {
    name: 'a banner of 554 is no reason to come back to the same host',
    log: (log) => {
      log.attempt().conn('c1', { host: 'mx1' }).s('554 go away\r\n').quit()
      return log.says('queued')
    },
    want: ['mx.stopped-early'],
  },
  {
    name: 'lost after the final dot, the message may have been taken',
    log: (log) => {
      const dialogue = log.attempt().conn('c1', { host: 'mx1' }).greet('STARTTLS').starttls().tls().ehlo()
      dialogue.c('MAIL FROM:<a@b>\r\n').s('250 a\r\n').c('RCPT TO:<c@d>\r\n').s('250 b\r\n')
      dialogue.c('DATA\r\n').s('354 c\r\n').c('x\r\n.\r\n').close('peer')
      return log.says('queued')
    },
    want: [],
  },
]

t.test('the hosts of a domain', async (t) => {
  for (const { name, given, log, want } of ROWS) t.same(flags(log, given), want, name)
})

t.test('who went past the host with the fault is judged for that', async (t) => {
  const log = new LogBuilder({ kind: 'queue', expected: 'U', hosts: HOSTS, proof: PROOF })
  const cell = delivers(log.attempt(), 'c1', 'mx2').says('delivered').done().judge()
  t.equal(cell.verdict, 'flagged')
  t.match(cell.reason, /mx\.order: came to mx2 \(preference 20\) before mx1 \(preference 10\)/)
})

t.test('a downgrade across hosts says where TLS was, and where the message went in clear', async (t) => {
  const inClear = (log: LogBuilder, conn: string, host: string): LogBuilder => {
    log.conn(conn, { host }).greet().deliver().quit()
    return log
  }
  const given = { kind: 'queue', expected: 'C|D>C', hosts: HOSTS, proof: PROOF } as const
  const details = (log: LogBuilder): readonly string[] =>
    log
      .done()
      .judge()
      .findings.filter(({ flag }) => flag.startsWith('downgrade.'))
      .map(({ flag, detail }) => `${flag}: ${detail}`)

  const at = () => broken(new LogBuilder(given).attempt(), 'c1', 'mx1')
  t.same(details(inClear(at(), 'c2', 'mx2').says('delivered')), [
    'downgrade.immediate: MAIL in clear on a new connection of the same attempt to mx2, after TLS was offered or tried at mx1',
  ])
  t.same(details(inClear(at(), 'c2', 'mx1').says('delivered')), [
    'downgrade.immediate: MAIL in clear on a new connection of the same attempt',
  ])
  const later = () => broken(at(), 'c2', 'mx2').says('queued').attempt(2, 'aged')
  t.same(details(inClear(broken(later(), 'c3', 'mx1'), 'c4', 'mx2').says('delivered', { ageSeconds: 301 }, 2)), [
    'downgrade.immediate: MAIL in clear on a new connection of the same attempt to mx2, after TLS was offered or tried at mx1',
    'downgrade.delayed: MAIL in clear in attempt 2 (aged), when the message was 301 s old; TLS was tried again first',
  ])
  t.same(details(inClear(later(), 'c3', 'mx2').says('delivered', {}, 2)), [
    'downgrade.delayed: MAIL in clear in attempt 2 (aged); TLS was not tried again',
  ])
  t.same(details(delivers(new LogBuilder({ ...given, expected: 'U' }).attempt(), 'c1', 'mx1').says('delivered')), [])
})

t.test('faults at several hosts: one host where all of them fired is proof enough', async (t) => {
  const needs = (host: string) => ({ behaviour: 'hide-starttls', host, fires: 'must' }) as const
  const verdict = (proof: CellBegun['proof'], build: (log: LogBuilder) => LogBuilder): readonly string[] => {
    const log = new LogBuilder({ judgedAs: 'encrypt', kind: 'queue', expected: 'D|U', hosts: HOSTS, proof })
    const judged = build(log.attempt()).done().judge()
    return [judged.verdict, judged.reason.split('; ').at(-1) ?? '']
  }
  const fault = (state: 'armed' | 'opportunity' | 'fired', host: string) =>
    ({ type: state, behaviour: 'hide-starttls', host, detail: '' }) as const
  const both = [needs('mx1'), needs('mx2')]
  t.equal(
    verdict(both, (log) => {
      broken(log, 'c1', 'mx1').push(fault('armed', 'mx1')).push(fault('fired', 'mx1'))
      return log.says('queued')
    })[0],
    'pass',
    'the second was not reached',
  )
  t.equal(
    verdict(both, (log) => {
      broken(log, 'c1', 'mx1').push(fault('armed', 'mx1')).push(fault('fired', 'mx1'))
      broken(log, 'c2', 'mx2').push(fault('armed', 'mx2'))
      return log.says('queued')
    })[0],
    'pass',
    'the second was reached, and left before its fault',
  )
  t.equal(
    verdict(both, (log) => {
      broken(log, 'c1', 'mx1').push(fault('armed', 'mx1')).push(fault('fired', 'mx1'))
      broken(log, 'c2', 'mx2').push(fault('armed', 'mx2')).push(fault('opportunity', 'mx2'))
      return log.says('queued')
    })[0],
    'inconclusive',
    'the fault of the second had its opportunity and did not fire',
  )
  t.same(
    verdict([needs('mx2')], (log) => delivers(log, 'c1', 'mx1').says('delivered')),
    ['not-exercised', 'the client did not come to mx2, where hide-starttls was waiting'],
    'served before it came there',
  )
})
