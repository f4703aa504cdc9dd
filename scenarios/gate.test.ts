import t from 'tap'
import { Gate, Turn } from './gate.ts'

t.test('places are given in order, and taken back', async (t) => {
  const gate = new Gate(2, 'held')
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
  const gate = new Gate(1, 'while-busy')
  const leave = await gate.enter()
  const began = performance.now()
  const next = await gate.enter()
  t.ok(performance.now() - began > 500, 'after a second or so')
  leave()
  next()
})

t.test('who comes back goes before those that never were there', async (t) => {
  const gate = new Gate(1, 'held')
  const turn = await Turn.take(gate)
  const order: string[] = []
  const noted = async (name: string): Promise<void> => {
    const leave = await gate.enter()
    order.push(name)
    leave()
  }
  const held = gate.enter()
  const others = [noted('second'), noted('third')]
  let free: (() => void) | undefined
  const back = turn
    .aside(async () => {
      free = await held
    })
    .then(() => {
      order.push('back')
      turn.leave()
    })
  await held
  await Promise.resolve()
  free?.()
  await Promise.all([back, ...others])
  t.strictSame(order, ['back', 'second', 'third'])
})

t.test('who steps aside gets a place again', async (t) => {
  const gate = new Gate(1, 'held')
  const turn = await Turn.take(gate)
  let entered = false
  await turn.aside(async () => {
    const other = await gate.enter()
    entered = true
    other()
  })
  t.ok(entered)
  turn.leave()
  ;(await gate.enter())()
})

t.test('who comes back goes before who has not begun', async (t) => {
  const gate = new Gate(1, 'held')
  const leave = await gate.enter()
  const order: string[] = []
  const noted = async (name: string, from: 'begin' | 'return'): Promise<void> => {
    const done = await gate.enter(from)
    order.push(name)
    done()
  }
  const all = [noted('new', 'begin'), noted('another', 'begin'), noted('back', 'return')]
  leave()
  await Promise.all(all)
  t.strictSame(order, ['back', 'new', 'another'])
})

t.test('a turn rests when its cell waits, and when it is over', async (t) => {
  const gate = new Gate(2, 'held')
  const [waits, ends] = [await Turn.take(gate), await Turn.take(gate)]
  const rested: string[] = []
  void waits.rest.then(() => rested.push('waits'))
  void ends.rest.then(() => rested.push('ends'))
  await Promise.resolve()
  t.strictSame(rested, [], 'nobody rests at work')
  let over = (): void => {}
  const aside = waits.aside(() => new Promise((resolve) => (over = resolve)))
  await waits.rest
  t.strictSame(rested, ['waits'])
  over()
  await aside
  ends.leave()
  await ends.rest
  t.strictSame(rested, ['waits', 'ends'])
})
