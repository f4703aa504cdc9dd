import t from 'tap'
import { select } from './select.ts'
import { sampleScenario } from './test/sample-scenario.ts'

const scenarios = [
  sampleScenario('strip-reply-454', { severity: 'critical' }),
  sampleScenario('strip-reply-rst'),
  sampleScenario('strip-cmd-noop', { severity: 'low' }),
  sampleScenario('cert-expired'),
]
const chosen = (...only: string[]) => select(scenarios, only).map((scenario) => scenario.id)

t.test('patterns', async (t) => {
  const table: readonly (readonly [readonly string[], readonly string[]])[] = [
    [[], ['strip-reply-454', 'strip-reply-rst', 'strip-cmd-noop', 'cert-expired']],
    [['cert-expired'], ['cert-expired']],
    [['strip/strip-reply-rst'], ['strip-reply-rst']],
    [['strip'], ['strip-reply-454', 'strip-reply-rst', 'strip-cmd-noop']],
    [['strip/strip-reply-*'], ['strip-reply-454', 'strip-reply-rst']],
    [['*-rst'], ['strip-reply-rst']],
    [['strip-reply-???'], ['strip-reply-454', 'strip-reply-rst']],
    [['severity:critical'], ['strip-reply-454']],
    [
      ['cert', 'severity:low', 'cert-expired'],
      ['strip-cmd-noop', 'cert-expired'],
    ],
  ]
  for (const [only, want] of table) t.same(chosen(...only), want, only.join(' '))
})

t.test('a pattern that matches nothing is an error, also beside one that does', async (t) => {
  t.throws(() => chosen('cert', 'strip-reply-455'), {
    code: 'nothing-matched',
    message: 'no scenario matches "strip-reply-455"; did you mean "strip-reply-454" or "strip-reply-rst"?',
    nearest: ['strip-reply-454', 'strip-reply-rst'],
  })
  t.throws(() => chosen('stirp'), { code: 'nothing-matched', message: /did you mean "strip"/ })
  t.throws(() => chosen('severity:crit'), { code: 'nothing-matched' })
  t.throws(() => chosen('strip/cert-*'), { code: 'nothing-matched' })
  t.throws(() => chosen('a.*'), { code: 'nothing-matched' }, 'a dot is a dot')
})

t.test('one that waits says why', async (t) => {
  const waiting = [{ id: 'dane-bogus', reason: 'it needs name servers' }]
  for (const pattern of ['dane-bogus', 'dns/dane-bogus'])
    t.throws(() => select(scenarios, [pattern], waiting), {
      message: `"dane-bogus" cannot be run yet: it needs name servers`,
    })
})
