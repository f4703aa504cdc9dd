import t from 'tap'
import { RCODE, TYPE } from '../numbers.ts'
import { dataOf, denialsOf, messageOf, play } from '../testing/play-fault.ts'
import { fault } from './serve-unrectified.ts'

t.test('one record from the apex to the apex', async (t) => {
  for (const asked of ['nobody.badmx.test A', 'mx.badmx.test TLSA', '_25._tcp.wild.badmx.test TLSA']) {
    const message = messageOf(await play(fault, {}, asked))
    t.match(dataOf(message.authorities, TYPE.NSEC), [/^badmx\.test\. NS SOA MX RRSIG NSEC DNSKEY$/], asked)
  }
})

t.test('where an alias leads nowhere, too', async (t) => {
  const message = messageOf(await play(fault, {}, 'lost.badmx.test A'))
  t.equal(message.rcode, RCODE.NXDOMAIN)
  t.match(dataOf(message.answers, TYPE.CNAME), [/^nobody\./])
  t.match(dataOf(message.authorities, TYPE.NSEC), [/^badmx\.test\. NS SOA/])
})

const NSEC3 = { signing: { nsec3: {} } }

t.test('by NSEC3 the server fails', async (t) => {
  for (const asked of ['mx.badmx.test TLSA', 'nobody.badmx.test A', 'q.wild.badmx.test A', 'lost.badmx.test A']) {
    const { rcode, aa, answers, authorities } = messageOf(await play(fault, {}, asked, NSEC3))
    t.same([rcode, aa, answers, authorities], [RCODE.SERVFAIL, true, [], []], asked)
  }
})

t.test('by NSEC3, with empty texts for the order, it is malformed', async (t) => {
  const empty = { order: 'empty' }
  const message = messageOf(await play(fault, empty, 'nobody.badmx.test A', NSEC3))
  const denial = message.authorities.find(({ type }) => type === TYPE.NSEC3)
  t.equal(message.rcode, RCODE.NXDOMAIN)
  t.equal(denial?.name, 'badmx.test', 'no hash in front')
  t.equal(denial?.data.readUInt8(5), 0, 'a next hash of no octets')
  t.same(
    denialsOf(messageOf(await play(fault, empty, 'mx.badmx.test TLSA', NSEC3))),
    [],
    'and there is none of what exists',
  )
})

t.test('empty non-terminals are NXDOMAIN', async (t) => {
  t.equal(messageOf(await play(fault, {}, '_tcp.mx.badmx.test A')).rcode, RCODE.NXDOMAIN)
})

t.test('no chance for what there is', async (t) => {
  t.equal((await play(fault, {}, 'mx.badmx.test A')).send, undefined)
  t.equal((await play(fault, {}, 'mx.badmx.test TLSA', { signing: 'none' })).send, undefined)
})
