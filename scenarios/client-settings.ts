/** What a cell sets of its client, and the files that this takes. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Delivery, Foreseen } from './client.ts'
import type { PlannedCell } from './plan.ts'
import type { Issuer, RunRequest } from './run-request.ts'

/** What the cells of a client will give it: the settings that an MTA keeps by domain. */
export async function foreseen(
  client: string,
  request: Pick<RunRequest, 'plan' | 'issuer' | 'folder'>,
): Promise<readonly Foreseen[]> {
  const cells = request.plan.cells.filter((cell) => cell.client === client && cell.unsupported === undefined)
  return Promise.all(cells.map((cell) => foreseenOf(cell, request)))
}

/** What one cell will give its client. */
export async function foreseenOf(cell: PlannedCell, request: Pick<RunRequest, 'issuer' | 'folder'>): Promise<Foreseen> {
  const { horizonSeconds } = cell.scenario.job
  return {
    cell: cell.id,
    policy: cell.policy,
    domain: cell.recipientDomain,
    ...(horizonSeconds === undefined ? {} : { horizonSeconds }),
    ...(await settingsOf(cell, request)),
  }
}

/** What a cell sets of its client. */
export async function settingsOf(
  cell: PlannedCell,
  request: Pick<RunRequest, 'issuer' | 'folder'>,
): Promise<Pick<Delivery, 'credentials' | 'clientCertificate' | 'ciphers' | 'withoutDane'>> {
  const secret = (name: string): string => cell.canaries.find((canary) => canary.name === name)?.value ?? ''
  const { ciphers, clientCertificate } = cell.scenario.job
  return {
    ...(cell.credentials ? { credentials: { user: secret('user'), password: secret('password') } } : {}),
    ...(clientCertificate === undefined
      ? {}
      : { clientCertificate: await certificateFiles(clientCertificate, request) }),
    ...(ciphers === undefined ? {} : { ciphers }),
    ...(cell.withoutDane === undefined ? {} : { withoutDane: cell.withoutDane }),
  }
}

interface KeyFiles {
  readonly chainFile: string
  readonly keyFile: string
}

/** Chains that have been written, by issuer and id: several cells use one while others are still to come. */
const written = new WeakMap<Issuer, Map<string, Promise<KeyFiles>>>()

/** The client's own chain and key as files, the same for every cell. */
function certificateFiles(id: string, { issuer, folder }: Pick<RunRequest, 'issuer' | 'folder'>): Promise<KeyFiles> {
  const files = written.get(issuer) ?? new Map<string, Promise<KeyFiles>>()
  written.set(issuer, files)
  const write = async (): Promise<KeyFiles> => {
    const { certPem, keyPem } = await issuer.clientChain(id)
    const [chainFile, keyFile] = [join(folder, `${id}.pem`), join(folder, `${id}-key.pem`)]
    await writeFile(chainFile, certPem)
    await writeFile(keyFile, keyPem, { mode: 0o600 })
    return { chainFile, keyFile }
  }
  const known = files.get(id) ?? write()
  files.set(id, known)
  return known
}
