import { pathToFileURL } from 'node:url'
import t from 'tap'
import { loadDnsFaults } from './faults.ts'

const file = (id: string, parses = true) =>
  `export const fault = { id: '${id}', parameters: { safeParse: () => ({ success: ${parses} }) } }\n`

t.test('faults are found by listing; a file that breaks the rules is named', async (t) => {
  const folder = (files: Record<string, string>) =>
    pathToFileURL(`${t.testdir({ 'package.json': '{"type":"module"}', ...files })}/`)
  t.same(
    [
      ...(
        await loadDnsFaults(folder({ 'b-b.js': file('b-b'), 'a.js': file('a'), 'a.test.js': '?', 'a.d.ts': '?' }))
      ).keys(),
    ],
    ['a', 'b-b'],
  )
  await t.rejects(loadDnsFaults(folder({ 'c.js': file('d') })), {
    message: 'dns/faults/c.js: exports the fault d, want c',
  })
  await t.rejects(loadDnsFaults(folder({ 'e.js': 'export {}' })), { message: /exports the fault none/ })
  await t.rejects(loadDnsFaults(folder({ 'f.js': file('f', false) })), { message: /needs a default/ })
})

t.test('every shipped fault says what it is', async (t) => {
  const faults = await loadDnsFaults()
  t.ok(faults.size > 5)
  for (const { id, title, source } of faults.values()) {
    t.ok(title.length > 0 && !title.includes('\n'), `${id} has a title of one line`)
    t.ok(source.length > 0, `${id} has a source`)
  }
})
