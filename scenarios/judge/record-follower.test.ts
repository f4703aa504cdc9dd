import t from 'tap'
import { RecordFollower } from './record-follower.ts'

const record = Buffer.from([22, 3, 1, 0, 3, 9, 9, 9])

t.test('records are followed across every boundary, and text is left', (t) => {
  const stream = Buffer.concat([record, record, Buffer.from('QUIT\r\n')])
  for (let cut = 0; cut <= stream.length; cut++) {
    const follower = new RecordFollower()
    const [head, tail] = [stream.subarray(0, cut), stream.subarray(cut)]
    const first = follower.take(head)
    const rest = first < head.length ? 0 : follower.take(tail)
    t.equal(first + rest, record.length * 2, `cut at ${cut}`)
  }
  t.end()
})

t.test('what is a record and what is none', (t) => {
  const taken = (...octets: number[]): number => new RecordFollower().take(Buffer.from(octets))
  t.equal(taken(21, 3, 3, 0, 2, 2, 40), 7, 'an alert')
  t.equal(taken(0x80, 4, 1, 3, 1, 0), 6, 'an SSL 2.0 hello')
  t.equal(taken(22, 2, 0, 0, 0), 0, 'another major version')
  t.equal(taken(0x45, 0x48), 0, 'EH')
  t.equal(taken(24, 3, 1, 0, 0), 0, 'no content type of TLS 1.3')
  t.equal(taken(), 0)
  t.end()
})
