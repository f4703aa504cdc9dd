import t from 'tap'
import type { WireEvent } from '../wire/units.ts'
import { behaviour } from './inject-into-tls-stream.ts'
import { play, show } from './playbook.ts'

const FIRST = Buffer.from('1603030002aaaa', 'hex')
const SECOND = Buffer.from('1703030001bb', 'hex')
const FLIGHT = Buffer.concat([FIRST, SECOND])
const ALERT = Buffer.from('15030300020228', 'hex')
const TEXT = 'bytes from server "250 2.0.0 injected\\r\\n"'
const from = (end: 'client' | 'server', octets: Buffer | string): WireEvent => ({
  type: 'bytes',
  from: end,
  bytes: Buffer.from(octets as string, 'latin1'),
})
const tls = (state: 'hello' | 'up'): WireEvent => ({ type: 'tls', end: 'client', state })
const WAKE: WireEvent = { type: 'wake', alarm: 'inject' }
const GRANTED = [from('client', 'STARTTLS\r\n'), from('server', '220 go\r\n')]
const CALM = ['bytes from client "STARTTLS\\r\\n"', 'bytes from server "220 go\\r\\n"']
const told = (octets: Buffer, end = 'server'): string =>
  `bytes from ${end} ${JSON.stringify(octets.toString('latin1'))}`

/** What reaches the client, joined, and what is told of it. */
function outcome(
  parameters: object,
  events: readonly WireEvent[],
): { readonly sent: string; readonly proof: string[] } {
  const outputs = play(behaviour, parameters, events)
  const octets = outputs.flatMap((output) =>
    output.type === 'bytes' && output.from === 'server' ? [output.bytes] : [],
  )
  return {
    sent: Buffer.concat(octets).toString('latin1'),
    proof: show(outputs).filter((line) => /^(fired|opportunity)/.test(line)),
  }
}

t.test('before the ServerHello: a segment of its own, for which the server waits', async (t) => {
  t.same(
    show(
      play(behaviour, {}, [
        ...GRANTED,
        from('client', FIRST),
        tls('hello'),
        from('server', FIRST),
        WAKE,
        from('server', SECOND),
      ]),
    ),
    [
      ...CALM,
      'opportunity the 220 to STARTTLS has left',
      'wake inject after 150 ms wall',
      told(FIRST, 'client'),
      'fired wrote "250 2.0.0 injected\\r\\n" in clear before server hello',
      TEXT,
      told(FIRST),
      told(SECOND),
    ],
  )
})

t.test('after the ServerHello: between two records, whatever the segments', async (t) => {
  for (let at = 0; at <= FLIGHT.length; at += 1) {
    const events = [
      ...GRANTED,
      tls('hello'),
      from('server', FLIGHT.subarray(0, at)),
      from('server', FLIGHT.subarray(at)),
      from('server', ALERT),
    ]
    const { sent, proof } = outcome({ at: 'after-server-hello', bytes: 'X' }, events)
    t.equal(
      sent,
      `220 go\r\n${FIRST.toString('latin1')}X${SECOND.toString('latin1')}${ALERT.toString('latin1')}`,
      `split at ${at}`,
    )
    t.same(proof, ['opportunity a ClientHello arrived', 'fired wrote "X" in clear after server hello'])
  }
})

t.test('writes nothing behind an alert: there is no ServerHello', async (t) => {
  const { sent, proof } = outcome({ at: 'after-server-hello' }, [...GRANTED, tls('hello'), from('server', ALERT)])
  t.equal(sent, `220 go\r\n${ALERT.toString('latin1')}`)
  t.same(proof, ['opportunity a ClientHello arrived'])
})

t.test(
  'after the handshake: at the first octets of either side, but not between TLS 1.2 handshake records',
  async (t) => {
    const parameters = { at: 'after-handshake', bytes: 'X' }
    const up = [...GRANTED, tls('hello'), from('server', FLIGHT), tls('up')]
    const before = `220 go\r\n${FLIGHT.toString('latin1')}`
    const proof = ['opportunity TLS is up', 'fired wrote "X" in clear after handshake']
    t.same(outcome(parameters, up), { sent: before, proof: proof.slice(0, 1) })
    t.same(outcome(parameters, [...up, from('client', SECOND)]), { sent: `${before}X`, proof })
    t.same(outcome(parameters, [...up, from('server', SECOND)]), {
      sent: `${before}X${SECOND.toString('latin1')}`,
      proof,
    })
    t.same(outcome(parameters, [...up, from('server', FIRST)]), {
      sent: `${before}${FIRST.toString('latin1')}`,
      proof: proof.slice(0, 1),
    })
  },
)

t.test('does nothing without a 220 to STARTTLS', async (t) => {
  for (const at of ['before-server-hello', 'after-server-hello', 'after-handshake'] as const) {
    const { sent, proof } = outcome({ at }, [
      from('client', 'STARTTLS\r\n'),
      from('server', '454 no\r\n'),
      from('client', 'QUIT\r\n'),
    ])
    t.same([sent, proof], ['454 no\r\n', []], at)
  }
})
