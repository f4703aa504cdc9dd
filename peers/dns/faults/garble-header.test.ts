import { decode } from 'dns-packet'
import t from 'tap'
import { decodeMessage } from '../message.ts'
import { play } from '../testing/play-fault.ts'
import { fault } from './garble-header.ts'

t.test('nobody can read it', async (t) => {
  const { send } = await play(fault, {}, 'mx.badmx.test A')
  if (!Buffer.isBuffer(send)) throw new Error('octets leave')
  t.equal(send.readUInt16BE(0), 7, 'the id is right')
  t.throws(() => decodeMessage(send), { code: 'dns-format' })
  t.throws(() => decode(send))
})
