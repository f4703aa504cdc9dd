/** The load generator, a process of its own so that its CPU time is not the server's. Does one load after the other. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import type { Hold, Load, LoadReport, SessionKind } from './messages.ts'
import { messageOf, runSession } from './session.ts'

function say(report: LoadReport): void {
  process.send?.(report)
}

const TLS: Readonly<Record<SessionKind, false | ConnectionOptions>> = {
  plain: false,
  bulk: false,
  starttls: { minVersion: 'TLSv1.3' },
  'starttls-old': { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA@SECLEVEL=0' },
}

async function perform({ port, kind, sessions, atOnce, octets }: Load): Promise<number> {
  const message = messageOf(octets)
  let left = sessions
  const began = performance.now()
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      await runSession({ port, starttls: TLS[kind], message })
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return performance.now() - began
}

const held = new Set<Socket>()

/** Opens or closes connections until there are so many; each new one has got its banner. */
async function hold({ port, hold: wanted }: Hold): Promise<number> {
  const began = performance.now()
  for (const socket of held) if (held.size > wanted) await closed(socket)
  const opener = async (): Promise<void> => {
    while (held.size < wanted) {
      const socket = connect({ port, host: '127.0.0.1' })
      held.add(socket)
      await once(socket, 'data')
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, opener))
  return performance.now() - began
}

/** Connections that are opened at the same time: fewer than a listener's backlog. */
const AT_ONCE = 100

async function closed(socket: Socket): Promise<void> {
  socket.destroy()
  await once(socket, 'close')
  held.delete(socket)
}

process.on('message', (order: Load | Hold) => {
  const done = 'hold' in order ? hold(order) : perform(order)
  done.then(
    (wallMs) => say({ report: 'done', wallMs }),
    (error: Error) => say({ report: 'failed', reason: error.message }),
  )
})
// Ctrl-C reaches the whole group; the benchmark ends this process by letting go of it.
process.on('SIGINT', () => {})
process.on('disconnect', () => process.exit())
say({ report: 'ready' })
