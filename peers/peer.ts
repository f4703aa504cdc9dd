/**
 * Peers and proxies: stacks of behaviours in front of a sound server of ours, or of somebody else's server.
 *
 *     const mx = await peer(['hide-starttls'], { certificate })
 *     const mitm = await proxy(['hide-starttls'], '127.0.0.1', 2525)
 *
 * Both take the same stacks. What they see and do goes to `log` as events of `badmx/events/1`.
 */
import { Listener } from './listener.ts'
import { type CommonOptions, type Ground, MailHost } from './mail-host.ts'
import { loadOrigin } from './origin.ts'
import { type Stacks, vectorsOf } from './stack.ts'
import { type Certificate, identityOf, type TlsOptions } from './tls-identity.ts'
import { type Offer, offerExtensions, soundOffer } from './wire/extensions.ts'
import type { Setting } from './wire/settings/settings.ts'
import { interceptTls, terminateTls } from './wire/termination.ts'
import type { Upgrade } from './wire/units.ts'

export { type Rotation, StackError, type Stacks } from './stack.ts'
export type { Certificate, TlsOptions, TlsVersion } from './tls-identity.ts'

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
  /** Resolves when all that its sessions need is loaded. It serves before, but the first one waits for what is missing. */
  ready(): Promise<void>
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

/** A sound server with behaviours in front of it. @throws {StackError} @throws {ListenError} */
export async function peer(stack: Stacks, options: PeerOptions = {}): Promise<Peer> {
  const hostName = options.hostName ?? 'mx.badmx.test'
  return serve(stack, options, hostName, (changes) => peerGround({ ...options, ...changes }, hostName))
}

async function peerGround(options: PeerOptions, hostName: string): Promise<Ground> {
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
    identities: tls === undefined ? {} : { host: await identityOf(tls) },
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
    identities: intercept === undefined ? {} : { host: await identityOf({ certificate: intercept.certificate }) },
    server: { upstream: { address: targetHost, port: targetPort } },
    prove: [],
  }
  return serve(stack, options, targetHost, async () => ground)
}

async function serve(
  stack: Stacks,
  options: CommonOptions,
  hostName: string,
  groundWith: (changes: PeerChanges) => Promise<Ground>,
): Promise<Peer> {
  const vectors = await vectorsOf(stack)
  const ground = await groundWith({})
  const host = new MailHost(vectors, options, hostName, ground)
  const listener = options.listener ?? (await Listener.open(options))
  listener.serve(host, options.listener === undefined ? undefined : options.address)
  return {
    ...listener.address,
    ...(options.listener !== undefined && options.address !== undefined ? { address: options.address } : {}),
    ready: async () => ('origin' in ground.server ? loadOrigin() : undefined),
    connections: () => host.size,
    idle: () => host.idle(),
    change: async (changed, changes = {}) => host.change(await vectorsOf(changed), await groundWith(changes)),
    close: async () => {
      listener.leave(host)
      host.close()
      if (options.listener === undefined) await listener.close()
    },
  }
}
