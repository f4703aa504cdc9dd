import { join } from 'node:path'
import t from 'tap'
import { check } from './check.ts'

const GOOD = `id: strip-mine
title: t
wire: w
source: [s]
severity: low
stack: [hide-starttls]
expect: { may: C }
flaw: { name: reconnect-cleartext, policy: may }
`
const known = { flaws: ['reconnect-cleartext'], certificates: ['good'] }

t.test('sound files', async (t) => {
  const folder = t.testdir({ 'strip-mine.yaml': GOOD })
  const file = join(folder, 'strip-mine.yaml')
  t.same(
    await check([file, file], known),
    { text: '1 scenario, no problem\n', ok: true },
    'one file named twice is one',
  )
})

t.test('problems as a compiler would say them', async (t) => {
  const folder = t.testdir({
    'strip-mine.yaml': GOOD.replace('reconnect', 'reconect').replace('severity', 'sevrity'),
    'strip-two.yaml': GOOD.replace('strip-mine', 'strip-two').replace('reconnect', 'reconect'),
  })
  const [mine, two, none] = ['strip-mine.yaml', 'strip-two.yaml', 'strip-none.yaml'].map((name) => join(folder, name))
  const { text, ok } = await check([mine ?? '', two ?? '', none ?? '', folder], known)
  t.equal(ok, false)
  t.same(text.split('\n'), [
    `${folder}:1:1: cannot be read: EISDIR`,
    `${mine}:1:1: "severity" is missing`,
    `${mine}:5:1: sevrity: unknown key "sevrity"; did you mean "severity"?`,
    `${none}:1:1: there is no such file`,
    `${two}:8:15: flaw.name: there is no flaw of the reference client "reconect-cleartext"; ` +
      'did you mean "reconnect-cleartext"?',
    '5 problems',
    '',
  ])
})

t.test('an id may be used once', async (t) => {
  const folder = t.testdir({ a: { 'strip-mine.yaml': GOOD }, b: { 'strip-mine.yaml': GOOD } })
  const files = ['a', 'b'].map((name) => join(folder, name, 'strip-mine.yaml'))
  const { text, ok } = await check(files, known)
  t.equal(ok, false)
  t.match(text, /b.strip-mine\.yaml:1:1: id: the id "strip-mine" is taken by .*a.strip-mine\.yaml/)
})
