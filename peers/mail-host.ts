/**
 * One mail host: makes a session for each connection, of the stack that the connection is to meet.
 *
 * What always holds: a session keeps what it was made of; a change is for connections that come after it.
 */
import type { Socket } from 'node:net'
import type { BehaviourContext } from './behaviour.ts'
import type { CanaryText } from './canary.ts'
import type { EventSink, SocketAddress } from './events.ts'
import { canonical, type Host, type Listener, type ListenOptions } from './listener.ts'
import { octets, seeded } from './random.ts'
import { Recorder } from './recorder.ts'
import { type NamedLayer, type NamedTlsLayer, Session, type SessionOptions } from './session.ts'
import { type Member, StackError, type Vectors } from './stack.ts'
import { planeOf, type Setting, watchSetting } from './wire/settings/settings.ts'
import type { Upgrade } from './wire/units.ts'

/** What peers and proxies are told alike. */
export interface CommonOptions extends ListenOptions {
  readonly log?: EventSink
  /** Milliseconds since the run began; default: since the peer was made. */
  readonly now?: () => number
  /** The cell that its events belong to. */
  readonly cell?: string
  /** The host id in its world; default `mx`. */
  readonly host?: string
  /** Texts that are searched for in octets that the log leaves out. */
  readonly canaries?: readonly CanaryText[]
  /** Goes in front of connection numbers, so that ids are unique across peers and shards. */
  readonly connPrefix?: string
  readonly seed?: number
  /** Delays of behaviours on the scaled clock are divided by it; default 1. */
  readonly timeScale?: number
  /** Milliseconds of silence after which a connection is ended; default 20 minutes (RFC 5321 §4.5.3.2.7 asks a server for 5). */
  readonly idleMs?: number
  /**
   * Record the TLS records too, so that a capture can be made: costs about a fifth more CPU in TLS. Default false.
   */
  readonly capture?: boolean
  /** Serve on a listener that others use too, at its local address {@link ListenOptions.address}. */
  readonly listener?: Listener
}

/** Twice the longest limit of RFC 5321 §4.5.3.2: a client that waits it out in full is not cut short. */
const IDLE_MS = 1_200_000

/** What peers and proxies differ in. */
export interface Ground {
  readonly inner: () => readonly NamedLayer[]
  readonly identities: SessionOptions['identities']
  readonly onConnect?: Upgrade
  readonly server: SessionOptions['server']
  readonly prove: readonly Setting[]
}

/** A behaviour inside the legacy engine needs that engine. */
function checkPlanes({ stacks }: Vectors, { identities }: Ground): void {
  const legacy = Object.values(identities).some(({ engine }) => 'legacy' in engine)
  const [member] = stacks.flat().filter(({ behaviour }) => behaviour.plane === 'tls')
  if (member !== undefined && !legacy)
    throw new StackError(
      `"${member.behaviour.id}" acts inside the legacy TLS engine, and this host does not have it (tls: { legacy: {} })`,
    )
}

export class MailHost implements Host {
  private vectors: Vectors
  /** What each client address was given, where it keeps it. */
  private readonly given = new Map<string, readonly Member[]>()
  private turns = 0
  private readonly options: CommonOptions
  private readonly hostName: string
  private ground: Ground
  private readonly sessions = new Set<Session>()
  private readonly began = performance.now()
  private waiting: (() => void)[] = []
  private visits = 0
  private readonly log: EventSink
  private readonly now: () => number

  /** @throws {StackError} */
  constructor(vectors: Vectors, options: CommonOptions, hostName: string, ground: Ground) {
    checkPlanes(vectors, ground)
    this.vectors = vectors
    this.options = options
    this.log = options.log ?? (() => {})
    this.now = options.now ?? (() => performance.now() - this.began)
    this.hostName = hostName
    this.ground = ground
  }

  get size(): number {
    return this.sessions.size
  }

  /** @throws {StackError} */
  change(vectors: Vectors, ground: Ground): void {
    checkPlanes(vectors, ground)
    this.vectors = vectors
    this.ground = ground
    this.given.clear()
  }

  private choose(clientAddress: string): readonly Member[] {
    const { stacks, per, order } = this.vectors
    const kept = per === 'client' ? this.given.get(clientAddress) : undefined
    if (kept !== undefined) return kept
    this.turns += 1
    const draw = (): number => seeded(this.options.seed ?? 0, 'vector', String(this.turns))()
    const index = order === 'seeded' ? Math.floor(draw() * stacks.length) : (this.turns - 1) % stacks.length
    const chosen = stacks[index] ?? []
    if (per === 'client') this.given.set(clientAddress, chosen)
    return chosen
  }

  idle(): Promise<void> {
    return this.sessions.size === 0 ? Promise.resolve() : new Promise((resolve) => this.waiting.push(resolve))
  }

  close(): void {
    for (const session of this.sessions) session.end({ by: 'harness', how: 'deadline', detail: 'the peer was closed' })
  }

  accept(socket: Socket): void {
    const { options, ground } = this
    this.visits += 1
    const visit = this.visits
    const host = options.host ?? 'mx'
    const conn = `${options.connPrefix ?? ''}${host}.${visit}`
    const recorder = new Recorder({
      ...{ sink: this.log, now: this.now },
      conn,
      ...(options.cell === undefined ? {} : { cell: options.cell }),
      canaries: options.canaries ?? [],
    })
    recorder.event({
      type: 'conn',
      state: 'open',
      host,
      local: { address: canonical(socket.localAddress ?? ''), port: socket.localPort ?? 0 },
      remote: remoteOf(socket),
      tlsOnConnect: ground.onConnect !== undefined,
      ...('upstream' in ground.server ? { upstream: ground.server.upstream } : {}),
    })
    const session = new Session(socket, this.sessionOptions(host, visit, socket), recorder, () => this.gone(session))
    this.sessions.add(session)
    session.start()
  }

  private sessionOptions(host: string, visit: number, socket: Socket): SessionOptions {
    const { options, ground } = this
    const members = this.choose(socket.remoteAddress ?? '')
    const draw = (label: string): (() => number) =>
      seeded(options.seed ?? 0, options.cell ?? '', host, label, String(visit))
    const contextFor = ({ behaviour, memory }: Member): BehaviourContext => ({
      visit,
      memory,
      random: draw(behaviour.id),
      clientAddress: socket.remoteAddress ?? '',
      hostName: this.hostName,
    })
    const layers = (plane: 'smtp' | 'record'): NamedLayer[] =>
      members.flatMap((member) => {
        const { behaviour, parameters } = member
        if (behaviour.plane !== plane) return []
        return [{ behaviour: behaviour.id, layer: behaviour.create(parameters, contextFor(member)) }]
      })
    const tlsLayers = members.flatMap((member): NamedTlsLayer[] => {
      const { behaviour, parameters } = member
      if (behaviour.plane !== 'tls') return []
      return [{ behaviour: behaviour.id, layer: behaviour.create(parameters, contextFor(member)) }]
    })
    const watched = (plane: 'smtp' | 'record'): NamedLayer[] =>
      ground.prove
        .filter((setting) => planeOf(setting) === plane)
        .map((setting) => ({ behaviour: setting, layer: watchSetting(setting) }))
    return {
      host,
      layers: [...watched('smtp'), ...layers('smtp'), ...ground.inner()],
      recordLayers: sharedIfEmpty([...watched('record'), ...layers('record')]),
      tlsLayers: sharedIfEmpty(tlsLayers),
      // Not a behaviour's id: those are kebab-case.
      tlsRandom: octetsOf(draw('TLS')),
      underTls: members.some(({ behaviour }) => behaviour.underTls === true),
      capture: options.capture ?? false,
      identities: ground.identities,
      ...(ground.onConnect === undefined ? {} : { onConnect: ground.onConnect }),
      server: ground.server,
      timeScale: options.timeScale ?? 1,
      idleMs: options.idleMs ?? IDLE_MS,
    }
  }

  private gone(session: Session): void {
    this.sessions.delete(session)
    if (this.sessions.size > 0) return
    for (const resolve of this.waiting) resolve()
    this.waiting = []
  }
}

const NONE: readonly never[] = []

/** Most sessions have no layers there. */
function sharedIfEmpty<Item>(list: readonly Item[]): readonly Item[] {
  return list.length === 0 ? NONE : list
}

/** By itself, so that it keeps nothing else of a session alive. */
function octetsOf(draw: () => number): (length: number) => Buffer {
  return (length) => octets(draw, length)
}

function remoteOf(socket: Socket): SocketAddress {
  return { address: canonical(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 }
}
