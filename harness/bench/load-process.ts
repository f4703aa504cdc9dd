/** The load generator, a process of its own so that its CPU time is not the server's. Does one load after the other. */
import type { ConnectionOptions } from 'node:tls'
import type { Load, LoadReport, SessionKind } from './messages.ts'
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

process.on('message', (load: Load) => {
  perform(load).then(
    (wallMs) => say({ report: 'done', wallMs }),
    (error: Error) => say({ report: 'failed', reason: error.message }),
  )
})
// Ctrl-C reaches the whole group; the benchmark ends this process by letting go of it.
process.on('SIGINT', () => {})
process.on('disconnect', () => process.exit())
say({ report: 'ready' })
