/** A comparison in words, for all its forms: which changes are told as one, what was and what is, what else differs. */
import { POLICIES, type Policy } from '../scenarios/policy.ts'
import { CHANGE_KINDS, type Change, type ChangeKind, type Comparison, type Side, type Standing } from './compare.ts'
import { distinct } from './summary.ts'
import { clip, count, group, listed } from './text.ts'
import { labelled, tally } from './verdicts.ts'

export const TITLES: Readonly<Record<ChangeKind, string>> = {
  'new-leak': 'New leaks',
  regression: 'Regressions',
  unanswered: 'No result any more',
  tolerated: 'Worse, and not counted',
  changed: 'Another verdict',
  fixed: 'Fixed',
  answered: 'A result for the first time',
  outcome: 'Same verdict, other behaviour',
  added: 'Added',
  removed: 'Removed',
}

/** The kinds that are counted by family and not told one by one. */
export const COUNTED: readonly ChangeKind[] = ['added', 'removed']

/** Characters of a reason that are told. */
export const REASON = 300

/** Changes of one client that say the same: only the policies differ. */
export interface ChangeGroup {
  readonly first: Change
  /** Distinct, weakest first. */
  readonly policies: readonly Policy[]
}

/** Changes that differ in nothing but the policy are one group; the order is theirs. */
export function changeGroups(changes: readonly Change[]): readonly ChangeGroup[] {
  const groups = new Map<string, Change[]>()
  for (const change of changes) {
    const { kind, scenario, client, new: now } = change
    const key = JSON.stringify([kind, client, scenario, now?.verdict, now?.reason, difference(change), remarks(change)])
    groups.set(key, [...(groups.get(key) ?? []), change])
  }
  return [...groups.values()].flatMap((members) => {
    const [first] = members
    const policies = POLICIES.filter((policy) => members.some((change) => change.policy === policy))
    return first === undefined ? [] : [{ first, policies }]
  })
}

/** What was, in one phrase: `was leak: sent MAIL FROM …`. For an equal verdict, what differs. */
export function difference({ old, new: now }: Change): string {
  if (old === undefined) return ''
  if (old.verdict !== now?.verdict) return `was ${old.verdict}: ${clip(old.reason, REASON)}`
  const [gone, came] = [old.flags.filter(without(now.flags)), now.flags.filter(without(old.flags))]
  const outcomes = (standing: Standing): string => standing.outcomes.join(' or ')
  return [
    ...(outcomes(old) === outcomes(now) ? [] : [`was ${outcomes(old)}, is ${outcomes(now)}`]),
    ...(came.length > 0 ? [`new: ${came.join(', ')}`] : []),
    ...(gone.length > 0 ? [`gone: ${gone.join(', ')}`] : []),
  ].join('; ')
}

function without(others: readonly string[]): (one: string) => boolean {
  return (one) => !others.includes(one)
}

/** What else a reader must know before they believe a change: another expectation, a known deviation. */
export function remarks({ old, new: now }: Change): readonly string[] {
  return [
    ...(old !== undefined && now !== undefined && old.expected !== now.expected
      ? [`expected ${now.expected}; the old run expected ${old.expected}`]
      : []),
    ...(now?.known === undefined ? [] : [`known: ${clip(now.known, REASON)}`]),
  ]
}

/** `Nodemailer 9.0.2 → 9.0.3`; names a client that only one of the runs lists as that run does. */
export function nameOf(client: string, { old, new: now }: Comparison): string {
  const find = (side: Side): Side['clients'][number] | undefined => side.clients.find(({ id }) => id === client)
  const [was, is] = [find(old), find(now)]
  const version = (one: typeof was): string =>
    one === undefined ? '' : `${one.version}${one.release === undefined ? '' : ` (${one.release})`}`
  const versions = distinct([version(was), version(is)].filter((text) => text !== ''))
  return [is?.name ?? was?.name ?? client, versions.join(' → ')].join(' ').trim()
}

/** How the runs differ beside the client: each can be why a cell changed. */
export function circumstances({ old, new: now }: Comparison): readonly string[] {
  const facts = [
    ['badmx', old.badmx, now.badmx],
    ['seed', old.seed, now.seed],
    ['time scale', old.timeScale, now.timeScale],
  ] as const
  return [
    ...facts.filter(([, was, is]) => was !== is).map(([what, was, is]) => `${what} ${was} → ${is}`),
    ...(old.interrupted ? ['the old run was interrupted'] : []),
  ]
}

/** `strip: ✓ pass 10, ✗ fail 2`, a line per client and family. */
export function counts(changes: readonly Change[], comparison: Comparison): readonly string[] {
  const key = ({ client, scenario }: Change): string => JSON.stringify([client, scenario.split('/', 1)[0]])
  return distinct(changes.map(key)).map((one) => {
    const [client, family] = JSON.parse(one) as [string, string]
    const verdicts = changes
      .filter((change) => key(change) === one)
      .flatMap((change) => change.new ?? change.old ?? [])
      .map(({ verdict }) => ({ verdict }))
    const told = tally(verdicts).map(([verdict, number]) => `${labelled(verdict)} ${group(number)}`)
    return `${nameOf(client, comparison)}, ${family}: ${told.join(', ')}`
  })
}

export function clientsOf({ changes, old, new: now }: Comparison): readonly string[] {
  const listedIds = [...now.clients, ...old.clients].map(({ id }) => id)
  return distinct([...listedIds, ...changes.map(({ client }) => client)]).filter((id) =>
    changes.some(({ client }) => client === id),
  )
}

/** `42 cells compared: 38 unchanged, 4 fixed; 2 added` */
export function summaryOf(comparison: Comparison): string {
  const told = CHANGE_KINDS.flatMap((kind) => {
    const number = comparison.changes.filter((change) => change.kind === kind).length
    return number === 0 ? [] : [`${WORDS[kind]} ${group(number)}`]
  })
  const all = listed([`unchanged ${group(comparison.unchanged)}`, ...told])
  return `${count(comparison.common, 'cell')} compared: ${all}`
}

const WORDS: Readonly<Record<ChangeKind, string>> = {
  'new-leak': 'new leaks',
  regression: 'regressions',
  unanswered: 'no result any more',
  tolerated: 'worse and not counted',
  changed: 'another verdict',
  fixed: 'fixed',
  answered: 'a result for the first time',
  outcome: 'same verdict by other behaviour',
  added: 'added',
  removed: 'removed',
}

export const RESULTS = {
  0: 'nothing worse',
  1: 'worse than before',
  2: 'nothing to compare',
  3: 'harness trouble',
} as const
