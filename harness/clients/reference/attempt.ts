/** One attempt of the reference client to deliver one message: its connection, or with some flaws its connections. */
import { Connection, type Target } from './connection.ts'
import type { Decisions, Memory } from './decisions.ts'
import { Crash, Failure } from './failure.ts'
import type { Job } from './job.ts'
import { type Receipt, session } from './session.ts'

export async function attempt(
  target: Target,
  job: Job,
  decide: Decisions,
  memory: Memory,
  signal: AbortSignal,
  note: (line: string) => void,
): Promise<Receipt> {
  const bounds = { signal, end: performance.now() + decide.attemptLimit(job.deadlineMs) }
  const visit = async (now: Job, to: Target = target): Promise<Receipt> => {
    const limitMs = Math.min(decide.stageLimit('connect', now.timeScale), decide.attemptLimit(now.deadlineMs))
    const connection = await Connection.open(
      { ...to, smallestGroup: decide.smallestGroup, ...(decide.sendsServerName ? {} : { hostName: '' }) },
      bounds,
      limitMs,
      note,
    )
    try {
      const receipt = await session(connection, now, decide, memory)
      await connection.close()
      return receipt
    } catch (failure) {
      if (failure instanceof Failure && failure.inStep) await connection.close()
      else connection.destroy()
      throw failure
    }
  }
  try {
    return await visit(job)
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure
    const next = decide.afterFailure(failure, job)
    if (next === 'give-up') throw failure
    if (next === 'crash') throw new Crash(failure.message)
    if (next === 'reconnect-with-older-tls') {
      note(`(connects again, with TLS 1.2 at most, after: ${failure.message})`)
      return visit(job, { ...target, maxVersion: 'TLSv1.2' })
    }
    note(`(connects again, in clear, after: ${failure.message})`)
    return visit({ ...job, policy: 'none' })
  }
}
