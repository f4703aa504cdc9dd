import t from 'tap'
import { RCODE, TYPE } from '../numbers.ts'
import { dataOf, messageOf, play } from '../testing/play-fault.ts'
import { fault } from './serve-unrectified.ts'

t.test('one record from the apex to the apex', async (t) => {
  for (const asked of ['nobody.badmx.test A', 'mx.badmx.test TLSA', '_25._tcp.wild.badmx.test TLSA']) {
    const message = messageOf(await play(fault, {}, asked))
    t.match(dataOf(message.authorities, TYPE.NSEC), [/^badmx\.test\. NS SOA MX RRSIG NSEC DNSKEY$/], asked)
  }
})

t.test('by NSEC3 it is malformed', async (t) => {
  const message = messageOf(await play(fault, {}, 'mx.badmx.test TLSA', { signing: { nsec3: {} } }))
  const denial = message.authorities.find(({ type }) => type === TYPE.NSEC3)
  t.equal(denial?.name, 'badmx.test', 'no hash in front')
  t.equal(denial?.data.readUInt8(5), 0, 'a next hash of no octets')
})

t.test('empty non-terminals are NXDOMAIN', async (t) => {
  t.equal(messageOf(await play(fault, {}, '_tcp.mx.badmx.test A')).rcode, RCODE.NXDOMAIN)
})

t.test('no chance for what there is', async (t) => {
  t.equal((await play(fault, {}, 'mx.badmx.test A')).send, undefined)
  t.equal((await play(fault, {}, 'mx.badmx.test TLSA', { signing: 'none' })).send, undefined)
})
