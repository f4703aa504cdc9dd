import t from 'tap'
import type { BehaviourContext } from '../behaviour.ts'
import { isVisited, visitsParameter } from './visits.ts'

function context(visit: number, memory = new Map<string, unknown>(), random = 0.5): BehaviourContext {
  return { visit, memory, random: () => random, clientAddress: '198.18.0.1', hostName: 'mx.badmx.test' }
}

function chosen(visits: string): number[] {
  return [1, 2, 3, 4, 5, 6].filter((visit) => isVisited(visitsParameter.parse(visits), context(visit)))
}

t.test('visits that are chosen', async (t) => {
  const table: readonly [string, readonly number[]][] = [
    ['all', [1, 2, 3, 4, 5, 6]],
    ['odd', [1, 3, 5]],
    ['even', [2, 4, 6]],
    ['1', [1]],
    ['2-3', [2, 3]],
    ['4-', [4, 5, 6]],
  ]
  for (const [visits, want] of table) t.same(chosen(visits), want, visits)
})

t.test('half takes one of each two, whatever is drawn', async (t) => {
  const table: readonly [readonly number[], readonly number[]][] = [
    [
      [0.1, 0.9, 0.9, 0.1],
      [1, 4],
    ],
    [
      [0.9, 0.1, 0.1, 0.9],
      [2, 3],
    ],
  ]
  for (const [draws, want] of table) {
    const memory = new Map<string, unknown>()
    const got = draws
      .map((draw, at) => isVisited('half', context(at + 1, memory, draw)))
      .flatMap((yes, at) => (yes ? [at + 1] : []))
    t.same(got, want, draws.join(' '))
  }
})

t.test('what is no choice is refused', async (t) => {
  for (const visits of ['0', '-3', 'some', '3-2-1', '']) t.notOk(visitsParameter.safeParse(visits).success, visits)
})
