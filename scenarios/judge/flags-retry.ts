/**
 * The flags `retry.*`: how often a client comes back, and whether it does. Pure. RFC 5321 §4.5.4.1.
 *
 * The times of `forced` and `aged` attempts are the harness's; only those of the client's `own` speak of its schedule, and
 * on the client's clock.
 */
import { type Attempt, messagesOf, type Observation } from './observe.ts'
import type { Raised } from './raised.ts'
import { fitOf, scheduleOf, spell } from './schedule.ts'

/** Connections to one host for one message within a minute. TLS, clear and HELO, each on a connection of its own, are three. */
const MOST_A_MINUTE = 10
const MINUTE_MS = 60_000
const MINUTE_S = 60

export function retryFlags(observation: Observation): readonly Raised[] {
  const messages = messagesOf(observation)
  return [
    ...messages.flatMap((attempts) => [...tooFast(attempts), ...attempts.flatMap(storm)]),
    ...leftAlone(observation),
  ]
}

function tooFast(attempts: readonly Attempt[]): Raised[] {
  const times = scheduleOf(attempts)
  for (const [at, { ageSeconds, attempt }] of times.entries()) {
    const gap = ageSeconds - (times[at - 1]?.ageSeconds ?? Number.NEGATIVE_INFINITY)
    if (gap >= MINUTE_S) continue
    const detail = `attempt ${at + 1} came ${spell(gap)} after the one before`
    return [{ flag: 'retry.too-fast', detail, ...startOf(attempt) }]
  }
  return []
}

/** Within one attempt: what comes between attempts is asked for by the harness. */
function storm(attempt: Attempt): Raised[] {
  const byHost = new Map<string, number[]>()
  for (const { conn, host, opened } of attempt.connections) {
    const times = byHost.get(host) ?? []
    byHost.set(host, times)
    times.push(opened.event.t)
    const first = times.at(-MOST_A_MINUTE - 1)
    if (first === undefined || opened.event.t - first >= MINUTE_MS) continue
    const detail = `${MOST_A_MINUTE + 1} connections to ${host} within ${spell((opened.event.t - first) / 1000)}`
    return [{ flag: 'retry.storm', detail, conn, atMs: opened.event.t }]
  }
  return []
}

/**
 * The client was left to its schedule: what it made of the time, for the record. That it stays away when the harness asks
 * for an attempt proves nothing: it may hold the whole site back for a while (Postfix, "delivery temporarily suspended").
 */
function leftAlone(observation: Observation): Raised[] {
  const { judged, aloneSeconds } = observation
  const times = scheduleOf(judged)
  if (aloneSeconds === undefined && times.length < 2) return []
  if (times.length < 2 && judged.at(-1)?.word?.state === 'queued')
    return [
      { flag: 'retry.none', detail: `no second attempt within ${spell(aloneSeconds ?? 0)}`, ...startOf(judged[0]) },
    ]
  const detail = fitOf(times)
  return detail === undefined ? [] : [{ flag: 'retry.schedule', detail, ...startOf(times[0]?.attempt) }]
}

function startOf(attempt: Attempt | undefined): Pick<Raised, 'atMs'> {
  return attempt === undefined ? {} : { atMs: attempt.t }
}
