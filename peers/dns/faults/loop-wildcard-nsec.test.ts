import t from 'tap'
import { TYPE } from '../numbers.ts'
import { dataOf, messageOf, play } from '../testing/play-fault.ts'
import { fault } from './loop-wildcard-nsec.ts'

t.test('the wildcard leads to itself, in NODATA and in what it stands for', async (t) => {
  for (const asked of ['_25._tcp.wild.badmx.test TLSA', 'q.wild.badmx.test A']) {
    const data = dataOf(messageOf(await play(fault, {}, asked)).authorities, TYPE.NSEC)
    t.equal(data[0], '*.wild.badmx.test. A RRSIG NSEC', asked)
  }
})

t.test('no chance by NSEC3, and without a wildcard', async (t) => {
  t.equal((await play(fault, {}, 'q.wild.badmx.test A', { signing: { nsec3: {} } })).send, undefined)
  t.equal((await play(fault, {}, 'mx.badmx.test TLSA')).send, undefined)
})
