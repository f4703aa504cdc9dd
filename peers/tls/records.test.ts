import t from 'tap'
import { RecordSplitter, recordAfterLine } from './records.ts'

function record(type: number, length: number, minor = 3): Buffer {
  return Buffer.concat([Buffer.from([type, 3, minor, length >> 8, length & 0xff]), Buffer.alloc(length, 0x41)])
}

/** What a splitter says of the chunks, octets of neighbours on the same layer joined. */
function split(chunks: readonly Buffer[]): string[] {
  const splitter = new RecordSplitter()
  const joined: { layer: string; length: number }[] = []
  for (const { layer, bytes } of chunks.flatMap((chunk) => splitter.split(chunk))) {
    const last = joined.at(-1)
    if (last?.layer === layer) last.length += bytes.length
    else joined.push({ layer, length: bytes.length })
  }
  return joined.map(({ layer, length }) => `${layer} ${length}`)
}

t.test('records, then text: the same whatever byte a chunk is cut at', async (t) => {
  const records = Buffer.concat([record(0x16, 40, 1), record(0x14, 1), record(0x17, 0), record(0x17, 30)])
  const text = Buffer.from('EHLO client\r\n')
  const all = Buffer.concat([records, text])
  const want = [`cipher ${records.length}`, `tcp ${text.length}`]
  t.strictSame(split([all]), want)
  for (let cut = 1; cut < all.length; cut++)
    t.strictSame(split([all.subarray(0, cut), all.subarray(cut)]), want, `cut at ${cut}`)
  t.strictSame(split([...all].map((octet) => Buffer.from([octet]))), want, 'octet by octet')
})

t.test('no octet is lost, added or moved', async (t) => {
  const all = Buffer.concat([Buffer.from('220 go\r\n'), record(0x16, 7), record(0x15, 2), Buffer.from('text\x16text')])
  for (let first = 0; first <= all.length; first++) {
    for (let second = first; second <= all.length; second += 3) {
      const splitter = new RecordSplitter()
      const pieces = [all.subarray(0, first), all.subarray(first, second), all.subarray(second)].flatMap((chunk) =>
        splitter.split(chunk),
      )
      if (!Buffer.concat(pieces.map(({ bytes }) => bytes)).equals(all)) t.fail(`cut at ${first} and ${second}`)
      if (pieces.some(({ bytes }) => bytes.length === 0)) t.fail(`an empty piece, cut at ${first} and ${second}`)
    }
  }
})

t.test('text stays text to the end of its chunk; a record may begin the next', async (t) => {
  t.strictSame(split([Buffer.from('220 go\r\n'), record(0x16, 9), Buffer.from('250 x\r\n')]), [
    'tcp 8',
    'cipher 14',
    'tcp 7',
  ])
  t.strictSame(split([Buffer.from('ab\x16\x03\x01')]), ['tcp 5'])
})

t.test('every record type and no other', async (t) => {
  for (let type = 0; type < 256; type++) {
    const want = type >= 0x14 && type <= 0x18 ? 'cipher 8' : 'tcp 8'
    if (split([record(type, 3)])[0] !== want) t.fail(`type ${type}: want ${want}`)
  }
  t.strictSame(split([Buffer.from([0x16, 2, 0, 0, 1, 0x41])]), ['tcp 6'], 'SSL 2 has no such records')
})

t.test('a length that no record has is text', async (t) => {
  t.strictSame(split([record(0x17, 2 ** 14 + 2048)]), [`cipher ${2 ** 14 + 2048 + 5}`], 'the longest record')
  t.strictSame(split([record(0x17, 2 ** 14 + 2049)]), [`tcp ${2 ** 14 + 2049 + 5}`], 'one octet more')
})

t.test('recordAfterLine finds a handshake record at the start or behind a line end', async (t) => {
  const at = (text: string): number => recordAfterLine(Buffer.from(text, 'latin1'))
  t.equal(at('\x16\x03\x01\x02\x00'), 0)
  t.equal(at('STARTTLS\r\n\x16\x03\x01'), 10)
  t.equal(at('A\nB\r\n\x16\x03\x03'), 5)
  t.equal(at('STARTTLS\r\n'), -1)
  t.equal(at('text\x16\x03\x01'), -1, 'not in the middle of a line')
  t.equal(at('\x17\x03\x03'), -1, 'no handshake')
  t.equal(at('\x16\x02\x00'), -1)
  t.equal(at('\x16'), -1)
  t.equal(at(''), -1)
})
