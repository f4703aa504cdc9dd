/**
 * Ten thousand seeded sessions of rubbish, at every stage of peers and proxies: nothing throws, no session outlives its
 * client, no socket is left. A failing session can be had again by its seed, which is in the message.
 */
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import t from 'tap'
import { createAuthority } from '../../peers/certificates/authority.ts'
import { type Peer, peer, proxy } from '../../peers/peer.ts'
import { seeded } from '../../peers/random.ts'
import { loadBehaviours } from '../../peers/registry.ts'

const SESSIONS = 10_000
const AT_ONCE = 60
/** A session whose client has gone is ended after a minute at the latest, divided by this. */
const TIME_SCALE = 20

/** What is said, in order, before the rubbish; `<` waits for a reply, `TLS` starts TLS. */
const STAGES: readonly (readonly string[])[] = [
  [],
  ['<'],
  ['<', 'EHLO fuzz\r\n', '<'],
  ['<', 'EHLO fuzz\r\n', '<', 'STARTTLS\r\n'],
  ['<', 'EHLO fuzz\r\n', '<', 'STARTTLS\r\n', '<'],
  ['<', 'EHLO fuzz\r\n', '<', 'STARTTLS\r\n', '<', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ['<', 'EHLO fuzz\r\n', '<', 'STARTTLS\r\n', '<', 'TLS'],
  ['<', 'EHLO fuzz\r\n', '<', 'STARTTLS\r\n', '<', 'TLS', 'EHLO fuzz\r\n', '<', 'AUTH LOGIN\r\n'],
  ['<', 'EHLO fuzz\r\n', '<', 'MAIL FROM:<a@b.test>\r\n', '<', 'RCPT TO:<c@d.test>\r\n', '<', 'DATA\r\n', '<'],
  ['<', 'EHLO fuzz\r\n', '<', 'BDAT 4096\r\n'],
]

/** Rubbish of a kind: any octets, text with SMTP in it, or records that claim to be TLS. */
function rubbish(random: () => number): Buffer {
  const octets = Buffer.from(Array.from({ length: Math.floor(random() * 600) }, () => Math.floor(random() * 256)))
  const words = [
    'EHLO x\r\n',
    'STARTTLS\r\n',
    '\r\n',
    '250-',
    'DATA\r\n',
    '.\r\n',
    'BDAT 9\r\n',
    'AUTH PLAIN\r\n',
    'QUIT\r\n',
    '\0',
  ]
  const kind = random()
  if (kind < 0.4) return octets
  if (kind < 0.8)
    return Buffer.from(
      Array.from({ length: 20 }, () => words[Math.floor(random() * words.length)] ?? '').join(''),
      'latin1',
    )
  return Buffer.concat([
    Buffer.from([0x14 + Math.floor(random() * 5), 3, 1, octets.length >> 8, octets.length & 255]),
    octets,
  ])
}

/** One session. Resolves when its socket is closed. */
function session(port: number, stage: readonly string[], random: () => number): Promise<void> {
  return new Promise((resolve) => {
    const raw = connect(port, '127.0.0.1')
    let stream: Socket = raw
    let step = 0
    const leave = (): void => {
      if (random() < 0.5) raw.resetAndDestroy()
      else stream.end()
      // A peer that answers rubbish with silence is left by its client.
      raw.setTimeout(100, () => raw.destroy())
    }
    const go = (): void => {
      for (;;) {
        const word = stage[step]
        step += 1
        if (word === undefined) {
          stream.write(rubbish(random))
          if (random() < 0.5) stream.write(rubbish(random))
          leave()
          return
        }
        if (word === '<') return
        if (word === 'TLS') {
          raw.removeAllListeners('data')
          stream = connectTls({ socket: raw, rejectUnauthorized: false }, go)
          stream.on('error', () => raw.destroy())
          stream.on('data', go)
          return
        }
        stream.write(Buffer.from(word, 'latin1'))
      }
    }
    raw.on('error', () => {})
    raw.on('close', () => resolve())
    raw.on('data', () => {
      if (step <= stage.length) go()
    })
    raw.setTimeout(250, () => raw.destroy())
    raw.on('connect', go)
  })
}

t.test('rubbish at every stage of peers and proxies', { timeout: 240_000 }, async (t) => {
  const authority = createAuthority({ now: new Date(), seed: 1 })
  const names = { host: 'mx.fuzz.badmx.test', domain: 'fuzz.badmx.test' }
  const certificate = await authority.issue('good', names)
  const tls = { certificate }
  const errors: unknown[] = []
  const onError = (error: unknown): void => void errors.push(error)
  process.on('uncaughtException', onError)
  process.on('unhandledRejection', onError)
  t.teardown(() => {
    process.off('uncaughtException', onError)
    process.off('unhandledRejection', onError)
  })
  const behaviours = [...(await loadBehaviours()).values()]
  const stacks = (inEngine: boolean) => ({
    vectors: behaviours.filter(({ plane }) => inEngine || plane !== 'tls').map(({ id }) => [id]),
    per: 'connection' as const,
    order: 'round-robin' as const,
  })
  const sound = await peer([], { tls, timeScale: TIME_SCALE })
  const servers: Peer[] = [
    sound,
    await proxy([], '127.0.0.1', sound.port, { timeScale: TIME_SCALE }),
    await proxy([], '127.0.0.1', sound.port, { timeScale: TIME_SCALE, intercept: { certificate, toServer: 'tls' } }),
    await proxy([], '127.0.0.1', sound.port, { timeScale: TIME_SCALE, intercept: { certificate, toServer: 'clear' } }),
    await peer(stacks(false), { tls, timeScale: 1000 }),
    await peer(stacks(true), { tls: { ...tls, legacy: {} }, timeScale: 1000 }),
    await proxy(stacks(false), '127.0.0.1', sound.port, { timeScale: 1000 }),
  ]
  let next = 0
  const worker = async (): Promise<void> => {
    for (let number = next++; number < SESSIONS; number = next++) {
      const server = servers[number % servers.length]
      const stage = STAGES[Math.floor(number / servers.length) % STAGES.length]
      const before = errors.length
      await session(server?.port ?? 0, stage ?? [], seeded(1, 'fuzz', String(number)))
      if (errors.length > before) t.comment(`session ${number}, server ${number % servers.length}`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  // The proxies first: their sessions hold sessions of the peer behind them.
  const idle = (async () => {
    for (const server of [...servers.slice(1), sound]) await server.idle()
  })()
  const patience = new AbortController()
  t.teardown(() => patience.abort())
  await Promise.race([idle, delay(30_000, undefined, { signal: patience.signal }).catch(() => {})])
  t.strictSame(errors.map(String), [], 'nothing was thrown')
  t.strictSame(
    servers.map((server) => server.connections()),
    servers.map(() => 0),
    'every session has ended',
  )
  for (const server of servers) await server.close()
  // Closed sockets leave the loop some turns later.
  for (let turn = 0; turn < 20; turn++) await new Promise((next) => setImmediate(next))
  const left = process.getActiveResourcesInfo().filter((kind) => /TCP|TLS/.test(kind))
  t.strictSame(left, [], 'no socket is left')
})
