import t from 'tap'
import { HANDSHAKE, HandshakeReader, readAuthorities, readCertificateList, readServerHello } from './handshake.ts'

const record = (type: number, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from([type, 3, 3, content.length >> 8, content.length & 255]), content])
const message = (type: number, body: Buffer): Buffer => {
  const header = Buffer.from([type, 0, 0, 0])
  header.writeUIntBE(body.length, 1, 3)
  return Buffer.concat([header, body])
}
const serverHello = (random: string, extensions: string): Buffer => {
  const list = Buffer.from(extensions, 'hex')
  const length = Buffer.from([list.length >> 8, list.length & 255])
  const start = Buffer.from(`0303${random.padEnd(64, '0')}00130200`, 'hex')
  return Buffer.concat([start, length, list])
}
const RETRY = 'cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c'
const kinds = (reader: HandshakeReader, ...chunks: Buffer[]): string[] =>
  chunks
    .flatMap((chunk) => reader.push(chunk))
    .map((part) => (part.kind === 'message' ? `message ${part.type}` : part.kind))

t.test('messages over records, several in one, at every split', async (t) => {
  const octets = Buffer.concat([
    record(22, Buffer.concat([message(2, Buffer.alloc(40)), message(11, Buffer.alloc(30)).subarray(0, 9)])),
    record(22, Buffer.concat([message(11, Buffer.alloc(30)).subarray(9), message(14, Buffer.alloc(0))])),
    record(20, Buffer.from([1])),
    record(22, Buffer.alloc(40, 7)),
    record(23, Buffer.alloc(9)),
  ])
  const whole = ['message 2', 'message 11', 'message 14', 'encrypted']
  t.same(kinds(new HandshakeReader(), octets), whole)
  for (let at = 1; at < octets.length; at += 1)
    t.same(kinds(new HandshakeReader(), octets.subarray(0, at), octets.subarray(at)), whole, `at ${at}`)
})

t.test('alerts in clear, and encrypted ones', async (t) => {
  t.same(new HandshakeReader().push(record(21, Buffer.from([2, 70]))), [{ kind: 'alert', level: 2, description: 70 }])
  t.same(kinds(new HandshakeReader(), record(21, Buffer.alloc(26))), ['encrypted'])
  t.same(kinds(new HandshakeReader(), record(20, Buffer.from([1])), record(21, Buffer.from([2, 70]))), ['encrypted'])
})

t.test('a second hello behind ChangeCipherSpec is read, other messages there are not', async (t) => {
  const change = record(20, Buffer.from([1]))
  const retry = record(22, message(2, serverHello(RETRY, '002b00020304')))
  const hello = record(22, message(2, serverHello('', '002b00020304')))
  t.same(kinds(new HandshakeReader(), retry, change, hello, record(23, Buffer.alloc(9))), [
    'message 2',
    'message 2',
    'encrypted',
  ])
  t.same(kinds(new HandshakeReader(), change, record(22, message(11, Buffer.alloc(9)))), ['encrypted'])
  t.same(kinds(new HandshakeReader(), change, record(22, message(1, Buffer.alloc(9)))), ['message 1'])
})

t.test('text, and a message that nobody sends', async (t) => {
  t.same(kinds(new HandshakeReader(), Buffer.from('220 hello\r\n')), ['unreadable'])
  t.same(kinds(new HandshakeReader(), record(22, Buffer.from([11, 255, 255, 255]))), ['unreadable'])
})

t.test('a ServerHello', async (t) => {
  t.match(readServerHello(serverHello('', '00170000')), {
    version: 0x0303,
    cipherSuite: 0x1302,
    extensions: [23],
    retry: false,
  })
  t.match(readServerHello(serverHello(RETRY, '002b00020304')), { version: 0x0304, extensions: [43], retry: true })
  t.match(readServerHello(serverHello('', '').subarray(0, 38)), { extensions: [] }, 'without extensions')
  t.equal(readServerHello(Buffer.alloc(30)), undefined)
})

t.test('the certificates of a Certificate message', async (t) => {
  t.same(readCertificateList(Buffer.from('000009000002aabb000001cc', 'hex')), [
    Buffer.from('aabb', 'hex'),
    Buffer.from('cc', 'hex'),
  ])
  t.same(readCertificateList(Buffer.from('000000', 'hex')), [])
  t.same(readCertificateList(Buffer.from('000009000009aa', 'hex')), [], 'cut short')
  t.equal(HANDSHAKE.certificate, 11)
})

t.test('the authorities of a CertificateRequest', async (t) => {
  const names = '0008' + '0002aabb' + '0002ccdd'
  t.same(readAuthorities(Buffer.from(`0101${'0002' + '0403'}${names}`, 'hex'), 0x0303), { count: 2, octets: 8 })
  t.same(readAuthorities(Buffer.from(`0101${names}`, 'hex'), 0x0302), { count: 2, octets: 8 }, 'before TLS 1.2')
  t.equal(readAuthorities(Buffer.from('0101', 'hex'), 0x0303), undefined)
  t.equal(readAuthorities(Buffer.alloc(0), 0x0303), undefined)
})
