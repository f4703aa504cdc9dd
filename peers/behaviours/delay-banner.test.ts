import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { peer } from '../peer.ts'
import { behaviour } from './delay-banner.ts'
import { command, play, reply, show } from './playbook.ts'

t.test('the banner comes later, unchanged', async (t) => {
  const events = [{ type: 'open' }, reply(0, '220 mx\r\n'), { type: 'wake', alarm: 'release' }] as const
  t.same(show(play(behaviour, { seconds: 7 }, events)), [
    'opportunity the banner was due',
    'fired kept the banner back for 7 s was "220 mx\\r\\n"',
    'wake release after 7000 ms scaled',
    'reply 0 "220 mx\\r\\n"',
  ])
})

t.test('nothing else is touched', async (t) => {
  for (const other of [reply(1, '250 mx\r\n'), command(1, 'EHLO c')]) t.same(play(behaviour, {}, [other]), [other])
})

t.test('a real client is greeted after the time, scaled', async (t) => {
  const server = await peer([{ use: 'delay-banner', with: { seconds: 30 } }], { timeScale: 100 })
  t.teardown(() => server.close())
  const began = performance.now()
  const client = connect(server.port, server.address)
  const [banner] = await once(client, 'data')
  client.destroy()
  t.match(String(banner), /^220 /)
  t.ok(performance.now() - began >= 290)
})
