import t from 'tap'
import { play, reply, show } from './playbook.ts'
import { behaviour } from './replace-banner.ts'

const BANNER = '220 mx ESMTP\r\n'

t.test('another banner', async (t) => {
  const table: readonly [object, string, number][] = [
    [{}, `220 ${'*'.repeat(40)}\r\n`, 220],
    [{ banner: '220\r\n' }, '220\r\n', 220],
    [{ banner: '220 {host} ready\r\n' }, '220 mx.badmx.test ready\r\n', 220],
    [{ banner: '220-a\r\n220 b\r\n' }, '220-a\r\n220 b\r\n', 220],
    [{ banner: 'SSH-2.0-x\r\n' }, 'SSH-2.0-x\r\n', 0],
  ]
  for (const [parameters, want, code] of table) {
    const outputs = play(behaviour, parameters, [reply(0, BANNER)])
    const quoted = JSON.stringify(want)
    t.same(show(outputs), [
      'opportunity the banner',
      `fired sent ${quoted} was ${JSON.stringify(BANNER)}`,
      `reply 0 ${quoted}`,
    ])
    t.match(outputs[2], { code, last: true })
  }
})

t.test('silent for other replies and inside TLS', async (t) => {
  for (const event of [reply(1, BANNER), reply(null, BANNER), reply(0, BANNER, true)])
    t.same(play(behaviour, {}, [event]), [event])
})
