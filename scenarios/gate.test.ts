import t from 'tap'
import { Gate } from './gate.ts'

t.test('places are given in order, and taken back', async (t) => {
  const gate = new Gate(2)
  const [first, second] = [await gate.enter(), await gate.enter()]
  const order: string[] = []
  const noted = async (name: string): Promise<() => void> => {
    const leave = await gate.enter()
    order.push(name)
    return leave
  }
  const [third, fourth] = [noted('third'), noted('fourth')]
  await Promise.resolve()
  t.strictSame(order, [], 'there is no place yet')
  first()
  first()
  ;(await third)()
  ;(await fourth)()
  t.strictSame(order, ['third', 'fourth'], 'what is given back twice is one place')
  second()
})

t.test('who waits for long gives the place to another', async (t) => {
  const gate = new Gate(1)
  const leave = await gate.enter()
  const began = performance.now()
  const next = await gate.enter()
  t.ok(performance.now() - began > 500, 'after a second or so')
  leave()
  next()
})
