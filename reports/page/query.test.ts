import t from 'tap'
import { matches, parseQuery, type Subject, toggled } from './query.ts'

const CELL: Subject = {
  client: 'postfix@trixie',
  policy: 'may',
  verdict: 'leak',
  family: 'strip',
  scenario: 'strip/strip-ehlo-omit',
  title: 'EHLO reply without STARTTLS',
  severity: 'critical',
  flags: ['leak.credentials-clear', 'downgrade.same-connection'],
  is: ['finding', 'different'],
}

t.test('every word must hold', async (t) => {
  for (const [query, want] of [
    ['', true],
    ['  ', true],
    ['client:postfix verdict:leak policy:may is:different', true],
    ['client:postfix@trixie', true],
    ['client:post', false],
    ['verdict:leak policy:verify', false],
    ['verdict:pass,leak', true],
    ['VERDICT:Leak', true],
    ['-verdict:pass', true],
    ['-verdict:leak', false],
    ['-verdict:pass,leak', false],
    ['is:known', false],
    ['severity:critical family:strip', true],
    ['scenario:ehlo-omit', true],
    ['flag:leak.', true],
    ['flag:inject', false],
    ['starttls', true],
    ['"without starttls"', true],
    ['"without  starttls"', false],
    ['-omit', false],
    ['nobody:knows', false],
    ['verdict:', true],
    ['client:"postfix@trixie"', true],
    ['verdict:"leak', true],
    ['-', true],
  ] as const)
    t.equal(matches(CELL, parseQuery(query)), want, query)
})

t.test('a term is put in and taken out', async (t) => {
  t.equal(toggled('', 'verdict:leak'), 'verdict:leak')
  t.equal(toggled('client:curl  verdict:leak', 'verdict:leak'), 'client:curl')
  t.equal(toggled('client:curl', 'verdict:leak'), 'client:curl verdict:leak')
})
