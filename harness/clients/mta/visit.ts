/**
 * An attempt of an MTA of which only the wire is seen: when it begins and when it is over.
 *
 * It begins with the first question to the resolver, or connection, of its cell. It is over when the message was accepted, when
 * a notice says that it was given up, or when all its connections are closed and nothing has come for a while: an MTA that
 * comes back sooner than that is taken to be still at it.
 */
import { setMaxListeners } from 'node:events'
import type { LogEvent } from '../../../scenarios/events.ts'
import { acceptances, observe } from '../../../scenarios/judge/observe.ts'
import type { Wire } from '../../../scenarios/wire.ts'

/** Longer than a stub resolver waits before it asks again (resolv.conf(5): timeout, 5 s), in milliseconds. */
const QUIET_MS = 6_000

/** How an attempt ended, by the wire. */
export type VisitEnd =
  /** Nothing of it was seen. */
  | { readonly how: 'none' }
  | { readonly how: 'accepted' }
  | { readonly how: 'over' }
  /** Still connected at the deadline. */
  | { readonly how: 'connected' }
  | { readonly how: 'notice'; readonly notice: Notice }
  | { readonly how: 'aborted' }

export interface VisitOptions {
  readonly cell: string
  /** Envelope sender of the message. */
  readonly sender: string
  /** Number of the cell's events before which all is about earlier attempts and messages. */
  readonly from: number
  /** For its begin, and from there on for its end. */
  readonly deadlineMs: number
  readonly signal: AbortSignal
  /** Default {@link QUIET_MS}; tests are shorter. */
  readonly quietMs?: number
}

/** Resolves when the attempt is over, or at the deadline. */
export function visit(wire: Wire, options: VisitOptions): Promise<VisitEnd> {
  const { cell, sender, from, deadlineMs, signal, quietMs = QUIET_MS } = options
  setMaxListeners(0, signal)
  return new Promise((resolve) => {
    const open = new Set<string>()
    let seen = false
    let quiet: NodeJS.Timeout | undefined
    const end = (how: VisitEnd): void => {
      clearTimeout(quiet)
      clearTimeout(deadline)
      unwatch()
      unnotice()
      signal.removeEventListener('abort', onAbort)
      resolve(how)
    }
    const onAbort = (): void => end({ how: 'aborted' })
    const look = (): void => {
      if (isAccepted(wire.eventsOf(cell), from)) end({ how: 'accepted' })
      else if (open.size === 0) end({ how: 'over' })
    }
    const onDeadline = (): void => {
      if (!seen) end({ how: 'none' })
      else if (open.size > 0 && !isAccepted(wire.eventsOf(cell), from)) end({ how: 'connected' })
      else look()
    }
    let deadline = setTimeout(onDeadline, deadlineMs)
    const hear = (event: LogEvent): void => {
      if (event.type === 'conn' && event.state === 'open') open.add(event.conn)
      if (event.type === 'conn' && event.state === 'closed') open.delete(event.conn)
      if (!isActivity(event)) return
      if (!seen) {
        seen = true
        clearTimeout(deadline)
        deadline = setTimeout(onDeadline, deadlineMs)
      }
      clearTimeout(quiet)
      quiet = setTimeout(look, quietMs)
    }
    const unwatch = wire.watch(cell, hear)
    let unnotice = (): void => {}
    signal.addEventListener('abort', onAbort)
    for (const event of wire.eventsOf(cell).slice(from)) hear(event)
    unnotice = wire.onNotice(sender, (octets) => {
      const notice = readNotice(octets)
      // That it is late, or went on to a place without notices, is no end.
      if (notice.action !== 'delayed') setImmediate(end, { how: 'notice', notice })
    })
    if (signal.aborted) onAbort()
  })
}

/** What the client does, as far as it is seen. */
function isActivity(event: LogEvent): boolean {
  if (event.type === 'conn' || event.type === 'tls') return true
  if (event.type === 'dns') return event.at === 'stub' && event.direction === 'in'
  return event.type === 'bytes' && event.side === 'client' && event.direction === 'in'
}

function isAccepted(events: readonly LogEvent[], from: number): boolean {
  const begun = events.find((event) => event.type === 'cell')
  if (begun === undefined) return false
  const observation = observe(begun, events)
  return acceptances(observation, observation.connections).some(({ acceptedBy }) => (acceptedBy?.seq ?? -1) >= from)
}

export interface Notice {
  /** RFC 3464 §2.3.3; undefined where it has no such field: it is for people only. */
  readonly action: string | undefined
  /** RFC 3464 §2.3.6, or the status code (§2.3.4). */
  readonly reason: string
}

export function readNotice(octets: Buffer): Notice {
  const text = octets.toString('latin1').replace(/\r?\n[ \t]+/g, ' ')
  const field = (name: string): string | undefined => new RegExp(`^${name}:[ \\t]*(.*)$`, 'im').exec(text)?.[1]?.trim()
  const action = field('Action')?.toLowerCase()
  const reason = field('Diagnostic-Code') ?? field('Status')
  return { action, reason: reason ?? 'a notice without a reason' }
}
