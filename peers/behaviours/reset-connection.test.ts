import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import type { PeerEvent } from '../events.ts'
import { peer } from '../peer.ts'
import { command, play, reply, show } from './playbook.ts'
import { behaviour } from './reset-connection.ts'

t.test('RST instead of a banner', async (t) => {
  t.same(show(play(behaviour, {}, [{ type: 'open' }, reply(0, '220 mx\r\n'), command(1, 'EHLO c')])), [
    'opportunity a client connected',
    'fired reset the connection before the banner',
    'close client rst',
  ])
})

t.test('other visits pass, unmarked', async (t) => {
  const passed = play(behaviour, { visits: '1' }, [{ type: 'open' }, reply(0, '220 mx\r\n')], { visit: 2 })
  t.same(show(passed), ['reply 0 "220 mx\\r\\n"'])
})

t.test('a real client gets no octet, and the log says who came', async (t) => {
  const events: PeerEvent[] = []
  const server = await peer([{ use: 'reset-connection', with: { visits: '1' } }], {
    log: (event) => events.push(event),
  })
  t.teardown(() => server.close())
  const refused = connect(server.port, server.address)
  const received: Buffer[] = []
  refused.on('data', (octets) => received.push(octets))
  refused.on('error', () => {})
  await new Promise((resolve) => refused.once('close', resolve))
  t.same(received, [])
  const states = events.filter(({ type }) => type === 'armed' || type === 'opportunity' || type === 'fired')
  t.same(
    states.map(({ type }) => type),
    ['armed', 'opportunity', 'fired'],
  )
  t.match(
    events.filter(({ type }) => type === 'conn'),
    [{ state: 'open' }, { state: 'closed', by: 'peer', how: 'rst' }],
  )

  const taken = connect(server.port, server.address)
  const [banner] = await once(taken, 'data')
  t.match(String(banner), /^220 /)
  taken.destroy()
})
