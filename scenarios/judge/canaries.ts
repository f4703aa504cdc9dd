/**
 * Where the canaries of a cell were seen in what the client sent: in which layer, in which form, at which octet. Pure.
 *
 * What always holds: a layer of a connection is searched as one stream, so that no boundary of chunk, record or command
 * hides a canary; the content of a message is searched again without the commands between its BDAT chunks. The forms are
 * those of `peers/canary.ts`: plain, base64 at every alignment (AUTH payloads), quoted-printable.
 */
import { findCanaries } from '../../peers/canary.ts'
import type { Canary } from '../events.ts'
import type { Connection } from './connection.ts'
import type { Entry, Layer } from './transcript.ts'

export interface Sighting {
  /** `sender`, `recipient`, `subject`, `body`, `user`, `password`, `helo`. */
  readonly name: string
  readonly form: 'plain' | 'base64' | 'quoted-printable' | 'elided'
  readonly conn: string
  readonly layer: Layer
  readonly t: number
  readonly seq: number
  /** Octets that the client had sent in this layer before it. */
  readonly offset: number
}

/** The first sighting of each canary in each layer of the connection, in order of the stream. */
export function sightingsIn(connection: Connection, canaries: readonly Canary[]): Sighting[] {
  return (['clear', 'tls'] as const).flatMap((layer) => {
    const sent = connection.entries.filter(
      (entry) => entry.from === 'client' && entry.layer === layer && carries(entry),
    )
    const content = sent.filter((entry) => entry.kind === 'content' && entry.of !== 'AUTH')
    const found = [...searched(sent, canaries), ...searched(content, canaries)]
    const first = new Map<string, Sighting>()
    for (const sighting of found) {
      const known = first.get(sighting.name)
      if (known === undefined || sighting.offset < known.offset) first.set(sighting.name, sighting)
    }
    return [...first.values()].sort((a, b) => a.offset - b.offset)
  })
}

/** Canaries in any octets of the client after the entry `seq`, in one layer; for scenarios about a moment. */
export function sightingsAfter(
  connection: Connection,
  layer: Layer,
  seq: number,
  canaries: readonly Canary[],
): Sighting[] {
  const sent = connection.entries.filter(
    (entry) => entry.from === 'client' && entry.layer === layer && entry.seq > seq && carries(entry),
  )
  return searched(sent, canaries)
}

function carries(entry: Entry): boolean {
  return entry.kind === 'command' || entry.kind === 'content' || entry.kind === 'bytes'
}

function searched(entries: readonly Entry[], canaries: readonly Canary[]): Sighting[] {
  const sightings: Sighting[] = []
  let run: Entry[] = []
  const search = (): void => {
    const octets = Buffer.concat(run.map(({ bytes }) => bytes))
    for (const { name, form, offset } of findCanaries(octets, canaries)) {
      const { entry, within } = entryAt(run, offset)
      if (entry !== undefined) sightings.push(sighting(entry, name, form, entry.offset + within))
    }
    run = []
  }
  for (const entry of entries) {
    if (entry.kind === 'bytes' && entry.what === 'elided') {
      search()
      for (const name of entry.hits ?? []) sightings.push(sighting(entry, name, 'elided', entry.offset))
    } else run.push(entry)
  }
  search()
  return sightings
}

/** The entry in which the octet at `offset` of their concatenation stands. */
function entryAt(
  run: readonly Entry[],
  offset: number,
): { readonly entry: Entry | undefined; readonly within: number } {
  let passed = 0
  for (const entry of run) {
    if (offset < passed + entry.bytes.length) return { entry, within: offset - passed }
    passed += entry.bytes.length
  }
  return { entry: undefined, within: 0 }
}

function sighting(entry: Entry, name: string, form: Sighting['form'], offset: number): Sighting {
  const { conn, layer, t, seq } = entry
  return { name, form, conn, layer, t, seq, offset }
}
