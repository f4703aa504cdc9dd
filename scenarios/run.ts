/**
 * Runs a plan: for each cell the world, the client's deliveries, and everything of it in the event log. The one module of
 * this folder that is not pure; it judges nothing.
 *
 * What always holds: each cell has one `cell` event and, unless the process dies, one `cell-end`; whatever goes wrong in
 * one cell stays in it; when `runPlan` resolves no peer listens and no delivery goes on.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClientChain } from '../peers/certificates/authority.ts'
import { type Peer, type PeerOptions, peer } from '../peers/peer.ts'
import type { ClientWord, Delivery, RunningClient } from './client.ts'
import type { CellEnded, LogEvent } from './events.ts'
import { type HostIssuer, provenSettings, tlsOptionsOf } from './host-tls.ts'
import { envelopeOf, messageOf } from './message.ts'
import type { Plan, PlannedCell } from './plan.ts'
import type { Host } from './scenario.ts'

/** What the runner needs of a certificate authority. */
export interface Issuer extends HostIssuer {
  readonly rootPem: string
  readonly rootDer: Buffer
  clientChain(id: string): Promise<ClientChain>
}

export interface RunRequest {
  readonly plan: Plan
  /** Started clients by id. */
  readonly clients: ReadonlyMap<string, RunningClient>
  readonly issuer: Issuer
  readonly log: (event: LogEvent) => void
  /** Milliseconds since the run began, monotonic. */
  readonly now: () => number
  /** The run's date: certificates are made and judged relative to it. */
  readonly clock: Date
  /** An existing folder for files of the deliveries. */
  readonly folder: string
  /** Cells at once, 1 or more. */
  readonly jobs: number
  readonly signal: AbortSignal
  /** Told when a cell is over. */
  readonly progress?: (cell: PlannedCell, status: CellEnded['status']) => void
}

/** The longest limit of RFC 5321 §4.5.3.2 (the final dot) in milliseconds: no sound client waits longer for a reply. */
const LONGEST_LIMIT_MS = 600_000
/** What starting a program and a TLS handshake may take on a busy machine, in milliseconds; not scaled. */
const START_MS = 4_000
/** How long connections may outlive the client's word before they are ended, in milliseconds. */
const LINGER_MS = 500

/** Milliseconds after which a client that says nothing is taken for hung: the limit ÷ scale, and its start. */
export function deadlineFor(timeScale: number): number {
  return Math.ceil(LONGEST_LIMIT_MS / timeScale) + START_MS
}

/** Runs every cell; slow ones are started first, so that the run is as long as its longest and not as their sum. */
export async function runPlan(request: RunRequest): Promise<void> {
  const queue = [...request.plan.cells].sort((a, b) => Number(b.slow) - Number(a.slow))
  const worker = async (): Promise<void> => {
    for (let cell = queue.shift(); cell !== undefined && !request.signal.aborted; cell = queue.shift()) {
      await runCell(cell, request)
    }
  }
  await Promise.all(Array.from({ length: request.jobs }, worker))
}

async function runCell(cell: PlannedCell, request: RunRequest): Promise<void> {
  announce(cell, request)
  const peers = new Map<string, Peer>()
  const folder = join(request.folder, cell.id.replaceAll('/', '_').replaceAll('#', '_'))
  let end: Pick<CellEnded, 'status' | 'reason'>
  try {
    if (cell.unsupported !== undefined) end = { status: 'unsupported', reason: cell.unsupported }
    else {
      await mkdir(folder, { recursive: true })
      for (const [id, host] of Object.entries(cell.scenario.hosts))
        peers.set(id, await openHost(cell, id, host, request))
      end = await perform(cell, peers, folder, request)
      await lingering(peers)
    }
  } catch (error) {
    end = { status: 'error', reason: error instanceof Error ? error.message : String(error) }
  }
  await Promise.all([...peers.values()].map((each) => each.close()))
  await rm(folder, { recursive: true, force: true }).catch(() => {})
  request.log({ type: 'cell-end', t: request.now(), cell: cell.id, ...end })
  request.progress?.(cell, end.status)
}

function announce(cell: PlannedCell, request: RunRequest): void {
  const { scenario } = cell
  const seed = request.plan.seed
  request.log({
    type: 'cell',
    t: request.now(),
    cell: cell.id,
    scenario: scenario.name,
    title: scenario.title,
    severity: scenario.severity,
    policy: cell.policy,
    judgedAs: cell.judgedAs,
    client: cell.client,
    kind: cell.kind,
    role: cell.role,
    expected: cell.expected,
    clause: cell.clause,
    asserts: scenario.asserts,
    verbMayWork: scenario.verbMayWork,
    noVerdict: cell.noVerdict,
    proof: cell.proof,
    domain: cell.domain,
    hostNames: cell.hostNames,
    clock: request.clock.toISOString(),
    roots: [request.issuer.rootDer],
    canaries: cell.canaries,
    credentials: cell.credentials,
    messages: cell.messages,
    timeScale: request.plan.timeScale,
    deadlineMs: deadlineFor(request.plan.timeScale),
    reproduce: `npx badmx run --only ${scenario.name} --policy ${cell.policy} --client ${cell.client} --seed ${seed}`,
  })
}

async function openHost(cell: PlannedCell, id: string, host: Host, request: RunRequest): Promise<Peer> {
  const hostName = cell.hostNames[id] ?? id
  return peer(host.stack, {
    ...(await tlsOf(cell, host, hostName, request)),
    hostName,
    host: id,
    cell: cell.id,
    connPrefix: `${cell.id}:`,
    log: request.log,
    now: request.now,
    canaries: cell.canaries,
    seed: request.plan.seed,
    timeScale: request.plan.timeScale,
    extensions: host.extensions,
    passwords: cell.credentials,
  })
}

async function tlsOf(
  cell: PlannedCell,
  host: Host,
  hostName: string,
  request: RunRequest,
): Promise<Pick<PeerOptions, 'tls' | 'prove'>> {
  const prove = provenSettings(cell.scenario.family, host)
  const tls = await tlsOptionsOf(host, { host: hostName, domain: cell.domain }, request.issuer)
  if (tls === undefined) return { prove }
  return { prove, tls: cell.judgedAs === 'implicit' ? { ...tls, on: 'connect' } : tls }
}

/** The steps of the job, in order. */
async function perform(
  cell: PlannedCell,
  peers: ReadonlyMap<string, Peer>,
  folder: string,
  request: RunRequest,
): Promise<Pick<CellEnded, 'status' | 'reason'>> {
  const client = request.clients.get(cell.client)
  if (client === undefined) throw new Error(`the client ${cell.client} was not started`)
  const delivery = await deliveryOf(cell, peers, folder, request)
  let attempt = 0
  for (const step of cell.scenario.job.steps) {
    if (request.signal.aborted) break
    if ('phase' in step) await changePhase(cell, step.phase, peers, request)
    if (!('submit' in step)) continue
    for (let count = 0; count < step.submit; count++) {
      attempt += 1
      const message = messageOf(
        cell.canaries,
        { from: delivery.from, to: delivery.to[0] ?? '' },
        request.clock,
        attempt,
        cell.scenario.job.octets,
      )
      const own = join(folder, String(attempt))
      await mkdir(own)
      const word = await attemptOnce(cell, attempt, client, { ...delivery, message, folder: own }, request)
      if (word.state === 'unsupported') return { status: 'unsupported', reason: word.reason }
      if (request.signal.aborted) break
    }
  }
  return request.signal.aborted ? { status: 'interrupted', reason: 'the run was interrupted' } : { status: 'done' }
}

async function attemptOnce(
  cell: PlannedCell,
  attempt: number,
  client: RunningClient,
  delivery: Delivery,
  request: RunRequest,
): Promise<ClientWord> {
  const { log, now } = request
  log({ type: 'attempt', state: 'begun', t: now(), cell: cell.id, attempt, cause: 'first' })
  const word = await client.deliver(delivery, request.signal)
  log({ type: 'client', t: now(), cell: cell.id, attempt, word })
  log({ type: 'attempt', state: 'ended', t: now(), cell: cell.id, attempt, cause: 'first' })
  return word
}

async function deliveryOf(
  cell: PlannedCell,
  peers: ReadonlyMap<string, Peer>,
  folder: string,
  request: RunRequest,
): Promise<Delivery> {
  const [id, target] = [...peers][0] ?? []
  if (id === undefined || target === undefined) throw new Error('the scenario has no host')
  if (peers.size > 1) throw new Error('several hosts need DNS, which a run without a lab does not have')
  const envelope = envelopeOf(cell.canaries, cell.domain)
  const caFile = join(folder, 'ca.pem')
  await writeFile(caFile, request.issuer.rootPem)
  const secret = (name: string): string => cell.canaries.find((canary) => canary.name === name)?.value ?? ''
  const { ciphers, clientCertificate } = cell.scenario.job
  return {
    cell: cell.id,
    policy: cell.policy,
    hostName: cell.hostNames[id] ?? id,
    address: target.address,
    port: target.port,
    from: envelope.from,
    to: [envelope.to],
    message: Buffer.alloc(0),
    ...(cell.credentials ? { credentials: { user: secret('user'), password: secret('password') } } : {}),
    caFile,
    ...(clientCertificate === undefined ? {} : await certificateFiles(clientCertificate, folder, request)),
    ...(ciphers === undefined ? {} : { ciphers }),
    folder,
    timeScale: request.plan.timeScale,
    deadlineMs: deadlineFor(request.plan.timeScale),
  }
}

/** The client's own chain and key, as files. */
async function certificateFiles(
  id: string,
  folder: string,
  request: RunRequest,
): Promise<Pick<Delivery, 'clientCertificate'>> {
  const { certPem, keyPem } = await request.issuer.clientChain(id)
  const [chainFile, keyFile] = [join(folder, 'client.pem'), join(folder, 'client-key.pem')]
  await writeFile(chainFile, certPem)
  await writeFile(keyFile, keyPem, { mode: 0o600 })
  return { clientCertificate: { chainFile, keyFile } }
}

async function changePhase(
  cell: PlannedCell,
  phase: string,
  peers: ReadonlyMap<string, Peer>,
  request: RunRequest,
): Promise<void> {
  const world = cell.scenario.phases[phase]
  if (world === undefined) throw new Error(`the scenario has no phase "${phase}"`)
  for (const [id, host] of Object.entries(world)) {
    const tls = await tlsOf(cell, host, cell.hostNames[id] ?? id, request)
    await peers.get(id)?.change(host.stack, { ...tls, extensions: host.extensions })
  }
}

/** The client has spoken; its connections are given a moment to end by themselves, so that their end is on record. */
async function lingering(peers: ReadonlyMap<string, Peer>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, LINGER_MS)
  })
  await Promise.race([Promise.all([...peers.values()].map((each) => each.idle())), patience])
  clearTimeout(timer)
}
