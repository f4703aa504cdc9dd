import t from 'tap'
import type { TlsState } from '../wire/units.ts'
import { command, play, show } from './playbook.ts'
import { behaviour } from './refuse-session.ts'

const tls = (change: Partial<TlsState> & Pick<TlsState, 'state'>): TlsState => ({
  type: 'tls',
  end: 'client',
  ...change,
})

t.test('fires when a client that offered a session is shown the certificate', async (t) => {
  t.same(show(play(behaviour, {}, [tls({ state: 'hello', offer: 'ticket' }), tls({ state: 'presented' })])), [
    'opportunity the ClientHello offers a session (ticket)',
    'fired showed its certificate to a client that had offered a session',
  ])
})

t.test('silent where no session is offered, and where it is resumed', async (t) => {
  t.same(play(behaviour, {}, [tls({ state: 'hello' }), tls({ state: 'presented' }), tls({ state: 'up' })]), [])
  t.same(show(play(behaviour, {}, [tls({ state: 'hello', offer: 'psk' }), tls({ state: 'up', resumed: true })])), [
    'opportunity the ClientHello offers a session (psk)',
  ])
})

t.test('lets everything pass', async (t) => {
  const ehlo = command(1, 'EHLO client')
  t.same(play(behaviour, {}, [ehlo]), [ehlo])
})
