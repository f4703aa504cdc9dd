/**
 * A client that is a library: its jobs are done by the processes of a {@link WorkerPool}, its answers are its word. The
 * answer of a shim has `delivered`, `text` (its error or the server's last reply), and where the library says so `code`
 * (of a reply that refused) and `encrypted` (the channel); or only `unsupported`, why the library cannot do this.
 */
import type { ClientAdapter, ClientWord, Delivery } from '../../scenarios/client.ts'
import { LabError } from '../process/program.ts'
import { policySupport } from './environment.ts'
import { kindIfKnown, kindOfCode, logOf } from './word.ts'
import { type JobEnd, WorkerPool, type WorkerProgram } from './workers.ts'

export interface WorkerClient
  extends Pick<ClientAdapter, 'id' | 'name' | 'policies' | 'documented' | 'passwords' | 'namesPeers' | 'probe'> {
  /** The program that each worker runs. */
  worker(): Promise<WorkerProgram>
  /** What a worker is told about one delivery, as JSON. */
  job(delivery: Delivery): object
}

/** The adapter of a library. */
export function workerClient(client: WorkerClient): ClientAdapter {
  const { id, name, policies, documented, passwords, namesPeers } = client
  return {
    ...{ id, name, kind: 'one-shot', policies, documented, passwords, namesPeers },
    probe: () => client.probe(),
    start: async () => {
      const probe = await client.probe()
      if (!probe.found) throw new LabError('client-missing', `${name} is not on this machine`, probe.install)
      const pool = new WorkerPool(await client.worker())
      return {
        deliver: async (delivery, signal) => {
          const support = policySupport(client, delivery.policy)
          if ('unsupported' in support) return { state: 'unsupported', log: [], reason: support.unsupported }
          return wordOf(await pool.run(client.job(delivery), delivery.deadlineMs, signal))
        },
        stop: () => pool.stop(),
      }
    },
  }
}

function wordOf(end: JobEnd): ClientWord {
  const log = logOf(end.log)
  if (end.how === 'died') {
    const { exitCode, signalName } = end
    const last = log.log.findLast((line) => /^\w*(Error|Exception)\b/.test(line))
    const how = signalName === undefined ? `ended with status ${exitCode}` : `killed by ${signalName}`
    return {
      state: 'crashed',
      ...(exitCode === undefined ? {} : { exitCode }),
      ...(signalName === undefined ? {} : { signal: signalName }),
      ...log,
      reason: last === undefined ? how : `${how}: ${last}`,
    }
  }
  if (end.how !== 'answer') {
    const why = end.how === 'deadline' ? 'at the deadline' : 'by the harness'
    return { state: 'hung', ...log, reason: `still running, ended ${why}` }
  }
  const { delivered, text, code, encrypted, unsupported } = end.answer
  if (typeof unsupported === 'string') return { state: 'unsupported', ...log, reason: unsupported }
  return {
    state: delivered === true ? 'delivered' : 'failed',
    ...(delivered === true ? {} : kindIfKnown(kindOfCode(typeof code === 'number' ? code : undefined))),
    ...(typeof encrypted === 'boolean' ? { claims: { encrypted } } : {}),
    ...log,
    reason: String(text).split('\n')[0] ?? '',
  }
}
