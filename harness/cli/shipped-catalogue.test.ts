import t from 'tap'
import { knownNames } from '../catalogue.ts'
import { check } from './check.ts'

t.test('the shipped scenarios and waiting lists name only what exists', async (t) => {
  const { text, ok } = await check([], await knownNames())
  t.ok(ok, text)
})
