import t from 'tap'
import { Rc4 } from './rc4.ts'

/** RFC 6229 §2: key, offset of the key stream, 16 octets of it. */
const VECTORS: readonly (readonly [key: string, offset: number, stream: string])[] = [
  ['0102030405', 0, 'b2396305f03dc027ccc3524a0a1118a8'],
  ['0102030405', 16, '6982944f18fc82d589c403a47a0d0919'],
  ['0102030405', 4096, 'ff25b58995996707e51fbdf08b34d875'],
  ['01020304050607', 0, '293f02d47f37c9b633f2af5285feb46b'],
  ['0102030405060708', 0, '97ab8a1bf0afb96132f2f67258da15a8'],
  ['0102030405060708090a', 0, 'ede3b04643e586cc907dc21851709902'],
  ['0102030405060708090a0b0c0d0e0f10', 0, '9ac7cc9a609d1ef7b2932899cde41b97'],
  ['0102030405060708090a0b0c0d0e0f10', 240, '065902e4b620f6cc36c8589f66432f2b'],
  ['0102030405060708090a0b0c0d0e0f101112131415161718', 0, '0595e57fe5f0bb3c706edac8a4b2db11'],
  ['0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20', 0, 'eaa6bd25880bf93d3f5d1e4ca2611d91'],
  ['833222772a', 0, '80ad97bdc973df8a2e879e92a497efda'],
  ['ebb46227c6cc8b37641910833222772a', 0, '720c94b63edf44e131d950ca211a5a30'],
]

t.test('the key streams of RFC 6229', async (t) => {
  for (const [key, offset, stream] of VECTORS) {
    const cipher = new Rc4(Buffer.from(key, 'hex'))
    cipher.update(Buffer.alloc(offset))
    t.equal(cipher.update(Buffer.alloc(16)).toString('hex'), stream, `${key} at ${offset}`)
  }
})

t.test('in pieces it is the same as whole, and twice it is the text again', async (t) => {
  const key = Buffer.from('833222772a', 'hex')
  const text = Buffer.from('250 mx.badmx.test says hello\r\n'.repeat(20), 'latin1')
  const whole = new Rc4(key).update(text)
  const inPieces = new Rc4(key)
  const pieces = Buffer.concat(Array.from(text, (_, at) => inPieces.update(text.subarray(at, at + 1))))
  t.same(pieces, whole)
  t.same(new Rc4(key).update(whole), text)
})
