import t from 'tap'
import type { TlsState } from '../wire/units.ts'
import { command, play, show } from './playbook.ts'
import { behaviour } from './resume-session.ts'

const tls = (change: Partial<TlsState> & Pick<TlsState, 'state'>): TlsState => ({
  type: 'tls',
  end: 'client',
  ...change,
})

t.test('fires when the session that was offered goes on', async (t) => {
  const events = [tls({ state: 'hello', offer: 'psk' }), tls({ state: 'up', resumed: true })]
  t.same(show(play(behaviour, {}, events)), [
    'opportunity the ClientHello offers a session (psk)',
    'fired resumed the session that the client offered',
  ])
})

t.test('silent where none is offered, and where the one that is offered is not taken', async (t) => {
  t.same(play(behaviour, {}, [tls({ state: 'hello' }), tls({ state: 'up', resumed: false })]), [])
  const refused = [
    tls({ state: 'hello', offer: 'ticket' }),
    tls({ state: 'presented' }),
    tls({ state: 'up', resumed: false }),
  ]
  t.same(show(play(behaviour, {}, refused)), ['opportunity the ClientHello offers a session (ticket)'])
})

t.test('lets everything pass, and does not mark the session with a server', async (t) => {
  const ehlo = command(1, 'EHLO client')
  t.same(play(behaviour, {}, [ehlo]), [ehlo])
  t.same(play(behaviour, {}, [{ type: 'tls', end: 'server', state: 'up', resumed: true }]), [])
})
