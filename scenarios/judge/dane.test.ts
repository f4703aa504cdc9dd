/** Judging by TLSA records, RFC 7672: what is verified, which names SNI may have. */
import t from 'tap'
import { createAuthority } from '../../peers/certificates/authority.ts'
import { tlsaText } from '../../peers/dns/dane.ts'
import { associationOf } from '../../peers/dns/tlsa.ts'
import type { CellBegun, TlsaFacts } from '../events.ts'
import { HOST_NAME, LogBuilder } from './log-builder.ts'
import { shapeProblem } from './log-shape.ts'

const authority = createAuthority({ now: new Date('2026-01-15T12:00:00.000Z'), seed: 1 })
const names = { host: HOST_NAME, domain: 'cell.badmx.test' }
const good = (await authority.issue('good', names)).chain
const stranger = (await authority.issue('untrusted-ca', names)).chain
const impostor = (await authority.issue('impostor-trusted-ca', names)).chain

function tlsa(certificate: Buffer | undefined, usage: number, secure = true): TlsaFacts {
  const parameters = { usage, selector: 1, matchingType: 1 }
  const text = tlsaText({ ...parameters, association: associationOf(certificate ?? Buffer.alloc(0), parameters) })
  return { secure, base: HOST_NAME, records: [text] }
}

function cell(facts: TlsaFacts, given: Partial<CellBegun> = {}): LogBuilder {
  const hosts = { mx: { preference: 10, tls: 'starttls' as const, tlsa: facts } }
  return new LogBuilder({ judgedAs: 'dane', expected: 'V', hosts, roots: [authority.rootDer], ...given })
}

/** @param serverName of the ClientHello; '' for none */
function delivered(log: LogBuilder, chain: readonly Buffer[], serverName = HOST_NAME) {
  log.attempt()
  log
    .conn()
    .greet('STARTTLS')
    .starttls()
    .tls(chain, { serverName: serverName === '' ? undefined : serverName })
    .ehlo()
    .deliver()
    .quit()
  return log.says('delivered').done().judge()
}

t.test('secure records that can be used decide, and PKIX does not', async (t) => {
  t.match(delivered(cell(tlsa(stranger[0], 3)), stranger), {
    verdict: 'pass',
    outcome: { first: 'delivered-verified' },
  })
  t.match(delivered(cell(tlsa(good[0], 3)), impostor), {
    verdict: 'leak',
    outcome: { first: 'delivered-unauthenticated-tls' },
  })
  t.match(delivered(cell(tlsa(good[0], 3), { judgedAs: 'verify' }), impostor), { verdict: 'pass' }, 'another policy')
})

t.test('without them what the peer shows is told by PKIX', async (t) => {
  for (const facts of [tlsa(good[0], 3, false), tlsa(good[0], 1), { ...tlsa(good[0], 3), records: [] }]) {
    t.match(delivered(cell(facts), impostor).outcome, { first: 'delivered-verified' })
    t.match(delivered(cell(facts), stranger).outcome, { first: 'delivered-unauthenticated-tls' })
  }
})

t.test('a phase has its own records', async (t) => {
  const log = cell(tlsa(stranger[0], 3))
  const hosts = { mx: { preference: 10, tls: 'starttls' as const, tlsa: tlsa(impostor[0], 3) } }
  log.push({ type: 'phase', cell: log.cell.cell, phase: 'rolled', hosts })
  t.match(delivered(log, impostor).outcome, { first: 'delivered-verified' })
})

t.test('SNI is the TLSA base domain, and wanted where there is one', async (t) => {
  const based = { ...tlsa(good[0], 3), base: 'alias.cell.badmx.test' }
  t.notMatch(delivered(cell(based), good, 'alias.cell.badmx.test').flags, ['tls.wrong-sni'])
  t.match(delivered(cell(based), good, 'other.cell.badmx.test').flags, ['tls.wrong-sni'])
  // The name in the MX record, of which the host's is the target.
  const aliased = { ...tlsa(good[0], 3), aliases: ['alias.cell.badmx.test'] }
  t.notMatch(delivered(cell(aliased), good, 'alias.cell.badmx.test').flags, ['tls.wrong-sni'])
  t.match(delivered(cell(aliased), good, 'other.cell.badmx.test').flags, ['tls.wrong-sni'])
  t.match(delivered(cell(tlsa(good[0], 3)), good, '').flags, ['tls.no-sni'])
  t.same(delivered(cell({ ...tlsa(good[0], 3), records: [] }), good, '').flags, [])
})

t.test('a host that cannot be looked up is passed over', async (t) => {
  const facts = { preference: 10, tls: 'starttls' as const }
  const given = { hosts: { mx1: facts, mx2: { ...facts, preference: 20 } }, kind: 'queue' as const, expected: 'V|U' }
  const flags = (fault: string | undefined) => {
    const log = new LogBuilder({ ...given, hostNames: { mx1: 'mx1.cell.badmx.test', mx2: 'mx2.cell.badmx.test' } })
    log.attempt()
    if (fault !== undefined)
      log.push({ type: 'fired', behaviour: 'dns:drop-queries', host: fault, detail: 'dropped the query' })
    log.conn('c1', { host: 'mx2' }).greet('STARTTLS').starttls().tls().ehlo().deliver().quit()
    return log.says('delivered').done().judge().flags
  }
  t.ok(flags(undefined).includes('mx.order'))
  t.ok(flags('mx2').includes('mx.order'), 'the fault is about another host')
  t.notOk(flags('mx1').includes('mx.order'))
  t.notOk(flags('_25._tcp.mx1').includes('mx.order'))
})

t.test('where DANE is mandatory a host without usable records is passed over', async (t) => {
  const flags = (judgedAs: 'dane' | 'dane-only', first: TlsaFacts) => {
    const facts = { tls: 'starttls' as const }
    const hosts = {
      mx1: { ...facts, preference: 10, tlsa: first },
      mx2: { ...facts, preference: 20, tlsa: tlsa(good[0], 3) },
    }
    const log = new LogBuilder({ judgedAs, hosts, kind: 'queue', expected: 'V' })
    log.attempt()
    log.conn('c1', { host: 'mx2' }).greet('STARTTLS').starttls().tls(good).ehlo().deliver().quit()
    return log.says('delivered').done().judge().flags
  }
  t.notOk(flags('dane-only', tlsa(good[0], 1)).includes('mx.order'))
  t.notOk(flags('dane-only', tlsa(good[0], 3, false)).includes('mx.order'))
  t.ok(flags('dane-only', tlsa(good[0], 3)).includes('mx.order'))
  t.ok(flags('dane', tlsa(good[0], 1)).includes('mx.order'))
})

t.test('the shape of what the log tells', async (t) => {
  const log = cell(tlsa(good[0], 3))
  t.equal(shapeProblem(log.cell), undefined)
  const hosts = (given: object) => ({
    mx: { preference: 10, tls: 'starttls', tlsa: { ...tlsa(good[0], 3), ...given } },
  })
  for (const given of [{ secure: 'yes' }, { base: 1 }, { records: '3 1 1' }, { records: ['3 1'] }])
    t.match(shapeProblem({ ...log.cell, hosts: hosts(given) }), { want: /tlsa \(secure, base, records\)/ })
})
