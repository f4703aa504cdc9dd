/**
 * Peers and proxies: stacks of behaviours in front of a sound server of ours, or of somebody else's server.
 *
 *     const mx = await peer(['hide-starttls'], { certificate })
 *     const mitm = await proxy(['hide-starttls'], '127.0.0.1', 2525)
 *
 * Both take the same stacks. What they see and do goes to `log` as events of `badmx/events/1`.
 */
import { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { Behaviour, BehaviourContext, StackItem } from './behaviour.ts'
import type { CanaryText } from './canary.ts'
import { readCertificate } from './certificates/presented.ts'
import type { EventSink, SocketAddress } from './events.ts'
import { canonical, type Host, Listener, type ListenOptions } from './listener.ts'
import { octets, seeded } from './random.ts'
import { Recorder } from './recorder.ts'
import { checkStack, loadBehaviours } from './registry.ts'
import { type NamedLayer, type NamedTlsLayer, Session, type SessionOptions } from './session.ts'
import { type GroupBits, groupPem } from './tls/groups.ts'
import { type LegacyTlsInput, legacyTlsSchema } from './tls/legacy/options.ts'
import { LegacyServer } from './tls/legacy/server.ts'
import type { TlsIdentity } from './tls/server-end.ts'
import { type Offer, offerExtensions, soundOffer } from './wire/extensions.ts'
import { planeOf, type Setting, watchSetting } from './wire/settings/settings.ts'
import { interceptTls, terminateTls } from './wire/termination.ts'
import type { Upgrade } from './wire/units.ts'

/** A certificate chain with its key, as an authority issues it. */
export interface Certificate {
  /** `good`, or the id of its fault. */
  readonly id: string
  /** PEM, leaf first, as sent. */
  readonly certPem: string
  readonly keyPem: string
  /** DER, leaf first, as sent. */
  readonly chain: readonly Buffer[]
  /** One line about it. */
  readonly detail: string
  readonly ocspResponse?: Buffer
  /** OpenSSL presents it at security level 0 alone. */
  readonly weak?: true
}

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'

export interface TlsOptions {
  readonly certificate: Certificate
  readonly on?: 'starttls' | 'connect'
  readonly min?: TlsVersion
  readonly max?: TlsVersion
  /** OpenSSL cipher list for TLS 1.2 and below. */
  readonly ciphers?: string
  /** Ask for a client certificate, of whatever issuer; `require` refuses a client that has none. */
  readonly clientCertificate?: 'request' | 'require'
  /** Certificates, PEM, whose subjects the request names (RFC 5246 §7.4.4, RFC 8446 §4.2.4); default none. */
  readonly authorities?: readonly string[]
  /** `false`: not agreed to at TLS 1.2 and below, RFC 7627; default true. */
  readonly extendedMasterSecret?: boolean
  /** Bits of the group of ephemeral Diffie-Hellman; without it no suite of that kind is to be had. */
  readonly diffieHellman?: GroupBits
  /** What a client without SNI gets instead. */
  readonly withoutServerName?: { readonly certificate: Certificate; readonly max?: TlsVersion }
  /** See {@link Upgrade.residue}; default `drop` (RFC 3207 §4.2). */
  readonly residue?: Upgrade['residue']
  /**
   * The server is of the legacy engine (SSL 3.0 to TLS 1.2, RC4, 3DES, …), with its own versions and suites: `min`, `max`,
   * `ciphers` and `extendedMasterSecret` are Node's. It is weak on purpose.
   */
  readonly legacy?: LegacyTlsInput
}

interface CommonOptions extends ListenOptions {
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

export interface PeerOptions extends CommonOptions {
  /** The name that it calls itself; default `mx.badmx.test`. */
  readonly hostName?: string
  /** Without it the peer has no TLS. */
  readonly tls?: TlsOptions
  /** EHLO keywords in clear and inside TLS, STARTTLS apart. */
  readonly extensions?: {
    readonly beforeTls?: readonly string[] | undefined
    readonly afterTls?: readonly string[] | undefined
  }
  /** AUTH is offered inside TLS. */
  readonly passwords?: boolean
  /** Settings that are to record their proof, as behaviours do; those of TLS cost a record plane. Default none. */
  readonly prove?: readonly Setting[]
}

export interface ProxyOptions extends CommonOptions {
  /** Terminate the client's TLS with this certificate instead of passing it through, and speak TLS or not to the server. */
  readonly intercept?: { readonly certificate: Certificate; readonly toServer: 'tls' | 'clear' }
}

/** What can change of a peer while it runs; what is absent stays. */
export type PeerChanges = Partial<Pick<PeerOptions, 'tls' | 'extensions' | 'prove'>>

/** A peer or proxy that runs. */
export interface Peer {
  readonly address: string
  readonly port: number
  /** How many connections it has at this moment. */
  connections(): number
  /** Resolves when it has no connection; at once if it has none. */
  idle(): Promise<void>
  /**
   * Changes what it does for connections from now on: its stack, and of a peer its certificate, TLS and extensions. Ticket keys
   * are new with every change: sessions of before are not resumed.
   */
  change(stack: Stacks, changes?: PeerChanges): Promise<void>
  close(): Promise<void>
}

/** The stack names something that there is not, or members that hide each other's evidence. */
export class StackError extends Error {
  override readonly name = 'StackError'
  readonly code = 'stack'
}

/** One stack for all connections, or several of which each connection or client gets one. */
export type Stacks = Members | Rotation

type Members = readonly (string | StackItem)[]

export interface Rotation {
  readonly vectors: readonly Members[]
  /** `client`: all connections from one address get the same. */
  readonly per: 'connection' | 'client'
  /** `seeded`: drawn with {@link PeerOptions.seed}, the same for the same order of arrivals. */
  readonly order: 'round-robin' | 'seeded'
}

/** A sound server with behaviours in front of it. @throws {StackError} @throws {ListenError} */
export async function peer(stack: Stacks, options: PeerOptions = {}): Promise<Peer> {
  const hostName = options.hostName ?? 'mx.badmx.test'
  return serve(stack, options, hostName, (changes) => peerGround({ ...options, ...changes }, hostName))
}

function peerGround(options: PeerOptions, hostName: string): Ground {
  const { tls } = options
  const upgrade: Upgrade = { context: 'host', residue: tls?.residue ?? 'drop' }
  const sound = soundOffer(tls !== undefined && tls.on !== 'connect', options.passwords ?? false)
  const offer: Offer = {
    ...sound,
    beforeTls: options.extensions?.beforeTls ?? sound.beforeTls,
    afterTls: options.extensions?.afterTls ?? sound.afterTls,
  }
  const authInClear = [...offer.beforeTls, ...(tls === undefined ? offer.afterTls : [])].some((keyword) =>
    /^AUTH\b/i.test(keyword),
  )
  return {
    inner: () => [{ layer: offerExtensions(offer) }, ...(offer.starttls ? [{ layer: terminateTls(upgrade) }] : [])],
    identities: tls === undefined ? {} : { host: identityOf(tls) },
    ...(tls?.on === 'connect' ? { onConnect: upgrade } : {}),
    server: { origin: { hostName, authInClear } },
    prove: options.prove ?? [],
  }
}

/** Behaviours in front of another server: the man in the middle. @throws {StackError} @throws {ListenError} */
export async function proxy(
  stack: Stacks,
  targetHost: string,
  targetPort: number,
  options: ProxyOptions = {},
): Promise<Peer> {
  const { intercept } = options
  const upgrade: Upgrade = { context: 'host', residue: 'drop' }
  const ground: Ground = {
    inner: () => (intercept === undefined ? [] : [{ layer: interceptTls(upgrade, intercept.toServer) }]),
    identities: intercept === undefined ? {} : { host: identityOf({ certificate: intercept.certificate }) },
    server: { upstream: { address: targetHost, port: targetPort } },
    prove: [],
  }
  return serve(stack, options, targetHost, () => ground)
}

function identityOf(tls: TlsOptions): TlsIdentity {
  const { certificate } = tls
  return {
    certificate: certificate.id,
    detail: certificate.detail,
    chain: certificate.chain,
    tls13: tls.legacy === undefined && (tls.max ?? 'TLSv1.3') === 'TLSv1.3',
    engine: tls.legacy === undefined ? { secureContext: contextOf(tls) } : { legacy: legacyOf(tls, tls.legacy) },
    ...(certificate.ocspResponse === undefined ? {} : { ocspResponse: certificate.ocspResponse }),
    ...(tls.clientCertificate === undefined ? {} : { requestCert: true }),
    ...(tls.clientCertificate === 'require' ? { requireCert: true } : {}),
    ...(tls.withoutServerName === undefined ? {} : { withoutServerName: identityOf(tls.withoutServerName) }),
  }
}

function contextOf(tls: TlsOptions): SecureContext {
  const { certificate, min = 'TLSv1.2', max = 'TLSv1.3' } = tls
  const old = min === 'TLSv1' || min === 'TLSv1.1'
  return createSecureContext({
    cert: certificate.certPem,
    key: certificate.keyPem,
    minVersion: min,
    maxVersion: max,
    // Without one OpenSSL breaks a resumption off where a client certificate is asked for.
    sessionIdContext: 'badmx',
    ...(tls.extendedMasterSecret === false ? { secureOptions: NO_EXTENDED_MASTER_SECRET } : {}),
    ...(tls.authorities === undefined ? {} : { ca: [...tls.authorities] }),
    ...(tls.diffieHellman === undefined ? {} : { dhparam: groupPem(tls.diffieHellman) }),
    // OpenSSL 3 speaks TLS 1.0 and 1.1, and signs with SHA-1, only at security level 0.
    ...(tls.ciphers !== undefined ? { ciphers: tls.ciphers } : old || certificate.weak ? LEVEL_0 : {}),
  })
}

function legacyOf(tls: TlsOptions, given: LegacyTlsInput): LegacyServer {
  const { certificate, clientCertificate, authorities = [] } = tls
  return new LegacyServer({
    options: legacyTlsSchema.parse(given),
    chain: certificate.chain,
    keyPem: certificate.keyPem,
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
    authorities: authorities.map((pem) => readCertificate(new X509Certificate(pem).raw).subject),
  })
}

/** SSL_OP_NO_EXTENDED_MASTER_SECRET of OpenSSL 3.0, for which Node has no name. */
const NO_EXTENDED_MASTER_SECRET = 1

const LEVEL_0 = { ciphers: 'DEFAULT@SECLEVEL=0' } as const

/** Twice the longest limit of RFC 5321 §4.5.3.2: a client that waits it out in full is not cut short. */
const IDLE_MS = 1_200_000

/** What peers and proxies differ in. */
interface Ground {
  readonly inner: () => readonly NamedLayer[]
  readonly identities: SessionOptions['identities']
  readonly onConnect?: Upgrade
  readonly server: SessionOptions['server']
  readonly prove: readonly Setting[]
}

/** Loaded once: the folder does not change while the program runs. */
let shipped: Promise<ReadonlyMap<string, Behaviour>> | undefined

async function serve(
  stack: Stacks,
  options: CommonOptions,
  hostName: string,
  groundWith: (changes: PeerChanges) => Ground,
): Promise<Peer> {
  shipped ??= loadBehaviours()
  const behaviours = await shipped
  const listener = options.listener ?? (await Listener.open(options))
  try {
    const host = new MailHost(vectorsOf(stack, behaviours), options, hostName, groundWith({}))
    listener.serve(host, options.listener === undefined ? undefined : options.address)
    return {
      ...listener.address,
      ...(options.listener !== undefined && options.address !== undefined ? { address: options.address } : {}),
      connections: () => host.size,
      idle: () => host.idle(),
      change: async (changed, changes = {}) => host.change(vectorsOf(changed, behaviours), groundWith(changes)),
      close: async () => {
        listener.leave(host)
        host.close()
        if (options.listener === undefined) await listener.close()
      },
    }
  } catch (error) {
    if (options.listener === undefined) await listener.close()
    throw error
  }
}

interface Member {
  readonly behaviour: Behaviour
  readonly parameters: unknown
  readonly memory: Map<string, unknown>
}

/** Stacks that are ready to be used, and how one is chosen. */
interface Vectors {
  readonly stacks: readonly (readonly Member[])[]
  readonly per: Rotation['per']
  readonly order: Rotation['order']
}

function vectorsOf(stack: Stacks, behaviours: ReadonlyMap<string, Behaviour>): Vectors {
  if (!('vectors' in stack))
    return { stacks: [resolveStack(stack, behaviours)], per: 'connection', order: 'round-robin' }
  if (stack.vectors.length === 0) throw new StackError('a rotation needs one vector or more')
  return { ...stack, stacks: stack.vectors.map((members) => resolveStack(members, behaviours)) }
}

function resolveStack(stack: Members, behaviours: ReadonlyMap<string, Behaviour>): Member[] {
  const items = stack.map((item) => (typeof item === 'string' ? { use: item } : item))
  const [problem] = checkStack(items, behaviours)
  if (problem !== undefined) {
    const hint = problem.nearest === undefined ? '' : ` (did you mean "${problem.nearest}"?)`
    throw new StackError(
      `stack member ${problem.index + 1}: ${problem.message}${hint}${problem.expected === undefined ? '' : `; expected ${problem.expected}`}`,
    )
  }
  return items.flatMap((item) => {
    const behaviour = behaviours.get(item.use)
    return behaviour === undefined
      ? []
      : [{ behaviour, parameters: behaviour.parameters.parse(item.with ?? {}), memory: new Map() }]
  })
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

/** One mail host: makes a session for each connection. */
class MailHost implements Host {
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

  /** @throws {StackError} */
  constructor(vectors: Vectors, options: CommonOptions, hostName: string, ground: Ground) {
    checkPlanes(vectors, ground)
    this.vectors = vectors
    this.options = options
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
      sink: options.log ?? (() => {}),
      now: options.now ?? (() => performance.now() - this.began),
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
    // Not a behaviour's id: those are kebab-case.
    const tlsDraw = draw('TLS')
    const watched = (plane: 'smtp' | 'record'): NamedLayer[] =>
      ground.prove
        .filter((setting) => planeOf(setting) === plane)
        .map((setting) => ({ behaviour: setting, layer: watchSetting(setting) }))
    return {
      host,
      layers: [...watched('smtp'), ...layers('smtp'), ...ground.inner()],
      recordLayers: [...watched('record'), ...layers('record')],
      tlsLayers,
      tlsRandom: (length) => octets(tlsDraw, length),
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

function remoteOf(socket: Socket): SocketAddress {
  return { address: canonical(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 }
}
