import t from 'tap'
import { Sequencer } from './sequencer.ts'
import type { Reply } from './units.ts'

function reply(id: number | null, text: string, last = true): Reply {
  return { type: 'reply', id, code: 250, bytes: Buffer.from(text), last, secured: false }
}

/** Offers the replies in order and tells what left after each. */
function offered(sequencer: Sequencer, replies: readonly Reply[]): string[] {
  return replies.map((each) =>
    sequencer
      .offer(each)
      .map(({ bytes }) => bytes.toString())
      .join(''),
  )
}

t.test('replies leave in the order of their commands', (t) => {
  const sequencer = new Sequencer()
  for (const id of [1, 2, 3]) sequencer.expect(id)
  t.strictSame(offered(sequencer, [reply(2, 'b'), reply(0, 'banner'), reply(3, 'c'), reply(1, 'a')]), [
    '',
    'banner',
    '',
    'abc',
  ])
  t.end()
})

t.test('an interim reply leaves when its command is the oldest, and does not end it', (t) => {
  const sequencer = new Sequencer()
  sequencer.expect(1)
  sequencer.expect(2)
  const order = [reply(0, '-'), reply(2, 'x', false), reply(1, 'i', false), reply(1, 'f'), reply(2, 'y')]
  t.strictSame(offered(sequencer, order), ['-', '', 'i', 'fx', 'y'])
  t.end()
})

t.test('what nobody asked for, or was answered before, leaves at once', (t) => {
  const sequencer = new Sequencer()
  sequencer.expect(1)
  t.strictSame(offered(sequencer, [reply(null, 'u'), reply(0, '-'), reply(0, 'again'), reply(1, 'a')]), [
    'u',
    '-',
    'again',
    'a',
  ])
  t.end()
})

t.test('an empty final reply lets the next one go', (t) => {
  const sequencer = new Sequencer()
  for (const id of [1, 2]) sequencer.expect(id)
  t.strictSame(offered(sequencer, [reply(0, '-'), reply(2, 'b'), reply(1, '')]), ['-', '', 'b'])
  t.end()
})
