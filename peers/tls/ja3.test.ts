import t from 'tap'
import { readClientHello } from './client-hello.ts'
import { ja3, ja3Text } from './ja3.ts'

/** The two of the README of github.com/salesforce/ja3, and the one of its python/README.rst. */
const PUBLISHED = [
  ['769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0', 'ada70206e40642a3e4461f35503241d5'],
  ['769,4-5-10-9-100-98-3-6-19-18-99,,,', 'de350869b8c85de67a350c8d186f11e6'],
  [
    '769,255-49162-49172-136-135-57-56-49167-49157-132-53-49159-49161-49169-49171-69-68-51-50-49164-49166-49154-49156-150-65-4-5-47-49160-49170-22-19-49165-49155-65279-10,0-10-11-35,23-24-25,0',
    '2aef69b4ba1938c3a400de4188743185',
  ],
] as const

const numbers = (list: string): number[] => (list === '' ? [] : list.split('-').map(Number))
const two = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff])
const vector = (prefix: 1 | 2, content: Buffer): Buffer =>
  Buffer.concat([prefix === 1 ? Buffer.from([content.length]) : two(content.length), content])

/** A hello on the wire whose lists are those of a JA3 text. */
function onTheWire(text: string): Buffer {
  const [version = '', suites = '', extensions = '', groups = '', formats = ''] = text.split(',')
  const bodies: Readonly<Record<number, Buffer>> = {
    10: vector(2, Buffer.concat(numbers(groups).map(two))),
    11: vector(1, Buffer.from(numbers(formats))),
  }
  const list = numbers(extensions).map((type) => Buffer.concat([two(type), vector(2, bodies[type] ?? Buffer.alloc(0))]))
  const body = Buffer.concat([
    two(Number(version)),
    Buffer.alloc(33),
    vector(2, Buffer.concat(numbers(suites).map(two))),
    Buffer.from([1, 0]),
    ...(list.length === 0 ? [] : [vector(2, Buffer.concat(list))]),
  ])
  const message = Buffer.concat([Buffer.from([1, 0]), two(body.length), body])
  return Buffer.concat([Buffer.from([0x16, 3, 1]), two(message.length), message])
}

function helloOf(octets: Buffer) {
  const reading = readClientHello(octets)
  if (reading.state !== 'hello') throw new Error(`got ${reading.state}, want a hello`)
  return reading.hello
}

t.test('the published examples, read from the wire', async (t) => {
  for (const [text, hash] of PUBLISHED) {
    t.equal(ja3Text(helloOf(onTheWire(text))), text)
    t.equal(ja3(helloOf(onTheWire(text))), hash)
  }
})

t.test('values of RFC 8701 are left out, order matters', async (t) => {
  const plain = '771,4865-49195,0-10-11,29-23,0'
  const greased = '771,2570-4865-49195,6682-0-10-11-14906,19018-29-23,0'
  t.equal(ja3Text(helloOf(onTheWire(greased))), plain)
  t.not(ja3(helloOf(onTheWire('771,49195-4865,0-10-11,29-23,0'))), ja3(helloOf(onTheWire(plain))))
  const { pointFormats, ...older } = helloOf(onTheWire(plain))
  t.strictSame(pointFormats, [0])
  t.equal(ja3(older), undefined, 'a log of before does not tell')
})
