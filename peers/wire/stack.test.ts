import t from 'tap'
import { Stack } from './stack.ts'
import type { Layer, Unit, WireEvent, WireOutput } from './units.ts'

function bytes(from: 'client' | 'server', text: string): Unit {
  return { type: 'bytes', from, bytes: Buffer.from(text) }
}

function textOf(event: { readonly type: string }): string {
  return 'bytes' in event ? String(event.bytes) : event.type
}

/** A layer that adds its letter to what passes, and keeps a list of what it saw. */
function tagging(letter: string, seen: string[]): Layer {
  return {
    on(event: WireEvent): readonly WireOutput[] {
      seen.push(`${letter}:${textOf(event)}`)
      return event.type === 'bytes' ? [{ ...event, bytes: Buffer.concat([event.bytes, Buffer.from(letter)]) }] : []
    },
  }
}

t.test('units pass every layer in their direction', (t) => {
  const left: string[] = []
  const stack = new Stack([tagging('a', []), tagging('b', [])], {
    toClient: (unit) => left.push(`client ${textOf(unit)}`),
    toServer: (unit) => left.push(`server ${textOf(unit)}`),
    effect: () => {},
  })
  stack.fromClient(bytes('client', '1'))
  stack.fromServer(bytes('server', '2'))
  t.strictSame(left, ['server 1ab', 'client 2ba'])
  t.end()
})

t.test('outputs are routed in the order of the layer, effects among them', (t) => {
  const order: string[] = []
  const layer: Layer = {
    on: (event) =>
      event.type === 'open'
        ? [bytes('server', 'first'), { type: 'fired', detail: 'x' }, bytes('client', 'second')]
        : [],
  }
  const stack = new Stack([layer], {
    toClient: (unit) => order.push(`client ${textOf(unit)}`),
    toServer: (unit) => order.push(`server ${textOf(unit)}`),
    effect: (output, at) => order.push(`${output.type} of ${at}`),
  })
  stack.all({ type: 'open' })
  t.strictSame(order, ['client first', 'fired of 0', 'server second'])
  t.end()
})

t.test('what a sink causes waits until the current event has been dealt with', (t) => {
  const order: string[] = []
  const stack = new Stack([tagging('a', order)], {
    toClient: (unit) => order.push(`client ${textOf(unit)}`),
    toServer: (unit) => {
      order.push(`server ${textOf(unit)}`)
      stack.fromServer(bytes('server', 'answer'))
      order.push('sink done')
    },
    effect: () => {},
  })
  stack.fromClient(bytes('client', 'ask'))
  t.strictSame(order, ['a:ask', 'server aska', 'sink done', 'a:answer', 'client answera'])
  t.end()
})

t.test('an alarm reaches its layer alone', (t) => {
  const seen: string[] = []
  const stack = new Stack([tagging('a', seen), tagging('b', seen)], {
    toClient: () => {},
    toServer: () => {},
    effect: () => {},
  })
  stack.one({ type: 'wake', alarm: 'x' }, 1)
  t.strictSame(seen, ['b:wake'])
  t.end()
})
