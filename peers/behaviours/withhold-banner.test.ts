import t from 'tap'
import { command, play, reply, show } from './playbook.ts'
import { behaviour } from './withhold-banner.ts'

t.test('no banner, and no answer to anything', async (t) => {
  t.same(show(play(behaviour, {}, [{ type: 'open' }, reply(0, '220 mx\r\n'), command(1, 'EHLO c')])), [
    'opportunity the banner was due',
    'fired kept the banner back was "220 mx\\r\\n"',
  ])
})

t.test('says nothing of itself before the banner is due, and lets the client go', async (t) => {
  t.same(play(behaviour, {}, [{ type: 'open' }]), [])
  t.same(show(play(behaviour, {}, [{ type: 'eof', from: 'client' }])), ['eof from client'])
})
