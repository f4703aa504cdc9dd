import t from 'tap'
import { compareRecords } from './compare.ts'
import { renderComparisonHtml } from './compare-html.ts'
import { cell, HOSTILE, record, SAMPLE } from './test/sample-record.ts'

t.test('what got worse, with what was and what is', async (t) => {
  const leak = cell({ verdict: 'leak', reason: 'sent the password in clear' })
  const page = renderComparisonHtml(compareRecords(record([cell()]), record([leak, cell({ policy: 'may' })])))
  t.match(page, /<span class="exit e1">worse than before<\/span>/)
  t.match(page, /<h2>New leaks <small>1<\/small><\/h2>/)
  t.match(page, /✓<\/i> pass<\/span><span aria-label="became" role="img">→<\/span><span class="v leak">/)
  t.match(page, 'sent the password in clear')
  t.match(page, /<h2>Added <small>1<\/small><\/h2>/)
  t.match(page, /script-src 'none'/)
  t.equal(renderComparisonHtml(compareRecords(SAMPLE, SAMPLE)), renderComparisonHtml(compareRecords(SAMPLE, SAMPLE)))
  t.match(renderComparisonHtml(compareRecords(record([leak]), record([leak]))), 'nothing worse')
})

t.test('no text of a record is markup', async (t) => {
  const strange = { reason: HOSTILE, client: HOSTILE, scenario: `a/${HOSTILE}`, flags: [HOSTILE] }
  const [old, now] = [record([cell(strange)]), record([cell({ ...strange, verdict: 'leak' })])]
  const page = renderComparisonHtml(compareRecords(old, now))
  t.notMatch(page, /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
  t.notMatch(page, /<\/script>|<b>/)
})
