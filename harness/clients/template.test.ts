import t from 'tap'
import { POLICIES } from '../../scenarios/policy.ts'
import { fillIn, splitWords, TemplateError } from './template.ts'
import { makeDelivery } from './testing/peer.ts'

t.test('words are split as a shell does', async (t) => {
  const cases: [string, string[]][] = [
    ['', []],
    ['  a  b\tc\n', ['a', 'b', 'c']],
    [`'a b' "c d"`, ['a b', 'c d']],
    [`a'b'"c"d`, ['abcd']],
    [`'' ""`, ['', '']],
    [String.raw`a\ b \'`, ['a b', "'"]],
    [String.raw`"a\"b" "a\nb" 'a\b'`, ['a"b', String.raw`a\nb`, String.raw`a\b`]],
    [`sh -c 'a | b > c; $d'`, ['sh', '-c', 'a | b > c; $d']],
    ['x={port} {"json":1}'.replace(/"/g, '\\"'), ['x={port}', '{"json":1}']],
    ['trailing\\', ['trailing\\']],
  ]
  for (const [text, words] of cases) t.same(splitWords(text), words, text)
})

t.test('what needs a shell, or is a slip, is told with its place', async (t) => {
  const cases: [string, number, RegExp][] = [
    ['a | b', 2, /no shell/],
    ['a >b', 2, /no shell/],
    ['a $HOME', 2, /no shell/],
    ['a "$HOME"', 3, /no shell/],
    ['a `b`', 2, /no shell/],
    [`a 'b`, 2, /never closed/],
    ['a {prot}', 2, /did you mean \{port\}/],
    ['a {nonsense}', 2, /want one of name, host/],
  ]
  for (const [text, at, message] of cases) {
    try {
      splitWords(text)
      t.fail(`no error for ${text}`)
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error
      t.equal(error.at, at, text)
      t.match(error.message, message)
    }
  }
})

t.test('placeholders are filled in after the splitting', async (t) => {
  const delivery = await makeDelivery(t, 25, {
    ...{ from: 'a b@x', to: ['{from}', '$(c)'], credentials: { user: 'u', password: 'p\'"$& q' } },
  })
  const words = splitWords('prog {name} {host}:{port} -f{from} --rcpt={to} {message} {user}/{password} [{key}] {to}')
  t.same(fillIn(words, delivery, '/m.eml'), [
    ...['prog', 'mx.cell.badmx.test', '127.0.0.1:25', '-fa b@x', '--rcpt={from}', '--rcpt=$(c)', '/m.eml'],
    ...[`u/p'"$& q`, '[]', '{from}', '$(c)'],
  ])
  const options = splitWords('-r {to} -f {from} {to} --rcpt {to} -- {to}')
  t.same(fillIn(options, { ...delivery, from: 'f', to: ['1', '2'] }, ''), [
    ...['-r', '1', '-r', '2', '-f', 'f', '1', '2', '--rcpt', '1', '--rcpt', '2', '--', '1', '2'],
  ])
  for (const policy of POLICIES) t.same(fillIn(['{policy}'], { ...delivery, policy }, ''), [policy])
})
