import t from 'tap'
import { loadFormats } from './format.ts'
import { HOSTILE_RECORD, record, SAMPLE } from './test/sample-record.ts'

t.test('every file of the folder is a format of its own name', async (t) => {
  const formats = await loadFormats()
  t.strictSame([...formats.keys()], ['html', 'json', 'junit', 'markdown', 'tap'])
  t.equal(
    new Set([...formats.values()].map((format) => format.file)).size,
    formats.size,
    'files have names of their own',
  )
})

t.test('every format: one text per record, no octet that steers a terminal, empty records too', async (t) => {
  for (const format of (await loadFormats()).values()) {
    for (const one of [SAMPLE, HOSTILE_RECORD, record([]), record([], { clients: [] })]) {
      const text = format.render(one)
      t.equal(format.render(one), text, `${format.id} is deterministic`)
      t.match(text, /[^\n]\n$/, `${format.id} ends in one line feed`)
      t.notMatch(text, /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u, `${format.id} has nothing that steers`)
    }
  }
})
