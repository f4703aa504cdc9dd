/**
 * Writes one connection into the event log: every octet with its side, direction and layer, TLS, proofs, the end.
 *
 * A run of octets in one direction is kept whole up to {@link KEEP}; of what follows, until the direction turns, only the
 * length, the SHA-256, the last {@link TAIL} octets and the canaries found while it streamed: no session fills the disk.
 */
import { createHash, type Hash } from 'node:crypto'
import { type CanaryText, findCanaries, longestForm } from './canary.ts'
import type { BytesCrossed, EventSink, PeerEvent } from './events.ts'

/** Octets kept of a run before the rest is elided. */
export const KEEP = 64 * 1024
/** Octets kept of the end of an elided run. */
export const TAIL = 4 * 1024

const NONE: Buffer = Buffer.alloc(0)

export type Side = BytesCrossed['side']
export type Direction = BytesCrossed['direction']
export type ByteLayer = BytesCrossed['layer']

/** `Omit` that keeps the members of a union apart. */
type Distribute<Event, Keys extends PropertyKey> = Event extends unknown ? Omit<Event, Keys> : never

/** An event of a connection, without what the recorder adds. */
export type ConnectionEvent = Distribute<Extract<PeerEvent, { conn?: string }>, 't' | 'cell' | 'conn'>

interface Elided {
  length: number
  readonly hash: Hash
  readonly hits: Set<string>
  tail: Buffer
}

interface Run {
  readonly side: Side
  readonly direction: Direction
  readonly layer: ByteLayer
  kept: number
  /** The last octets that were kept: a canary may begin in them and end in what is left out. */
  seam: Buffer
  elided: Elided | undefined
}

export interface RecorderOptions {
  readonly sink: EventSink
  /** Milliseconds since the run began. */
  readonly now: () => number
  readonly conn: string
  readonly cell?: string
  readonly canaries: readonly CanaryText[]
}

type RunKey = Side | `${Side} records`
const RUN_KEYS: readonly RunKey[] = ['client', 'upstream', 'client records', 'upstream records']

export class Recorder {
  private readonly options: RecorderOptions
  /** By side, and one more each for the TLS records that carry what the side shows in plain. */
  private readonly runs: Record<RunKey, Run | undefined> = {
    client: undefined,
    upstream: undefined,
    'client records': undefined,
    'upstream records': undefined,
  }
  /** Octets of the longest form of a canary. */
  private readonly longest: number
  /** Octets sent to the client on the current layer. */
  private sent = 0
  private sentLayer: ByteLayer = 'tcp'

  constructor(options: RecorderOptions) {
    this.options = options
    this.longest = longestForm(options.canaries)
  }

  /** How many octets have gone to the client on the layer in use now. */
  get offset(): number {
    return this.sent
  }

  bytes(side: Side, direction: Direction, layer: ByteLayer, data: Buffer): void {
    if (data.length === 0) return
    if (side === 'client' && direction === 'out') {
      this.sent = layer === this.sentLayer ? this.sent + data.length : data.length
      this.sentLayer = layer
    }
    this.keep(this.run(side, side, direction, layer), data)
  }

  /** TLS records of a connection, whose content is recorded as `tls` too: for captures, and nothing counts them. */
  records(side: Side, direction: Direction, data: Buffer): void {
    if (data.length > 0) this.keep(this.run(`${side} records`, side, direction, 'cipher'), data)
  }

  private keep(run: Run, data: Buffer): void {
    const { side, direction, layer } = run
    const room = KEEP - run.kept
    if (room > 0) {
      const head = data.subarray(0, room)
      run.kept += head.length
      run.seam = this.window(run.seam, head)
      this.event({ type: 'bytes', side, direction, layer, data: head })
    }
    if (room < data.length) this.elide(run, data.subarray(Math.max(0, room)))
  }

  event(event: ConnectionEvent): void {
    const { sink, now, conn, cell } = this.options
    sink((cell === undefined ? { t: now(), conn, ...event } : { t: now(), cell, conn, ...event }) as PeerEvent)
  }

  /** Writes what is still held back of elided runs. */
  flush(): void {
    for (const key of RUN_KEYS) this.endRun(key)
  }

  private run(key: RunKey, side: Side, direction: Direction, layer: ByteLayer): Run {
    const current = this.runs[key]
    if (current !== undefined && current.direction === direction && current.layer === layer) return current
    this.endRun(key)
    const fresh: Run = { side, direction, layer, kept: 0, seam: NONE, elided: undefined }
    this.runs[key] = fresh
    return fresh
  }

  private elide(run: Run, data: Buffer): void {
    run.elided ??= { length: 0, hash: createHash('sha256'), hits: new Set(), tail: NONE }
    const { elided } = run
    elided.length += data.length
    elided.hash.update(data)
    const window = run.seam.length === 0 ? data : Buffer.concat([run.seam, data])
    for (const hit of findCanaries(window, this.options.canaries)) elided.hits.add(hit.name)
    run.seam = this.window(run.seam, data)
    elided.tail = data.length >= TAIL ? data.subarray(-TAIL) : Buffer.concat([elided.tail, data]).subarray(-TAIL)
  }

  /** As much of the end of `seam` and `data` as a canary can be long. */
  private window(seam: Buffer, data: Buffer): Buffer {
    if (this.longest === 0) return NONE
    return data.length >= this.longest
      ? data.subarray(-this.longest)
      : Buffer.concat([seam, data]).subarray(-this.longest)
  }

  private endRun(key: RunKey): void {
    const run = this.runs[key]
    this.runs[key] = undefined
    if (run?.elided === undefined) return
    const { side, direction, layer } = run
    const { length, hash, hits, tail } = run.elided
    const elided = { length, sha256: hash.digest('hex'), hits: [...hits].sort() }
    this.event({ type: 'bytes', side, direction, layer, data: tail, elided })
  }
}
