import t from 'tap'
import { alternativesOf, checkExpectation, type Letter, match, parseExpectation } from './expectation.ts'

const alternatives = (text: string, cached = false) => {
  const parse = parseExpectation(text)
  if (!parse.ok) throw new Error(parse.message)
  return alternativesOf(parse.expectation, cached)
}

t.test('every form of the catalogue is read', (t) => {
  t.strictSame(
    alternatives('V|D').map(({ text }) => text),
    ['V', 'D'],
  )
  t.strictSame(alternatives('D>C|C|D')[0], { tolerated: false, first: 'D', final: 'C', text: 'D>C' })
  t.strictSame(alternatives('w:C')[0], { tolerated: true, first: 'C', final: 'C', text: 'w:C' })
  t.strictSame(
    alternatives('w:U|w:V|D>C|D').map(({ text }) => text),
    ['w:U', 'w:V', 'D>C', 'D'],
  )
  t.strictSame(alternatives('-'), [])
  t.strictSame(
    alternatives('C~D').map(({ text }) => text),
    ['C'],
  )
  t.strictSame(
    alternatives('C~D', true).map(({ text }) => text),
    ['D'],
  )
  t.end()
})

t.test('a mistake has its place and what was wanted there', (t) => {
  const table: readonly [string, string][] = [
    ['', 'character 1 of "": got the end, want one of V U C D B, or "w:"'],
    ['X', 'character 1 of "X": got "X", want one of V U C D B, or "w:"'],
    ['V|', 'character 3 of "V|": got the end, want one of V U C D B, or "w:"'],
    ['V||D', 'character 3 of "V||D": got "|", want one of V U C D B, or "w:"'],
    ['D>', 'character 3 of "D>": got the end, want one of V U C D B'],
    ['D>C>V', 'character 4 of "D>C>V": got ">", want "|", ">", "~" or the end of the cell'],
    ['w:', 'character 3 of "w:": got the end, want one of V U C D B'],
    ['V D', 'character 2 of "V D": got " ", want "|", ">", "~" or the end of the cell'],
    ['C~D~V', 'character 4 of "C~D~V": got "~", want the end of the cell'],
    ['-|V', 'character 1 of "-|V": got "-", want one of V U C D B, or "w:"'],
  ]
  for (const [text, message] of table) t.equal(checkExpectation(text), message)
  t.equal(checkExpectation('D>C|C|D'), undefined)
  t.end()
})

t.test('the truth table of matching', (t) => {
  type Row = readonly [cell: string, first: Letter, final: Letter | 'unknown', oneShot: boolean, by: string]
  const table: readonly Row[] = [
    ['V|D', 'V', 'V', true, 'V'],
    ['V|D', 'D', 'D', true, 'D'],
    ['V|D', 'U', 'U', true, 'first U of V,D'],
    ['D>C', 'D', 'D', true, 'D>C'],
    ['D>C', 'D', 'D', false, 'final D of C'],
    ['D>C', 'D', 'unknown', false, 'D>C'],
    ['D>C', 'D', 'C', false, 'D>C'],
    ['D>C', 'C', 'C', true, 'first C of D'],
    ['D>C', 'C', 'C', false, 'first C of D'],
    ['D>C', 'D', 'V', false, 'final V of C'],
    ['D', 'D', 'unknown', false, 'D'],
    ['D', 'D', 'V', false, 'final V of D'],
    ['D>V|D>C', 'D', 'C', false, 'D>C'],
    ['V|w:C', 'C', 'C', true, 'w:C'],
    ['w:C|C', 'C', 'C', true, 'C'],
    ['D|w:B', 'B', 'B', false, 'w:B'],
    ['D', 'B', 'B', false, 'first B of D'],
    ['B', 'D', 'D', true, 'B'],
    ['B', 'D', 'D', false, 'first D of B'],
    ['V', 'D', 'D', true, 'first D of V'],
    ['D>C|C|D', 'C', 'C', true, 'C'],
    ['V|D', 'D', 'V', false, 'V'],
    ['C|D', 'D', 'C', false, 'C'],
    ['V|D|w:C', 'D', 'C', false, 'w:C'],
    ['B|D', 'D', 'B', false, 'B'],
    ['V|D', 'D', 'C', false, 'final C of D'],
    ['D|D>V', 'D', 'C', false, 'final C of D,V'],
  ]
  for (const [cell, first, final, oneShot, by] of table) {
    const found = match(alternatives(cell), { first, final, oneShot })
    const said = found.matched ? found.by.text : `${found.stage} ${found.got} of ${found.allowed.join(',')}`
    t.equal(said, by, `${cell}: ${first} then ${final}${oneShot ? ', one-shot' : ''}`)
  }
  t.end()
})
