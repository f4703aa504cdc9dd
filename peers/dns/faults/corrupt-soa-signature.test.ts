import t from 'tap'
import { TYPE } from '../numbers.ts'
import { typeSigned } from '../tamper.ts'
import { messageOf, play } from '../testing/play-fault.ts'
import { fault } from './corrupt-soa-signature.ts'

t.test("only the SOA's signature differs, by one bit", async (t) => {
  const played = await play(fault, {}, 'mx.badmx.test TLSA')
  const message = messageOf(played)
  t.equal(message.authorities.length, played.sound.authorities.length)
  message.authorities.forEach((record, at) => {
    const sound = played.sound.authorities[at]
    const isSoa = record.type === TYPE.RRSIG && typeSigned(record) === TYPE.SOA
    t.equal(record.data.equals(sound?.data ?? Buffer.alloc(0)), !isSoa)
  })
})

t.test('no chance where the SOA is asked for, or not there', async (t) => {
  t.equal((await play(fault, {}, 'badmx.test SOA')).send, undefined)
  t.equal((await play(fault, {}, 'mx.badmx.test TLSA', { dnssecOk: false })).send, undefined)
})
