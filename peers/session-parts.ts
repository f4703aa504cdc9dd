/** What the parts of a session share: how one is set up, and what its two ends may ask of it. */
import type { ConnClosed, SocketAddress } from './events.ts'
import type { OriginOptions } from './origin.ts'
import type { Recorder } from './recorder.ts'
import type { TlsLayer } from './tls/legacy/layer.ts'
import type { RandomOctets } from './tls/legacy/protection.ts'
import type { TlsIdentity } from './tls/server-end.ts'
import type { Stack } from './wire/stack.ts'
import type { Layer, Upgrade } from './wire/units.ts'

/** A layer and the behaviour that it belongs to; no behaviour for the layers of a sound server. */
export interface NamedLayer {
  readonly layer: Layer
  readonly behaviour?: string
}

/** A layer of the plane `tls`. */
export interface NamedTlsLayer {
  readonly layer: TlsLayer
  readonly behaviour: string
}

export interface SessionOptions {
  /** The host id in its world. */
  readonly host: string
  /** Layers above TLS, the one nearest to the client first; the termination is the last. */
  readonly layers: readonly NamedLayer[]
  /** Layers under TLS. */
  readonly recordLayers: readonly NamedLayer[]
  /** Layers in the legacy TLS engine, the one nearest to the client first. */
  readonly tlsLayers: readonly NamedTlsLayer[]
  /** The legacy TLS engine draws from it: seeded by run, host and visit. */
  readonly tlsRandom: RandomOctets
  /** Go through the record plane even without layers there: a layer acts on the TCP connection under TLS. */
  readonly underTls: boolean
  /** TLS records are recorded too, as `cipher`, so that a capture can be made. */
  readonly capture: boolean
  /** By the names that upgrades use. */
  readonly identities: Readonly<Record<string, TlsIdentity>>
  /** TLS starts with the connection, with this upgrade. */
  readonly onConnect?: Upgrade
  readonly server: { readonly origin: OriginOptions } | { readonly upstream: SocketAddress }
  /** Alarms on the scaled clock are divided by it. At least 1. */
  readonly timeScale: number
  /** Milliseconds of silence after which the session is ended. */
  readonly idleMs: number
}

/** Who ended a connection, and how. */
export type Ending = Pick<ConnClosed, 'by' | 'how' | 'detail'>

/** What both ends of a session stand on. */
export interface Ground {
  readonly options: SessionOptions
  readonly recorder: Recorder
  readonly stack: Stack
  readonly closed: boolean
  /** The first ending that is noted is the one that the log tells. */
  noteEnd(ending: Ending): void
  /** Ends the session now. */
  end(ending: Ending): void
  /** The session is over: everything that it has goes. */
  finish(): void
  /** Calls `ring` after so many milliseconds, unless the session is over by then. */
  alarm(afterMs: number, ring: () => void): void
}
