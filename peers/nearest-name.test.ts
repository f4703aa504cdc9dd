import t from 'tap'
import { nearestName, nearestNames } from './nearest-name.ts'

const names = ['hide-starttls', 'refuse-starttls', 'mask-banner', 'stack', 'source', 'title']

t.test('misspellings find what was meant', async (t) => {
  t.equal(nearestName('hide-startls', names), 'hide-starttls')
  t.equal(nearestName('Hide-STARTTLS', names), 'hide-starttls')
  t.equal(nearestName('stakc', names), 'stack', 'a swap of neighbours is one step')
  t.equal(nearestName('tilte', names), 'title')
  t.equal(nearestName('banner', names), 'mask-banner', 'a part of a name')
})

t.test('nothing near: no guess', async (t) => {
  t.equal(nearestName('quux', names), undefined)
  t.equal(nearestName('', names), undefined)
  t.equal(nearestName('x', []), undefined)
})

t.test('several, nearest first, each once', async (t) => {
  t.same(nearestNames('starttls', [...names, 'hide-starttls'], 5), ['hide-starttls', 'refuse-starttls'])
  t.same(nearestNames('aa', ['ac', 'ab'], 1), ['ab'], 'ties by the alphabet')
})
