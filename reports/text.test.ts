import t from 'tap'
import { HOSTILE } from './test/sample-record.ts'
import { clip, columns, count, group, jsonText, listed, padEnd, visible, visibleOctets, wrap } from './text.ts'

t.test('visible: what steers, hides or reorders becomes a mark; the rest stays', async (t) => {
  for (const [text, want] of [
    ['250 ok', '250 ok'],
    ['grüße 世界 🙂', 'grüße 世界 🙂'],
    ['a\tb\r\nc', 'a␉b␍␊c'],
    ['\u0000\u001b[31m\u007f', '␀␛[31m␡'],
    ['\u009b2J', '‹U+009B›2J'],
    ['\u202eevil\u2066\u200b\ufeff', '‹U+202E›evil‹U+2066›‹U+200B›‹U+FEFF›'],
    ['\u2028\u2029', '‹U+2028›‹U+2029›'],
    ['\ud800x\udc00', '‹U+D800›x‹U+DC00›'],
    ['\ufffe\u{1fffe}\ufdd0', '‹U+FFFE›‹U+1FFFE›‹U+FDD0›'],
    ['\u{e0041}', '‹U+E0041›'],
  ] as const) {
    t.equal(visible(text), want)
  }
  t.equal(visible(visible(HOSTILE)), visible(HOSTILE), 'and it can be done twice')
})

t.test('visibleOctets: UTF-8 where it is, else each high octet as a mark', async (t) => {
  t.equal(visibleOctets(Buffer.from('grüße \u202e', 'utf8')), 'grüße ‹U+202E›')
  t.equal(visibleOctets(Buffer.from('\ufeffx', 'utf8')), '‹U+FEFF›x', 'a byte order mark is not swallowed')
  t.equal(visibleOctets(Buffer.from([0x61, 0xff, 0x80, 0xad, 0x0d, 0x62])), 'a‹ff›‹80›‹ad›␍b')
})

t.test('jsonText is the same value, without anything that steers or ends a script', async (t) => {
  const value = { text: HOSTILE, list: ['<!-- ', 1, null], ok: 'a < b' }
  for (const text of [jsonText(value), jsonText(value, 2)]) {
    t.strictSame(JSON.parse(text), value)
    t.notMatch(text, /<[/!]/)
    t.equal(visible(text.replaceAll('\n', '')), text.replaceAll('\n', ''), 'nothing in it needs a mark')
    t.match(text, 'a < b', 'what is harmless stays readable')
  }
})

t.test('columns, padEnd, wrap', async (t) => {
  t.equal(columns('世a\u0301🙂'), 5)
  t.equal(padEnd('世', 4), '世  ')
  t.strictSame(wrap('', 10), [''])
  t.strictSame(wrap('one two three', 7), ['one two', 'three'])
  t.strictSame(wrap('abcdefghij kl', 4), ['abcd', 'efgh', 'ij', 'kl'])
  t.strictSame(wrap('世界世界', 5), ['世界', '世界'])
  for (let width = 1; width < 30; width++) {
    const lines = wrap('some words, averyveryverylongword and more', width)
    t.ok(
      lines.every((line) => columns(line) <= width),
      `${width} columns`,
    )
    t.equal(lines.join('').replaceAll(' ', ''), 'somewords,averyveryverylongwordandmore', 'nothing is lost')
  }
})

t.test('small words', async (t) => {
  t.equal(count(1, 'scenario'), '1 scenario')
  t.equal(count(12345, 'scenario'), '12,345 scenarios')
  t.equal(group(1234567), '1,234,567')
  t.equal(listed(['a', 'b', 'c']), 'a, b and c')
  t.equal(listed(['a']), 'a')
  t.equal(clip('abcdef', 6), 'abcdef')
  t.equal(clip('abcdef', 2), 'ab… [4 more]')
})
