import t from 'tap'
import { RCODE, TYPE } from '../numbers.ts'
import { play } from '../testing/play-fault.ts'
import { fault } from './deny-existence.ts'

t.test('the name or the data is denied, with the SOA or without', async (t) => {
  const soa = [{ name: 'badmx.test', type: TYPE.SOA }]
  const table: readonly [object, number, readonly object[]][] = [
    [{}, RCODE.NXDOMAIN, soa],
    [{ as: 'NODATA' }, RCODE.NOERROR, soa],
    [{ as: 'NXDOMAIN', soa: false }, RCODE.NXDOMAIN, []],
  ]
  for (const [parameters, rcode, authorities] of table) {
    const { sound, send } = await play(fault, { ...parameters }, '_25._tcp.mx.badmx.test TLSA')
    t.equal(sound.answers[0]?.type, TYPE.TLSA, 'it exists')
    t.match(send, { rcode, aa: true, answers: [], authorities })
  }
})
