/** The starter: does what `starter.ts` asks for, until that process ends. */
import { commandToEnd } from './command.ts'
import { LabError, programToEnd } from './program.ts'
import type { Answer, Order, Work } from './starter.ts'

const underWay = new Map<number, AbortController>()

process.on('message', (order: Order) => void take(order))
process.on('disconnect', end)
// It may have ended while this file was loaded.
if (!process.connected) end()

/** At once, with what is under way. Node 20 can wait for its own threads for ever in an orderly exit; nothing is lost by this one. */
function end(): void {
  for (const controller of underWay.values()) controller.abort()
  process.kill(process.pid, 'SIGKILL')
}

async function take(order: Order): Promise<void> {
  const { id } = order
  if (order.what === 'abort') return underWay.get(id)?.abort()
  const controller = new AbortController()
  underWay.set(id, controller)
  try {
    tell({ id, result: await perform(order, controller.signal) })
  } catch (error) {
    const { message } = error as Error
    const lab = error instanceof LabError ? { lab: { code: error.code, next: error.next } } : {}
    tell({ id, error: { message, ...lab } })
  }
  underWay.delete(id)
}

async function perform(
  order: Exclude<Order, { what: 'abort' }>,
  signal: AbortSignal,
): Promise<Work[keyof Work]['result']> {
  if (order.what === 'command') return commandToEnd(order.job, signal)
  const result = await programToEnd(order.job, signal)
  return { ...result, log: result.log.map(({ line, at }) => ({ line, at: at + performance.timeOrigin })) }
}

function tell(answer: Answer): void {
  // Who asked may have ended meanwhile.
  if (process.connected) process.send?.(answer, () => undefined)
}
