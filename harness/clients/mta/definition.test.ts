import t from 'tap'
import { policiesByDomain } from './definition.ts'

t.test('each domain has the policy of its cell, and may where DANE is switched off for it', (t) => {
  const foreseen = [
    { cell: 'a', domain: 'a.dane.badmx.test', policy: 'dane' as const },
    { cell: 'b', domain: 'b.dane.badmx.test', policy: 'dane' as const, withoutDane: 'b.dane.badmx.test' },
    { cell: 'c', domain: 'c.dane.badmx.test', policy: 'dane' as const, withoutDane: 'below.c.dane.badmx.test' },
  ]
  t.same(policiesByDomain(foreseen), [
    ['a.dane.badmx.test', 'dane'],
    ['b.dane.badmx.test', 'may'],
    ['c.dane.badmx.test', 'dane'],
    ['below.c.dane.badmx.test', 'may'],
  ])
  t.end()
})
