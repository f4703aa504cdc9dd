import t from 'tap'
import { columns, wrapped } from './columns.ts'

t.test('columns', async (t) => {
  t.same(
    columns(
      [
        ['a', 'bb', 'c'],
        ['äää', '', ''],
        ['a', 'b', 'long text'],
      ],
      ' ',
    ),
    [' a    bb  c', ' äää', ' a    b   long text'],
  )
  t.same(columns([]), [])
})

t.test('wrapped', async (t) => {
  t.same(wrapped('one two  three\nfour', 9), ['one two', 'three', 'four'])
  t.same(wrapped('immeasurable x', 5), ['immeasurable', 'x'])
  t.same(wrapped('', 5), [])
})
