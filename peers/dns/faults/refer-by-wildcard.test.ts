import t from 'tap'
import { TYPE } from '../numbers.ts'
import { dataOf, messageOf, play } from '../testing/play-fault.ts'
import { fault } from './refer-by-wildcard.ts'

t.test('what does not exist is referred, from just below what does', async (t) => {
  const message = messageOf(await play(fault, { server: 'ns.lame.test' }, '_25._tcp.plain.badmx.test TLSA'))
  t.match(message, { aa: false, rcode: 0, answers: [], authorities: [{ name: '_tcp.plain.badmx.test' }] })
  t.same(dataOf(message.authorities, TYPE.NS), ['ns.lame.test.'])
  t.equal((await play(fault, {}, 'mx.badmx.test TLSA')).send, undefined)
})
