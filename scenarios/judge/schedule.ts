/**
 * When a client that was left alone came back, on its own clock, and the rule that its times follow. Pure.
 *
 * RFC 5321 §4.5.4.1: "the retry interval SHOULD be at least 30 minutes; however, more sophisticated and variable strategies
 * will be beneficial". The usual one is a back-off: a shortest interval, a factor, a longest.
 */
import type { ClientWord } from '../client.ts'
import type { Attempt } from './observe.ts'

export interface Scheduled {
  readonly attempt: Attempt
  /** Of the message, on the client's clock. */
  readonly ageSeconds: number
  /** As {@link ClientWord.coarseSeconds} has it. */
  readonly coarseSeconds?: number
}

/** The first attempt, and those that the client made of itself and whose time is known. */
export function scheduleOf(attempts: readonly Attempt[]): readonly Scheduled[] {
  return attempts.flatMap((attempt, at) => {
    const ageSeconds = attempt.word?.ageSeconds ?? (at === 0 ? 0 : undefined)
    const own = at === 0 || attempt.cause === 'own'
    if (!own || ageSeconds === undefined || attempt.connections.length === 0) return []
    const coarseSeconds = attempt.word?.coarseSeconds
    return [{ attempt, ageSeconds, ...(coarseSeconds === undefined ? {} : { coarseSeconds }) }]
  })
}

/** Intervals that differ by less are the same: a queue is looked at every now and then. */
const SAME = 0.1

/** One line for a person, the rule by those whose time is exact; undefined for less than two attempts. */
export function fitOf(times: readonly Pick<Scheduled, 'ageSeconds' | 'coarseSeconds'>[]): string | undefined {
  const first = times.findIndex(({ coarseSeconds }) => coarseSeconds !== undefined)
  const coarse = first < 0 ? [] : times.slice(first)
  const fit = exactFit(times.slice(0, first < 0 ? undefined : first).map(({ ageSeconds }) => ageSeconds))
  const last = coarse.at(-1)
  if (last?.coarseSeconds === undefined) return fit
  const begin = fit ?? '1 attempt'
  return `${begin}; then ${coarse.length} or more until ${spell(last.ageSeconds)} (seen ${spell(last.coarseSeconds)} at a time)`
}

function exactFit(ages: readonly number[]): string | undefined {
  const gaps = ages.slice(1).map((age, at) => age - (ages[at] ?? 0))
  const [first] = gaps
  if (first === undefined) return undefined
  const shortest = Math.min(...gaps)
  const longest = Math.max(...gaps)
  const shown = ages.slice(0, MOST_SHOWN).map((age) => String(Math.round(age)))
  const times = `${ages.length} attempts at ${shown.join(', ')}${ages.length > MOST_SHOWN ? ', …' : ''} s`
  if (longest <= shortest * (1 + SAME)) return `${times}: every ${spell(longest)}`
  const growth = factorOf(gaps)
  const rule = growth === undefined ? '' : `, growing by a factor of ${growth.toFixed(1)}`
  return `${times}: intervals from ${spell(shortest)} to ${spell(longest)}${rule}`
}

const MOST_SHOWN = 8

/** The median of how much longer an interval is than the one before, while they grow; undefined where they do not. */
function factorOf(gaps: readonly number[]): number | undefined {
  const ratios = gaps.slice(1).map((gap, at) => gap / (gaps[at] ?? gap))
  const growing = ratios.filter((ratio) => ratio > 1 + SAME).sort((a, b) => a - b)
  return growing[Math.floor(growing.length / 2)]
}

/** Seconds as a person says them: `45 s`, `4000 s`, `4 h`, `5 d`. */
export function spell(seconds: number): string {
  if (seconds < 7_200) return `${Math.round(seconds)} s`
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`
}
