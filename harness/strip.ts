/**
 * `badmx strip`: the man in the middle in front of any real server, with a line per session that tells what was done to it
 * and what the client then did.
 */
import { createAuthority } from '../peers/certificates/authority.ts'
import type { EventSink, PeerEvent } from '../peers/events.ts'
import { type Peer, proxy, type Rotation } from '../peers/peer.ts'
import { readTranscript } from '../scenarios/judge/transcript.ts'
import { RunFolder } from './run-folder.ts'

export interface StripOptions {
  readonly listen: { readonly address: string; readonly port: number }
  readonly target: { readonly address: string; readonly port: number }
  readonly rotation: Rotation
  /** The certificate that the client is shown; STARTTLS is passed through where absent. */
  readonly intercept?: {
    readonly certificate: 'untrusted-ca' | 'self-signed' | 'good'
    readonly toServer: 'tls' | 'clear'
    readonly name: string
  }
  readonly allowRemote: boolean
  readonly seed: number
  readonly timeScale: number
  readonly out?: string
  /** Told one line per session, when it is over. */
  readonly line: (text: string) => void
}

export interface Stripping {
  readonly peer: Peer
  readonly folder: RunFolder
  close(): Promise<void>
}

/** @throws {UserError} {ListenError} {StackError} */
export async function strip(options: StripOptions): Promise<Stripping> {
  const startedAt = new Date()
  const began = performance.now()
  const folder = await RunFolder.create(options.out, startedAt)
  folder.serving(startedAt)
  const sessions = new Map<string, PeerEvent[]>()
  const log = (event: PeerEvent): void => {
    folder.event(event)
    if (!('conn' in event) || event.conn === undefined) return
    const events = sessions.get(event.conn) ?? []
    events.push(event)
    sessions.set(event.conn, events)
    if (event.type !== 'conn' || event.state !== 'closed') return
    sessions.delete(event.conn)
    options.line(sessionLine(events))
  }
  let peer: Peer
  try {
    peer = await listen(options, startedAt, folder, { log, now: () => performance.now() - began })
  } catch (error) {
    await folder.discard()
    throw error
  }
  return {
    peer,
    folder,
    async close() {
      await peer.close()
      await folder.closeEvents()
    },
  }
}

async function listen(
  options: StripOptions,
  startedAt: Date,
  folder: RunFolder,
  records: { readonly log: EventSink; readonly now: () => number },
): Promise<Peer> {
  const { intercept, seed, timeScale, allowRemote, target } = options
  const common = { ...options.listen, ...records, allowRemote, seed, timeScale, capture: true }
  if (intercept === undefined) return proxy(options.rotation, target.address, target.port, common)
  const authority = createAuthority({ now: startedAt, seed })
  await folder.write('ca.pem', authority.rootPem)
  const certificate = await authority.issue(intercept.certificate, { host: intercept.name, domain: intercept.name })
  const { toServer } = intercept
  return proxy(options.rotation, target.address, target.port, { ...common, intercept: { certificate, toServer } })
}

/** `mx.3 127.0.0.1:4711 hide-starttls: removed "250-STARTTLS" | then sent mail in clear, quit`, and what it met if it says so. */
export function sessionLine(events: readonly PeerEvent[]): string {
  const [open] = events
  const from =
    open?.type === 'conn' && open.state === 'open' ? `${open.conn} ${open.remote.address}:${open.remote.port}` : ''
  const met = open?.cell === undefined ? '' : ` [${open.cell}]`
  const closed = events.findLast((event) => event.type === 'conn' && event.state === 'closed')
  if (closed?.type === 'conn' && closed.state === 'closed' && closed.by === 'server' && closed.how === 'error') {
    return `${from} the server is out of reach (${closed.detail ?? 'no reason given'}) | ${deeds(events).join(', ')}${met}`
  }
  const fired = events.flatMap((event) => (event.type === 'fired' ? [`${event.behaviour}: ${event.detail}`] : []))
  return `${from} ${fired.length === 0 ? 'nothing fired' : fired.join('; ')} | ${deeds(events).join(', ')}${met}`
}

/** What the client did, in the order of its weight. */
function deeds(events: readonly PeerEvent[]): string[] {
  const entries = readTranscript(
    events.map((event, seq) => ({ event, seq })),
    'client',
  )
  const clear = entries.filter((entry) => entry.layer === 'clear')
  const command = (verb: string): boolean => clear.some((entry) => entry.kind === 'command' && entry.verb === verb)
  const failed = events.find((event) => event.type === 'tls' && event.state === 'failed' && event.side === 'client')
  const found: string[] = []
  if (command('AUTH')) found.push('sent credentials in clear')
  if (clear.some((entry) => entry.kind === 'content' && entry.of !== 'AUTH')) found.push('sent mail in clear')
  else if (command('MAIL')) found.push('sent its envelope in clear')
  if (events.some((event) => event.type === 'tls' && event.state === 'up' && event.side === 'client'))
    found.push(withWhom(events))
  else if (failed?.type === 'tls' && failed.state === 'failed')
    found.push(`gave TLS up (${failed.alert ?? failed.reason})`)
  else if (events.some((event) => event.type === 'tls' && event.state === 'hello'))
    found.push('spoke TLS with the server')
  if (command('QUIT') || entries.some((entry) => entry.kind === 'command' && entry.verb === 'QUIT')) found.push('quit')
  const last = clear.findLast((entry) => entry.kind === 'command')
  if (found.length === 0) found.push(last?.kind === 'command' ? `left after ${last.verb}` : 'left without a word')
  return found
}

/** A peer is what the client meant to speak with; a man in the middle is not. */
function withWhom([open]: readonly PeerEvent[]): string {
  const proxied = open?.type === 'conn' && open.state === 'open' && open.upstream !== undefined
  return proxied ? 'spoke TLS with the man in the middle' : 'spoke TLS'
}
