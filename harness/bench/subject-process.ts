/** One server under test, in a process of its own whose CPU time it measures. Arguments: its name, the port behind it. */
import type { ServerOrder, ServerReport } from './messages.ts'
import { type SubjectName, startSubject } from './subjects.ts'

function say(report: ServerReport): void {
  process.send?.(report)
}

const [name, target] = process.argv.slice(2)
// Ctrl-C reaches the whole group; the benchmark ends this process by letting go of it.
process.on('SIGINT', () => {})
process.on('disconnect', () => process.exit())

const subject = await startSubject(name as SubjectName, Number(target))
let before = process.cpuUsage()
process.on('message', ({ order }: ServerOrder) => {
  if (order === 'begin') {
    subject.forget()
    before = process.cpuUsage()
    say({ report: 'begun' })
  } else if (order === 'memory') {
    ;(globalThis as { gc?: () => void }).gc?.()
    say({ report: 'memory', octets: process.memoryUsage.rss() })
  } else {
    const { user, system } = process.cpuUsage(before)
    say({ report: 'ended', cpuUs: user + system })
  }
})
say({ report: 'listening', port: subject.port })
