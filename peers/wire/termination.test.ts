import t from 'tap'
import { command, reply, show } from '../behaviours/playbook.ts'
import { interceptTls, terminateTls, withKeyword, withoutKeyword } from './termination.ts'
import type { Layer, TlsState, Upgrade, WireEvent } from './units.ts'

const UPGRADE: Upgrade = { context: 'host', residue: 'drop' }
const EHLO_REPLY = '250-mx\r\n250-STARTTLS\r\n250 SIZE 10\r\n'

function play(layer: Layer, ...events: readonly WireEvent[]): string[] {
  return show(events.flatMap((event) => [...layer.on(event)]))
}

function tls(end: TlsState['end'], state: TlsState['state']): TlsState {
  return { type: 'tls', end, state }
}

t.test('terminating: holds, answers 220 and starts TLS; the server is told when it is up', async (t) => {
  const layer = terminateTls(UPGRADE)
  const outputs = layer.on(command(1, 'STARTTLS'))
  t.strictSame(show(outputs), ['hold', 'reply 1 "220 2.0.0 Ready to start TLS\\r\\n" then TLS'])
  t.match(outputs[1], { upgrade: UPGRADE })
  t.strictSame(play(layer, tls('client', 'hello'), tls('client', 'up')), ['secure'])
  t.strictSame(play(layer, tls('client', 'failed'), tls('server', 'up')), [])
})

t.test(
  'terminating: any case is STARTTLS; a parameter is refused without TLS; inside TLS the server answers',
  async (t) => {
    t.match(play(terminateTls(UPGRADE), command(1, 'starttls')), ['hold', /then TLS$/])
    t.strictSame(play(terminateTls(UPGRADE), command(1, 'STARTTLS now')), [
      'reply 1 "501 5.5.4 STARTTLS takes no parameter\\r\\n"',
    ])
    t.strictSame(play(terminateTls(UPGRADE), command(1, 'STARTTLS', true)), ['command 1 "STARTTLS\\r\\n"'])
  },
)

t.test('everything else passes', async (t) => {
  const units = [
    command(1, 'NOOP'),
    reply(1, '250 ok\r\n'),
    reply(0, '220 mx\r\n'),
    { type: 'eof', from: 'client' } as const,
  ]
  for (const layer of [terminateTls(UPGRADE), interceptTls(UPGRADE, 'tls'), interceptTls(UPGRADE, 'clear')]) {
    t.strictSame(
      units.flatMap((unit) => [...layer.on(unit)]),
      units,
    )
    t.strictSame(play(layer, { type: 'open' }, { type: 'wake', alarm: 'x' }), [])
  }
})

t.test('intercepting to TLS: 220 to the client only when TLS to the server is up', async (t) => {
  const layer = interceptTls(UPGRADE, 'tls', 'mx.badmx.test')
  t.strictSame(play(layer, command(1, 'STARTTLS')), ['hold', 'command 1 "STARTTLS\\r\\n"'])
  t.strictSame(play(layer, reply(1, '220 go\r\n')), ['start-tls server as mx.badmx.test'])
  t.strictSame(play(layer, tls('server', 'up')), ['reply 1 "220 2.0.0 Ready to start TLS\\r\\n" then TLS'])
  t.strictSame(play(layer, tls('client', 'up')), [])
})

t.test('intercepting to TLS: what fails at the server is refused to the client, and may be asked again', async (t) => {
  const layer = interceptTls(UPGRADE, 'tls')
  t.strictSame(play(layer, command(1, 'STARTTLS'), reply(1, '454 later\r\n')).slice(2), ['reply 1 "454 later\\r\\n"'])
  t.strictSame(play(layer, command(2, 'STARTTLS'), reply(2, '220 go\r\n'), tls('server', 'failed')).slice(2), [
    'start-tls server',
    'reply 2 "454 4.7.0 TLS not available due to temporary reason\\r\\n"',
  ])
})

t.test('intercepting to TLS: a refused STARTTLS is no longer waited for', async (t) => {
  const layer = interceptTls(UPGRADE, 'tls')
  play(layer, command(1, 'STARTTLS'), reply(1, '454 later\r\n'))
  t.strictSame(play(layer, tls('server', 'failed')), [], 'nothing is said twice')
})

t.test('intercepting to clear: STARTTLS is offered and answered here, whatever the server does', async (t) => {
  for (const said of ['250-mx\r\n250 SIZE 10\r\n', EHLO_REPLY, '250-mx\r\n250-SIZE 10\r\n250 starttls\r\n']) {
    const layer = interceptTls(UPGRADE, 'clear')
    t.strictSame(play(layer, command(1, 'EHLO c'), reply(1, said)).slice(1), [
      'reply 1 "250-mx\\r\\n250-SIZE 10\\r\\n250 STARTTLS\\r\\n"',
    ])
    t.match(play(layer, command(2, 'STARTTLS')), ['hold', /^reply 2 "220 .* then TLS$/])
    t.strictSame(
      play(layer, command(3, 'EHLO c', true), reply(3, said, true)).slice(1),
      ['reply 3 "250-mx\\r\\n250 SIZE 10\\r\\n"'],
      'not inside TLS',
    )
  }
})

t.test('intercepting to clear: a parameter is refused as a sound server does', async (t) => {
  t.strictSame(play(interceptTls(UPGRADE, 'clear'), command(1, 'STARTTLS now')), [
    'reply 1 "501 5.5.4 STARTTLS takes no parameter\\r\\n"',
  ])
})

t.test('a keyword goes wherever it stands, and the reply stays whole', async (t) => {
  const table = [
    [EHLO_REPLY, '250-mx\r\n250 SIZE 10\r\n'],
    ['250-mx\r\n250 STARTTLS\r\n', '250 mx\r\n'],
    ['250-mx\r\n250-SIZE 10\r\n250 StartTLS\r\n', '250-mx\r\n250 SIZE 10\r\n'],
    ['250-STARTTLS\r\n250 SIZE 10\r\n', '250-STARTTLS\r\n250 SIZE 10\r\n'],
    ['250-mx\r\n250 XSTARTTLS\r\n', '250-mx\r\n250 XSTARTTLS\r\n'],
    ['250-mx\n250-STARTTLS\n250 SIZE 10\n', '250-mx\n250 SIZE 10\n'],
  ] as const
  for (const [before, after] of table)
    t.equal(withoutKeyword(reply(1, before), 'STARTTLS').bytes.toString(), after, JSON.stringify(before))
  t.equal(withKeyword(reply(1, '250 mx\r\n'), 'STARTTLS').bytes.toString(), '250-mx\r\n250 STARTTLS\r\n')
})
