/**
 * Runs a plan: for each cell the world, the client's deliveries, and everything of it in the event log. The one module of
 * this folder that is not pure; it judges nothing.
 *
 * What always holds: each cell has one `cell` event and, unless the process dies, one `cell-end`; whatever goes wrong in
 * one cell stays in it; when `runPlan` resolves no peer listens and no delivery goes on.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClientChain, IssuedChain } from '../peers/certificates/authority.ts'
import { type Peer, type PeerOptions, peer } from '../peers/peer.ts'
import type { ClientWord, Delivery, Foreseen, MailHost, RetryCause, RunningClient } from './client.ts'
import type { CellEnded, LogEvent } from './events.ts'
import { Gate } from './gate.ts'
import type { Internet, Place } from './internet.ts'
import { envelopeOf, messageOf } from './message.ts'
import type { Plan, PlannedCell } from './plan.ts'
import type { Host, World } from './scenario.ts'

/** What the runner needs of a certificate authority. */
export interface Issuer {
  readonly rootPem: string
  readonly rootDer: Buffer
  issue(fault: string, names: { readonly host: string; readonly domain: string }): Promise<IssuedChain>
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
  /** Names and addresses of its own for every host; without it, peers get a port each on loopback. */
  readonly internet?: Internet
  /** Cells at once, 1 or more; those of clients with a queue have a limit of their own, {@link QUEUE_ATTEMPTS}. */
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

/** What an MTA may take on top, in milliseconds: its processes serve all cells, and one waits for another's turn. */
const TURN_MS = 16_000

/** Milliseconds after which a client that says nothing is taken for hung: the limit ÷ scale, and its start. */
export function deadlineFor(timeScale: number, kind: PlannedCell['kind'] = 'one-shot'): number {
  return Math.ceil(LONGEST_LIMIT_MS / timeScale) + START_MS + (kind === 'queue' ? TURN_MS : 0)
}

/** A client waits at each host that it tries; five is what Postfix tries in one attempt. */
function deadlineOf({ scenario, kind }: PlannedCell, timeScale: number): number {
  return deadlineFor(timeScale, kind) * Math.min(5, Object.keys(scenario.hosts).length)
}

/** Attempts of clients with a queue that begin at once; see {@link Gate}. */
const QUEUE_ATTEMPTS = 24

/** The same of cells that flood a client or make it wait: they cost most at their begin, and some cost a lot. */
const SLOW_ATTEMPTS = 6

/**
 * Runs every cell: the controls first, which all else rests upon; then slow ones before others, so that the run is as long
 * as its longest and not as their sum.
 */
export async function runPlan(request: RunRequest): Promise<void> {
  const sorted = [...request.plan.cells].sort((a, b) => Number(b.slow) - Number(a.slow))
  const gates = { slow: new Gate(SLOW_ATTEMPTS), other: new Gate(QUEUE_ATTEMPTS) }
  for (const controls of [true, false]) {
    const now = sorted.filter(({ role }) => (role !== 'scenario') === controls)
    const rest = now.filter((cell) => !isQueued(cell))
    const worker = async (): Promise<void> => {
      for (let cell = rest.shift(); cell !== undefined && !request.signal.aborted; cell = rest.shift()) {
        await runCell(cell, request)
      }
    }
    const passing = async (cell: PlannedCell): Promise<void> => {
      const gate = cell.slow ? gates.slow : gates.other
      const leave = await gate.enter()
      if (!request.signal.aborted) await runCell(cell, request, { gate, leave })
      leave()
    }
    await Promise.all([...Array.from({ length: request.jobs }, worker), ...now.filter(isQueued).map(passing)])
  }
}

function isQueued({ kind }: PlannedCell): boolean {
  return kind === 'queue'
}

/** A cell's place among those that are busy: it has one when it begins. */
interface Turn {
  readonly gate: Gate
  leave: () => void
}

/** What the cells of a client will give it: the settings that an MTA keeps by domain. */
export async function foreseen(
  client: string,
  request: Pick<RunRequest, 'plan' | 'issuer' | 'folder'>,
): Promise<readonly Foreseen[]> {
  const cells = request.plan.cells.filter((cell) => cell.client === client && cell.unsupported === undefined)
  return Promise.all(
    cells.map(async (cell) => ({
      cell: cell.id,
      policy: cell.policy,
      domain: cell.domain,
      ...(await settingsOf(cell, request)),
    })),
  )
}

/** The hosts of a cell as they are now. */
interface CellWorld {
  readonly peers: Map<string, Peer>
  hosts: World
}

/** As DNS tells them, the first one first. */
function mailHosts(cell: PlannedCell, { peers, hosts }: CellWorld): readonly MailHost[] {
  return [...peers].map(([id, { address, port }]) => {
    const preference = hosts[id]?.preference
    return {
      name: cell.hostNames[id] ?? id,
      ...(typeof preference === 'number' ? { preference } : {}),
      address,
      port,
    }
  })
}

async function runCell(cell: PlannedCell, request: RunRequest, turn?: Turn): Promise<void> {
  announce(cell, request)
  const world: CellWorld = { peers: new Map(), hosts: cell.scenario.hosts }
  const { peers } = world
  const folder = join(request.folder, cell.id.replaceAll('/', '_').replaceAll('#', '_'))
  let end: Pick<CellEnded, 'status' | 'reason'>
  try {
    if (cell.unsupported !== undefined) end = { status: 'unsupported', reason: cell.unsupported }
    else {
      await mkdir(folder, { recursive: true })
      for (const [id, host] of Object.entries(cell.scenario.hosts))
        peers.set(id, await openHost(cell, id, host, request))
      request.internet?.publish(cell.id, cell.domain, mailHosts(cell, world))
      end = await perform(cell, world, folder, request, turn)
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
    deadlineMs: deadlineOf(cell, request.plan.timeScale),
    reproduce: `npx badmx run --only ${scenario.name} --policy ${cell.policy} --client ${cell.client} --seed ${seed}`,
  })
}

async function openHost(cell: PlannedCell, id: string, host: Host, request: RunRequest): Promise<Peer> {
  const hostName = cell.hostNames[id] ?? id
  const place: Partial<Place> =
    request.internet?.place(host.address, cell.judgedAs === 'implicit' ? 465 : 25) ??
    (host.address === 'ipv6' ? { address: '::1' } : {})
  return peer(host.stack, {
    ...place,
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
): Promise<Pick<PeerOptions, 'tls'>> {
  const { on, clientCertificate, ...versions } = host.tls
  if (on === 'none') return {}
  const certificate = await request.issuer.issue(host.certificate, { host: hostName, domain: cell.domain })
  const requestCert = clientCertificate !== undefined
  const requireCert = clientCertificate === 'require'
  return {
    tls: { ...versions, certificate, on: cell.judgedAs === 'implicit' ? 'connect' : on, requestCert, requireCert },
  }
}

/** The steps of the job, in order. */
async function perform(
  cell: PlannedCell,
  world: CellWorld,
  folder: string,
  request: RunRequest,
  turn: Turn | undefined,
): Promise<Pick<CellEnded, 'status' | 'reason'>> {
  const client = request.clients.get(cell.client)
  if (client === undefined) throw new Error(`the client ${cell.client} was not started`)
  const { job } = cell.scenario
  const desk = new Desk(cell, client, await deliveryOf(cell, world, folder, request), request, turn)
  try {
    for (const step of job.steps) {
      if (request.signal.aborted || desk.refusal !== undefined) break
      if ('phase' in step) await changePhase(cell, step.phase, world, request)
      else if ('submit' in step)
        for (let count = 0; count < step.submit && desk.refusal === undefined; count++) await desk.submit()
      else if (step.settle !== 'first') await desk.retry(step.settle)
    }
    // What a client with a queue does in the end shows at an attempt that its schedule would make by itself.
    if (!job.steps.some((step) => 'settle' in step && step.settle !== 'first')) await desk.retry('aged')
  } finally {
    await desk.close()
  }
  if (desk.refusal !== undefined) return { status: 'unsupported', reason: desk.refusal }
  return request.signal.aborted ? { status: 'interrupted', reason: 'the run was interrupted' } : { status: 'done' }
}

/** Milliseconds that a client may take to bring a notice home after it gave a message up. */
const NOTICE_MS = 3_000

/** Where the messages of a cell are handed over, and its attempts counted. */
class Desk {
  /** Set when the client says that it cannot do this. */
  refusal: string | undefined
  private readonly cell: PlannedCell
  private readonly client: RunningClient
  private readonly common: Delivery
  private readonly request: RunRequest
  private readonly turn: Turn | undefined
  private readonly submitted: Delivery[] = []
  private attempts = 0
  private word: ClientWord | undefined

  constructor(cell: PlannedCell, client: RunningClient, common: Delivery, request: RunRequest, turn: Turn | undefined) {
    this.turn = turn
    this.cell = cell
    this.client = client
    this.common = common
    this.request = request
  }

  /** A message of its own for each submission. */
  async submit(): Promise<void> {
    const { cell, common, request } = this
    const number = this.submitted.length + 1
    const envelope = { from: common.from, to: common.to[0] ?? '' }
    const message = messageOf(cell.canaries, envelope, request.clock, number, cell.scenario.job.octets)
    const folder = join(common.folder, String(number))
    await mkdir(folder)
    const delivery = { ...common, message, folder }
    this.submitted.push(delivery)
    await this.attempt('first', () => this.client.deliver(delivery, request.signal))
  }

  /** Another attempt with the last message, if the client still has it. */
  async retry(cause: RetryCause): Promise<void> {
    const { client, request } = this
    const delivery = this.submitted.at(-1)
    if (delivery === undefined || this.word?.state !== 'queued' || request.signal.aborted) return
    this.turn?.leave()
    if (cause === 'aged') await pause(client.agesInMs?.(delivery) ?? 0, request.signal)
    if (request.signal.aborted) return
    if (this.turn !== undefined) this.turn.leave = await this.turn.gate.enter()
    await this.attempt(cause, () => client.retry?.(delivery, request.signal))
  }

  private async attempt(cause: 'first' | RetryCause, make: () => Promise<ClientWord> | undefined): Promise<void> {
    const { log, now, signal } = this.request
    const cell = this.cell.id
    this.attempts += 1
    const attempt = this.attempts
    log({ type: 'attempt', state: 'begun', t: now(), cell, attempt, cause })
    const word = await make()
    if (word === undefined) throw new Error(`${this.cell.client} has a queue and no way to retry`)
    log({ type: 'client', t: now(), cell, attempt, word })
    log({ type: 'attempt', state: 'ended', t: now(), cell, attempt, cause })
    this.word = word
    if (word.state === 'unsupported') this.refusal = word.reason
    if (word.state !== 'bounced') return
    const notice = await this.request.internet?.notice(this.common.from, NOTICE_MS, signal)
    if (notice !== undefined) log({ type: 'notice', t: now(), cell, attempt, data: notice })
  }

  /** The client need not go on with what it still has. */
  async close(): Promise<void> {
    for (const delivery of this.submitted) await this.client.forget?.(delivery)
  }
}

async function deliveryOf(cell: PlannedCell, world: CellWorld, folder: string, request: RunRequest): Promise<Delivery> {
  const hosts = mailHosts(cell, world)
  const [first] = hosts
  if (first === undefined) throw new Error('the scenario has no host')
  const envelope = envelopeOf(cell.canaries, cell.domain)
  const caFile = join(folder, 'ca.pem')
  await writeFile(caFile, request.issuer.rootPem)
  return {
    cell: cell.id,
    policy: cell.policy,
    hostName: first.name,
    address: first.address,
    port: first.port,
    hosts,
    from: envelope.from,
    to: [envelope.to],
    message: Buffer.alloc(0),
    ...(await settingsOf(cell, request)),
    caFile,
    folder,
    timeScale: request.plan.timeScale,
    deadlineMs: deadlineOf(cell, request.plan.timeScale),
  }
}

/** What a cell sets of its client. */
async function settingsOf(
  cell: PlannedCell,
  request: Pick<RunRequest, 'issuer' | 'folder'>,
): Promise<Pick<Delivery, 'credentials' | 'clientCertificate' | 'ciphers'>> {
  const secret = (name: string): string => cell.canaries.find((canary) => canary.name === name)?.value ?? ''
  const { ciphers, clientCertificate } = cell.scenario.job
  return {
    ...(cell.credentials ? { credentials: { user: secret('user'), password: secret('password') } } : {}),
    ...(clientCertificate === undefined
      ? {}
      : { clientCertificate: await certificateFiles(clientCertificate, request) }),
    ...(ciphers === undefined ? {} : { ciphers }),
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

async function changePhase(cell: PlannedCell, phase: string, world: CellWorld, request: RunRequest): Promise<void> {
  const next = cell.scenario.phases[phase]
  if (next === undefined) throw new Error(`the scenario has no phase "${phase}"`)
  for (const [id, host] of Object.entries(next)) {
    const tls = await tlsOf(cell, host, cell.hostNames[id] ?? id, request)
    await world.peers.get(id)?.change(host.stack, { ...tls, extensions: host.extensions })
  }
  world.hosts = next
  request.internet?.publish(cell.id, cell.domain, mailHosts(cell, world))
}

/** Waits so many milliseconds, or until the run is interrupted. */
function pause(limitMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (limitMs <= 0 || signal.aborted) return resolve()
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, limitMs)
    signal.addEventListener('abort', done)
  })
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
