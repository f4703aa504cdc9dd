import t from 'tap'
import { seeded } from '../random.ts'
import {
  canonical,
  childOf,
  countLabels,
  isWithin,
  labelsOf,
  lastLabels,
  nameOf,
  parentOf,
  parseName,
  readName,
  sortKey,
  wireName,
} from './name.ts'

t.test('written names', async (t) => {
  const table: readonly [string, string][] = [
    ['.', '.'],
    ['test', 'test'],
    ['MX.badmx.test.', 'MX.badmx.test'],
    ['_25._tcp.mx.badmx.test', '_25._tcp.mx.badmx.test'],
    ['*.badmx.test', '*.badmx.test'],
    ['a\\.b.test', 'a\\046b.test'],
    ['a\\046b.test', 'a\\046b.test'],
    ['\\065.test', 'A.test'],
    ['a\\\\b.test', 'a\\092b.test'],
    ['a b.test', 'a\\032b.test'],
    ['a/26.test', 'a/26.test'],
  ]
  for (const [written, want] of table) t.equal(parseName(written), want, written)
  for (const wrong of ['', '..', 'a..b', '.a', 'a\\', 'a\\256', 'é€.test', 'x'.repeat(64), `${'a.'.repeat(127)}bc`])
    t.throws(() => parseName(wrong), { code: 'zone' }, JSON.stringify(wrong))
  t.equal(parseName(`${'a.'.repeat(126)}a`).length, 253, '255 octets on the wire fit')
})

t.test('every octet survives text and wire', async (t) => {
  const labels = Array.from({ length: 16 }, (_, row) =>
    String.fromCharCode(...Array.from({ length: 16 }, (_, column) => row * 16 + column)),
  )
  for (const half of [labels.slice(0, 8), labels.slice(8)]) {
    const name = nameOf(half)
    t.same(labelsOf(name), half)
    t.equal(readName(wireName(name), 0).name, name)
    t.equal(parseName(name), name)
    t.equal(countLabels(name), 8)
  }
})

t.test('parts of names', async (t) => {
  t.equal(parentOf('a.b.test'), 'b.test')
  t.equal(parentOf('test'), '.')
  t.equal(parentOf('.'), '.')
  t.equal(childOf('.', 'test'), 'test')
  t.equal(childOf('test', 'a'), 'a.test')
  t.equal(lastLabels('a.b.test', 2), 'b.test')
  t.equal(lastLabels('a.b.test', 3), 'a.b.test')
  t.equal(lastLabels('a.b.test', 0), '.')
  t.equal(countLabels('.'), 0)
  t.equal(canonical('MX.Test'), 'mx.test')
  t.ok(isWithin('a.b.test', 'b.test'))
  t.ok(isWithin('b.test', 'b.test'))
  t.ok(isWithin('b.test', '.'))
  t.notOk(isWithin('ab.test', 'b.test'), 'labels, not letters')
  t.notOk(isWithin(parseName('a\\.b.test'), 'b.test'), 'a dot inside a label parts nothing')
  t.notOk(isWithin('test', 'b.test'))
})

t.test('canonical order: the example of RFC 4034 §6.1', async (t) => {
  const ordered = [
    'example',
    'a.example',
    'yljkjljk.a.example',
    'Z.a.example',
    'zABC.a.EXAMPLE',
    'z.example',
    '\\001.z.example',
    '*.z.example',
    '\\200.z.example',
  ]
  const random = seeded(1, 'order')
  const shuffled = ordered.map((name) => ({ name, at: random() })).sort((a, b) => a.at - b.at)
  t.same(
    shuffled.map(({ name }) => name).sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1)),
    ordered,
  )
})

t.test('names that are none', async (t) => {
  const table: readonly [string, readonly number[]][] = [
    ['nothing', []],
    ['no end', [1, 97]],
    ['a label that runs over', [5, 97, 0]],
    ['half a pointer', [0xc0]],
    ['a pointer to itself', [0xc0, 0]],
    ['a pointer forward', [0xc0, 2, 0]],
    ['a label kind of RFC 2673', [0x41, 0, 0]],
    ['an unused label kind', [0x80, 0]],
    ['256 octets', [...Array.from({ length: 127 }, () => [1, 97]).flat(), 1, 97, 0]],
  ]
  for (const [what, octets] of table) t.throws(() => readName(Buffer.from(octets), 0), { code: 'dns-format' }, what)
  t.throws(() => readName(Buffer.from([1, 97, 0xc0, 0]), 0), { code: 'dns-format' }, 'a loop')
  t.same(readName(Buffer.from([1, 97, 0, 1, 98, 0xc0, 0]), 3), { name: 'b.a', next: 7 })
})
