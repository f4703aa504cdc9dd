/**
 * Runs a plan: for each cell the world, the client's deliveries, and everything of it in the event log. The one module of
 * this folder that is not pure; it judges nothing.
 *
 * What always holds: each cell has one `cell` event and, unless the process dies, one `cell-end`; whatever goes wrong in
 * one cell stays in it; when `runPlan` resolves no peer listens and no delivery goes on.
 */
import { X509Certificate } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClientChain, IssuedChain } from '../peers/certificates/authority.ts'
import { type Peer, type PeerOptions, peer } from '../peers/peer.ts'
import type { ClientWord, Delivery, Foreseen, MailHost, RetryCause, RunningClient } from './client.ts'
import type { AttemptBegun, CellBegun, CellEnded, LogEvent } from './events.ts'
import { Gate, Turn } from './gate.ts'
import { type HostIssuer, provenSettings, tlsOptionsOf } from './host-tls.ts'
import type { Internet, Place } from './internet.ts'
import { envelopeOf, messageOf } from './message.ts'
import type { Plan, PlannedCell } from './plan.ts'
import type { Policy } from './policy.ts'
import type { Host, World } from './scenario.ts'

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
/** A scenario that waits for its certificate to expire has one that does soon; milliseconds. */
const LONGEST_WAIT_MS = 60_000
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
  const oneShot = new Gate(request.jobs, 'held')
  const queue = { slow: new Gate(SLOW_ATTEMPTS, 'while-busy'), other: new Gate(QUEUE_ATTEMPTS, 'while-busy') }
  const stopPulse = pulse(request)
  const run = async (cell: PlannedCell): Promise<void> => {
    const turn = await Turn.take(cell.kind === 'one-shot' ? oneShot : cell.slow ? queue.slow : queue.other)
    if (!request.signal.aborted) await runCell(cell, request, turn)
    turn.leave()
  }
  for (const controls of [true, false])
    await Promise.all(sorted.filter(({ role }) => (role !== 'scenario') === controls).map(run))
  stopPulse()
}

const PULSE_MS = 250
/** Milliseconds of lateness that are worth a word in the log. */
const LATE_MS = 1_000

/** Notices when this process does not get to do its work in time. Returns the way to end that. */
function pulse({ log, now }: RunRequest): () => void {
  let due = now() + PULSE_MS
  const timer = setInterval(() => {
    const ms = now() - due
    if (ms > LATE_MS) log({ type: 'late', t: now(), ms })
    due = now() + PULSE_MS
  }, PULSE_MS)
  return () => clearInterval(timer)
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
      ...(cell.scenario.job.horizonSeconds === undefined ? {} : { horizonSeconds: cell.scenario.job.horizonSeconds }),
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

async function runCell(cell: PlannedCell, request: RunRequest, turn: Turn): Promise<void> {
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
    hosts: factsOf(scenario.hosts),
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

function factsOf(world: World): CellBegun['hosts'] {
  return Object.fromEntries(Object.entries(world).map(([id, { preference, tls }]) => [id, { preference, tls: tls.on }]))
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

function certificateOf(cell: PlannedCell, host: Host, hostName: string, request: RunRequest): Promise<IssuedChain> {
  return request.issuer.issue(host.certificate, { host: hostName, domain: cell.domain }, present(request))
}

/** The wall clock, as the run has it. */
function present({ clock, now }: RunRequest): Date {
  return new Date(clock.getTime() + now())
}

async function tlsOf(
  cell: PlannedCell,
  host: Host,
  hostName: string,
  request: RunRequest,
): Promise<Pick<PeerOptions, 'tls' | 'prove'>> {
  const prove = provenSettings(cell.scenario.family, host)
  const tls = await tlsOptionsOf(host, { host: hostName, domain: cell.domain }, request.issuer, present(request))
  if (tls === undefined) return { prove }
  return { prove, tls: cell.judgedAs === 'implicit' ? { ...tls, on: 'connect' } : tls }
}

/** The steps of the job, in order. */
async function perform(
  cell: PlannedCell,
  world: CellWorld,
  folder: string,
  request: RunRequest,
  turn: Turn,
): Promise<Pick<CellEnded, 'status' | 'reason'>> {
  const client = request.clients.get(cell.client)
  if (client === undefined) throw new Error(`the client ${cell.client} was not started`)
  const { job } = cell.scenario
  const desk = new Desk(cell, client, world, await deliveryOf(cell, world, folder, request), request, turn)
  try {
    for (const step of job.steps) {
      if (request.signal.aborted || desk.refusal !== undefined) break
      if ('phase' in step) await changePhase(cell, step.phase, world, request)
      else if ('until' in step) await turn.aside(() => expired(cell, request))
      else if ('submit' in step)
        for (let count = 0; count < step.submit && desk.refusal === undefined; count++) await desk.submit(step.policy)
      else if (step.settle !== 'first') await desk.retry(step.settle)
    }
    const { horizonSeconds } = job
    if (horizonSeconds !== undefined) await desk.leaveAlone(horizonSeconds)
    // What a client with a queue does in the end shows at an attempt that its schedule would make by itself.
    else if (!job.steps.some((step) => 'settle' in step && step.settle !== 'first')) await desk.retry('aged')
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
  private readonly world: CellWorld
  private readonly common: Delivery
  private readonly request: RunRequest
  private readonly turn: Turn
  private readonly submitted: Delivery[] = []
  private attempts = 0
  private word: ClientWord | undefined

  constructor(
    cell: PlannedCell,
    client: RunningClient,
    world: CellWorld,
    common: Delivery,
    request: RunRequest,
    turn: Turn,
  ) {
    this.turn = turn
    this.cell = cell
    this.client = client
    this.world = world
    this.common = common
    this.request = request
  }

  /** A message of its own for each submission. @param policy another one than the cell's, for a message that prepares */
  async submit(policy: Policy = this.cell.policy): Promise<void> {
    const { cell, common, request } = this
    const number = this.submitted.length + 1
    const envelope = { from: common.from, to: common.to[0] ?? '' }
    const message = messageOf(cell.canaries, envelope, request.clock, number, cell.scenario.job.octets)
    const folder = join(common.folder, String(number))
    await mkdir(folder)
    const hosts = (): readonly MailHost[] => mailHosts(cell, this.world)
    const delivery: Delivery = {
      ...common,
      policy,
      message,
      folder,
      // A phase of the world changes them, and clients know a message by its delivery.
      get hosts() {
        return hosts()
      },
    }
    this.submitted.push(delivery)
    await this.attempt('first', policy, () => this.client.deliver(delivery, request.signal))
  }

  /** Another attempt with the last message, if the client still has it. */
  async retry(cause: RetryCause): Promise<void> {
    const { client, request } = this
    const delivery = this.submitted.at(-1)
    if (delivery === undefined || this.word?.state !== 'queued' || request.signal.aborted) return
    if (cause === 'aged') await this.turn.aside(() => pause(client.agesInMs?.(delivery) ?? 0, request.signal))
    if (request.signal.aborted) return
    await this.attempt(cause, delivery.policy, () => client.retry?.(delivery, request.signal))
  }

  /** Leaves the last message, if the client still has it, to its own schedule until it is out of the queue, or so old. */
  async leaveAlone(horizonSeconds: number): Promise<void> {
    const { client, request } = this
    const delivery = this.submitted.at(-1)
    for (let age = 0; age < horizonSeconds; ) {
      if (delivery === undefined || this.word?.state !== 'queued' || request.signal.aborted) return
      if (client.wait === undefined) {
        this.refusal = `${this.cell.client} has no clock that can be made fast here`
        return
      }
      await this.attempt('own', delivery.policy, () => client.wait?.(delivery, horizonSeconds, request.signal))
      const { ageSeconds } = this.word
      if (ageSeconds === undefined || ageSeconds <= age)
        throw new Error(`${this.cell.client} was left alone, and does not say how old the message has become`)
      age = ageSeconds
    }
  }

  private async attempt(
    cause: AttemptBegun['cause'],
    under: Policy,
    make: () => Promise<ClientWord> | undefined,
  ): Promise<void> {
    const { log, now, signal } = this.request
    const cell = this.cell.id
    this.attempts += 1
    const attempt = this.attempts
    const policy = under === this.cell.policy ? {} : { policy: under }
    log({ type: 'attempt', state: 'begun', t: now(), cell, attempt, cause, ...policy })
    const word = await make()
    if (word === undefined) throw new Error(`${this.cell.client} has a queue and no way to retry`)
    log({ type: 'client', t: now(), cell, attempt, word })
    log({ type: 'attempt', state: 'ended', t: now(), cell, attempt, cause, ...policy })
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

/** Resolves when the leaf of every host has expired (RFC 5280 §4.1.2.5: its last second counts), or the run is interrupted. */
async function expired(cell: PlannedCell, request: RunRequest): Promise<void> {
  const { signal } = request
  const ends = await Promise.all(
    Object.entries(cell.scenario.hosts).map(async ([id, host]) => {
      const [leaf] = (await certificateOf(cell, host, cell.hostNames[id] ?? id, request)).chain
      return leaf === undefined ? 0 : Date.parse(new X509Certificate(leaf).validTo) + 1000
    }),
  )
  const waitMs = Math.max(...ends) - present(request).getTime()
  if (waitMs > LONGEST_WAIT_MS) throw new Error(`the certificate expires in ${Math.round(waitMs / 1000)} s, not soon`)
  await pause(Math.ceil(waitMs), signal)
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
  request.log({ type: 'phase', t: request.now(), cell: cell.id, phase, hosts: factsOf(next) })
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
