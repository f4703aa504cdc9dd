/** The sound server by itself: what clients say before it is loaded, and after. */
import t from 'tap'
import { loadOrigin, type OriginHandlers, type OriginSession, openOrigin } from './origin.ts'

interface Opened {
  readonly session: OriginSession
  /** All that it has said. */
  readonly said: () => string
  /** smtp-server has been set up for this session: it has asked where the client is. */
  readonly reached: () => boolean
  /** Resolves when it has said so much. */
  until(text: string): Promise<void>
}

function open(): Opened {
  let said = ''
  let reached = false
  let heard = (): void => {}
  const handlers: OriginHandlers = {
    get remote() {
      reached = true
      return { localAddress: '127.0.0.1', localPort: 25, remoteAddress: '127.0.0.1', remotePort: 4711 }
    },
    data: (octets) => {
      said += octets.toString('latin1')
      heard()
    },
    end: () => heard(),
  }
  const session = openOrigin({ hostName: 'mx.badmx.test', authInClear: false }, handlers)
  const until = (text: string): Promise<void> =>
    new Promise((resolve) => {
      heard = () => {
        if (said.includes(text)) resolve()
      }
      heard()
    })
  return { session, said: () => said, reached: () => reached, until }
}

// The first of them, for once it is loaded it stays so.
t.test('what is said before it is loaded is kept in order, and answered', async (t) => {
  const early = open()
  const gone = open()
  t.equal(early.said(), '220 mx.badmx.test ESMTP\r\n', 'the banner waits for nothing')
  early.session.write(Buffer.from('EHLO one.badmx.test\r\nMAIL FROM:<a@badmx.test>\r\n'))
  early.session.secured()
  early.session.write(Buffer.from('EHLO two.badmx.test\r\n'))
  early.session.write(Buffer.from('NOOP\r\n'))
  gone.session.write(Buffer.from('EHLO gone.badmx.test\r\n'))
  gone.session.destroy()
  t.notOk(early.reached(), 'it is not loaded yet')
  await early.until('250 2.0.0 OK')
  t.ok(early.reached())
  t.match(early.said(), /^220 [^]+\r\n250 2\.1\.0 Accepted\r\n250-[^]+\r\n250 2\.0\.0 OK\r\n$/)
  t.notOk(gone.reached(), 'for a client that has gone nothing is set up')
  t.equal(gone.said(), '220 mx.badmx.test ESMTP\r\n')
  early.session.destroy()
})

t.test('once it is loaded nothing waits', async (t) => {
  await loadOrigin()
  const { session, reached, until } = open()
  t.notOk(reached(), 'nothing is set up before the client speaks')
  session.write(Buffer.from('EHLO one.badmx.test\r\n'))
  t.ok(reached(), 'it has the octets at once')
  await until('250')
  session.destroy()
})
