import t from 'tap'
import { attribute, fragment, text } from './markup.ts'
import { HOSTILE } from './test/sample-record.ts'

t.test('no text is markup, and none hides', async (t) => {
  t.equal(text('<b a="1">&amp;\u202e\u0000'), '&lt;b a=&quot;1&quot;&gt;&amp;amp;‹U+202E›␀')
  t.equal(attribute('title', '"><script>'), ' title="&quot;&gt;&lt;script&gt;"')
  t.notMatch(text(HOSTILE), /[<>"]|[^\P{C}]/u)
})

t.test('a fragment leads to its place, whatever that is called', async (t) => {
  t.equal(fragment('cell/strip/strip-ehlo-omit/may/curl'), '#cell/strip/strip-ehlo-omit/may/curl')
  t.equal(fragment('cell/a b?c#1'), '#cell/a%20b%3Fc%231')
  t.doesNotThrow(() => fragment(HOSTILE), 'lone surrogates are made visible first')
})
