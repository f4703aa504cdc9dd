import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../peers/package-root.ts'
import { loadCatalogue } from './load.ts'
import { problemText } from './problem.ts'
import { sampleScenario } from './test/sample-scenario.ts'
import { checkWaiting, loadWaiting, readWaiting } from './waiting.ts'

const entry = (id: string) => `- id: ${id}\n  reason: it needs name servers\n  needs: dns\n`
const problems = (text: string) => readWaiting('w.yaml', text).problems.map(problemText)

t.test('a list', async (t) => {
  t.same(readWaiting('w.yaml', entry('dane-bogus')), {
    waiting: [{ id: 'dane-bogus', reason: 'it needs name servers', needs: 'dns', cases: [], file: 'w.yaml' }],
    problems: [],
  })
})

t.test('mistakes have their place', async (t) => {
  t.match(problems(entry('dane-a').replace('  reason: it needs name servers\n', '')), [
    /^w\.yaml:1:3: 0: "reason" is missing/,
  ])
  t.match(problems(entry('dane-a').replace('needs: dns', 'needs: [dns]')), [/^w\.yaml:3:10: 0\.needs: got a list/])
  t.match(problems(entry('dane-a') + entry('dane-a')), [/^w\.yaml:4:7: 1\.id: "dane-a" waits above already/])
  t.match(problems(entry('dame-a')), [/"dame-a" is of no family/])
  t.match(problems('[]'), [/>=1 items/])
})

t.test('several lists are one', async (t) => {
  const root = t.testdir({
    scenarios: {
      waiting: { 'a.yaml': entry('dns-b'), 'b.yaml': entry('dns-a'), 'c.yaml': entry('dns-b'), 'd.txt': '' },
    },
  })
  const { waiting, problems } = await loadWaiting(root)
  t.same(
    waiting.map(({ id }) => id),
    ['dns-a', 'dns-b'],
  )
  t.match(problems.map(problemText), [/c\.yaml:1:1: "dns-b" waits in .*a\.yaml already/, /d\.txt:1:1: not read/])
})

t.test('what can be run does not wait', async (t) => {
  const list = readWaiting('w.yaml', entry('strip-a') + entry('strip-b'))
  const loaded = { scenarios: [sampleScenario('strip-a')], problems: [] }
  t.match(checkWaiting(loaded, list).map(problemText), [/w\.yaml:1:1: "strip-a" can be run: .*strip-a\.yaml/])
  t.same(checkWaiting({ scenarios: [], problems: [] }, list), [])
})

t.test('every id of the catalogue either runs or waits with a reason', async (t) => {
  const file = join(packageRoot(), 'scenarios', 'test', 'catalogue-ids.json')
  const groups = JSON.parse(await readFile(file, 'utf8')) as Record<string, string[]>
  const catalogue = await loadCatalogue()
  const list = await loadWaiting()
  t.same(catalogue.problems.map(problemText), [], 'the catalogue can be read')
  t.same([...list.problems, ...checkWaiting(catalogue, list)].map(problemText), [], 'the lists can be read')
  const runs = new Set(catalogue.scenarios.map(({ id }) => id))
  const waits = new Set(list.waiting.map(({ id }) => id))
  t.equal(Object.values(groups).flat().length, 368)
  for (const [group, ids] of Object.entries(groups)) {
    t.same(
      ids.filter((id) => !runs.has(id) && !waits.has(id)),
      [],
      `${group}: nothing is forgotten`,
    )
    t.same(
      ids.filter((id) => runs.has(id) && waits.has(id)),
      [],
      `${group}: nothing is both`,
    )
  }
})
