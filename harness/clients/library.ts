/**
 * What the shims of libraries have in common: the job that each is told, one JSON object, which is also the contract of
 * `--shim` (README.md of this folder describes it for people), and the two decisions that a policy comes down to in a
 * library which knows STARTTLS as a call.
 */
import { join } from 'node:path'
import { packageRoot } from '../../peers/package-root.ts'
import type { Delivery } from '../../scenarios/client.ts'
import type { Policy } from '../../scenarios/policy.ts'
import { clientEnvironment, EHLO_NAME, isUnsupported, waitLimit } from './environment.ts'
import type { WorkerProgram } from './workers.ts'

/** What a policy means to the caller of a library. */
export interface Calls {
  /** When TLS starts. */
  readonly tls: 'never' | 'offered' | 'always' | 'connect'
  /** Chain and name are checked. */
  readonly check: boolean
  /** The calls as a person writes them. */
  readonly calls: string
}

export type CallTable = Readonly<Record<Policy, Calls | { readonly unsupported: string }>>

/**
 * A delivery as a shim is told of it. `message` is base64; `timeout`, for each wait, is in seconds.
 *
 * @param ownMs the library's untouched limit for a wait in milliseconds, where it has one.
 */
export function deliveryJob(delivery: Delivery, ownMs?: number): Readonly<Record<string, unknown>> {
  const { policy, hostName, address, port, from, to, caFile, ciphers, credentials, clientCertificate } = delivery
  return {
    ...{ policy, hostName, address, port, from, to, caFile, ehlo: EHLO_NAME },
    message: delivery.message.toString('base64'),
    timeout: waitLimit(delivery, ownMs) / 1000,
    ...credentials,
    ...(ciphers === undefined ? {} : { ciphers }),
    ...(clientCertificate === undefined
      ? {}
      : { certificate: clientCertificate.chainFile, key: clientCertificate.keyFile }),
  }
}

/** {@link deliveryJob} and the decisions of the delivery's policy, for the shims of this folder. */
export function callsJob(table: CallTable, delivery: Delivery, ownMs?: number): object {
  const entry = table[delivery.policy]
  const { tls, check } = isUnsupported(entry) ? { tls: 'never', check: false } : entry
  return { ...deliveryJob(delivery, ownMs), tls, check }
}

/** The worker that runs a script of this folder, which is shipped as it is and not compiled. */
export async function scriptWorker(interpreter: readonly string[], script: string): Promise<WorkerProgram> {
  return { argv: [...interpreter, clientScript(script)], env: clientEnvironment(), cwd: process.cwd() }
}

/** The file `harness/clients/<path>` of the package. */
export function clientScript(path: string): string {
  return join(packageRoot(), 'harness/clients', path)
}
