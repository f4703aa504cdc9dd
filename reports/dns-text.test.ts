import t from 'tap'
import { encodeMessage, queryFor } from '../peers/dns/message.ts'
import { TYPE } from '../peers/dns/numbers.ts'
import { rdata } from '../peers/dns/rdata.ts'
import type { DnsCrossed } from '../peers/events.ts'
import { messageText } from './dns-text.ts'

const address = { address: '127.0.0.1', port: 53 }
const query = queryFor('a.test', TYPE.DNSKEY, { id: 7 })

function crossed(data: Buffer): DnsCrossed {
  const about = { type: 'dns', t: 0, at: 'stub', direction: 'out', transport: 'udp' } as const
  return { ...about, local: address, peer: address, data }
}

t.test('a message in one line, keys without their octets', async (t) => {
  t.equal(messageText(crossed(encodeMessage(query))), 'query a.test DNSKEY')
  t.equal(messageText(crossed(Buffer.from('rubbish'))), '7 octets that cannot be read')
  const key = { flags: 257, protocol: 3, algorithm: 13, key: Buffer.alloc(64, 1) }
  const answers = [{ name: 'a.test', type: TYPE.DNSKEY, class: 1, ttl: 5, data: rdata('DNSKEY', key) }]
  const answer = encodeMessage({ ...query, qr: true, ad: true, answers })
  t.equal(messageText(crossed(answer)), 'a.test DNSKEY: NOERROR, AD; a.test 5 DNSKEY 257 3 13 …')
})
