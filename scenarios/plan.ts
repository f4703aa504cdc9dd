/**
 * The plan of a run: which cells, what is expected of each and what its verdict needs. Pure: the same request gives the
 * same plan, and the digest says whether two runs (or two shards of one) were planned alike.
 *
 * What always holds: every client has its controls under every policy that it is planned for, whatever was selected,
 * and the reference client has those of the harness; no two cells share an id or a canary; a cell that cannot be run
 * stays in the plan, with the reason.
 */
import { createHash } from 'node:crypto'
import { seeded, word } from '../peers/random.ts'
import type { ClientAdapter } from './client.ts'
import type { Canary, ProofNeeded } from './events.ts'
import { columnOf, controlsUnder, expectedOf, isDane, type JudgedAs } from './expected.ts'
import { POLICIES, type Policy, RUNNABLE } from './policy.ts'
import { proofOf } from './proof-needed.ts'
import { hostNameOf, type Scenario } from './scenario.ts'
import { SelectionError, select, type Waits } from './select.ts'

/** What planning needs to know of a client. */
export type PlanClient = Pick<
  ClientAdapter,
  'id' | 'kind' | 'policies' | 'namesPeers' | 'passwords' | 'documented' | 'exceptions'
>

export interface PlanRequest {
  /** The catalogue, with the controls, and a user's own. */
  readonly scenarios: readonly Scenario[]
  /** Said where somebody asks for a scenario that is not among them. */
  readonly waiting?: readonly Waits[]
  readonly clients: readonly PlanClient[]
  /** The client of the harness controls. */
  readonly reference: PlanClient
  readonly policies: readonly Policy[]
  /** Patterns of {@link select}; empty for all. */
  readonly only: readonly string[]
  /** Of what was selected, which scenarios for which client (by id) and policy; all where absent. */
  readonly chosen?: (scenario: Scenario, client: string, policy: Policy) => boolean
  readonly seed: number
  readonly timeScale: number
  /** How many times each cell is run, 1 or more; controls once. */
  readonly repeat: number
  /** Ids of cells: of what was selected, only these. */
  readonly lastFailed?: readonly string[]
  /** This machine's share: the `index`-th of `count`, counted from 1. */
  readonly shard?: { readonly index: number; readonly count: number }
}

export type Role = 'scenario' | 'harness-control' | 'client-control'

export interface PlannedCell {
  /** `<family>/<id>/<policy>/<client>`, with `#2`, `#3`, … on repetitions. */
  readonly id: string
  readonly scenario: Scenario
  readonly policy: Policy
  /** Where DANE is switched off for its domain, as `may`. */
  readonly judgedAs: JudgedAs
  readonly client: string
  readonly kind: PlanClient['kind']
  readonly role: Role
  /** The cell of the catalogue, in its letters. */
  readonly expected: string
  readonly clause: string
  readonly noVerdict: boolean
  readonly proof: readonly ProofNeeded[]
  /**
   * `<label>.<policy>.badmx.test`; `again2.<label>.…` for a second time. The label stands for scenario and client,
   * and says nothing: some clients look for `-AUTH` or ` STARTTLS` in the whole EHLO reply, greeting and host name included.
   */
  readonly domain: string
  /** {@link domain}, or one below it. */
  readonly recipientDomain: string
  /** Host id to name: `mx` to `mx.<domain>`. */
  readonly hostNames: Readonly<Record<string, string>>
  readonly canaries: readonly Canary[]
  /** The client is given the password that is among the canaries. */
  readonly credentials: boolean
  /** The domain for which the client is to go without DANE. */
  readonly withoutDane?: string
  readonly messages: number
  /** It waits for the client to lose patience, or for the clock: worth starting early. */
  readonly slow: boolean
  /** Why it cannot be run. */
  readonly unsupported?: string
  /** A second try, see `alone.ts`; none is planned. */
  readonly alone?: true
}

export interface Plan {
  readonly seed: number
  readonly timeScale: number
  /** What this machine runs, controls first. */
  readonly cells: readonly PlannedCell[]
  /** Ids of the cells of all shards. */
  readonly whole: readonly string[]
  /** SHA-256, hexadecimal, of the plan of all shards. */
  readonly digest: string
}

/** The policies under which the reference client shows that the harness works. */
const HARNESS_POLICIES: readonly JudgedAs[] = ['may', 'verify']

/** Letters and digits in a canary: enough to be found in base64 in any alignment, and never by chance. */
const CANARY_LENGTH = 20

/**
 * @throws {SelectionError} where a pattern matches nothing, or nothing is left to run.
 * @throws {Error} where the scenarios lack a control: a run without controls proves nothing.
 */
export function plan(request: PlanRequest): Plan {
  const policies = POLICIES.filter((policy) => request.policies.includes(policy))
  const chosen = select(request.scenarios, request.only, request.waiting)
  const wanted = request.lastFailed === undefined ? undefined : new Set(request.lastFailed)
  const cells = new Map<string, PlannedCell>()
  const add = (cell: PlannedCell | undefined): void => {
    if (cell !== undefined && !cells.has(cell.id)) cells.set(cell.id, cell)
  }
  const harness = policies.includes('implicit') ? [...HARNESS_POLICIES, 'implicit' as const] : HARNESS_POLICIES
  for (const policy of harness)
    for (const scenario of controlsOf(policy, request))
      add(cellOf(request, scenario, policy, request.reference, 1, 'harness-control'))

  const asked: PlannedCell[] = []
  for (const scenario of chosen)
    for (const policy of policies)
      for (const client of request.clients)
        for (let time = 1; time <= request.repeat; time += 1) {
          if (request.chosen?.(scenario, client.id, policy) === false) continue
          const cell = cellOf(request, scenario, policy, client, time, 'scenario')
          if (cell !== undefined && (wanted === undefined || wanted.has(cell.id))) asked.push(cell)
        }
  if (asked.length === 0) throw nothingPlanned(chosen.length, policies, wanted)

  for (const client of request.clients)
    for (const policy of policies)
      for (const scenario of controlsOf(judgedAs(policy, client), request))
        add(cellOf(request, scenario, policy, client, 1, 'client-control'))
  for (const cell of asked) add(cell)

  const whole = [...cells.values()]
  checkCanaries(whole)
  return {
    seed: request.seed,
    timeScale: request.timeScale,
    cells: whole.filter((cell) => cell.role !== 'scenario' || inShard(cell.id, request.shard)),
    whole: whole.map((cell) => cell.id),
    digest: digestOf(request, whole),
  }
}

function judgedAs(policy: Policy, client: PlanClient): JudgedAs {
  return policy === 'default' ? client.documented.policy : policy
}

function controlsOf(judgedAs: JudgedAs, request: PlanRequest): Scenario[] {
  return controlsUnder(judgedAs).map((name) => {
    const scenario = request.scenarios.find((each) => each.name === name)
    if (scenario === undefined)
      throw new Error(`the control ${name} is not among the scenarios: nothing can be believed`)
    return scenario
  })
}

function cellOf(
  request: PlanRequest,
  scenario: Scenario,
  policy: Policy,
  client: PlanClient,
  time: number,
  role: Role,
): PlannedCell | undefined {
  const judged = judgedAs(policy, client)
  const expected = expectedOf(scenario, judged)
  if (expected === undefined) return undefined
  const id = `${scenario.name}/${policy}/${client.id}${time === 1 ? '' : `#${time}`}`
  const domain = `${time === 1 ? '' : `again${time}.`}${labelOf(scenario, client)}.${policy}.badmx.test`
  const unsupported = whyNot(scenario, policy, client)
  const withoutDane = isDane(judged) ? scenario.job.withoutDane?.replaceAll('{domain}', domain) : undefined
  const effective = withoutDane === domain ? 'may' : judged
  const credentials = scenario.job.password && unsupported === undefined
  return {
    id,
    scenario,
    policy,
    judgedAs: effective,
    client: client.id,
    kind: client.kind,
    role,
    expected,
    clause: scenario.source.join('; '),
    noVerdict: scenario.noVerdict.includes(columnOf(judged)),
    proof: proofOf(scenario, effective),
    domain,
    recipientDomain: (scenario.job.recipientAt ?? '{domain}').replaceAll('{domain}', domain),
    hostNames: Object.fromEntries(
      Object.entries(scenario.hosts).map(([id, host]) => [id, hostNameOf(id, host, domain)]),
    ),
    canaries: canariesOf(request.seed, id, scenario.job.password),
    credentials,
    ...(withoutDane === undefined ? {} : { withoutDane }),
    messages: scenario.job.steps.reduce((sum, step) => sum + ('submit' in step ? step.submit : 0), 0),
    slow: scenario.asserts.includes('bounded-wait') || scenario.job.steps.some((step) => 'until' in step),
    ...(unsupported === undefined ? {} : { unsupported }),
  }
}

/** Ten letters and digits that stand for a scenario and a client, the same in every run. */
function labelOf(scenario: Scenario, client: PlanClient): string {
  return `s${createHash('sha256').update(`${scenario.name} ${client.id}`).digest('hex').slice(0, 9)}`
}

function whyNot(scenario: Scenario, policy: Policy, client: PlanClient): string | undefined {
  const support = client.policies[policy]
  if ('unsupported' in support) return support.unsupported
  const judged = judgedAs(policy, client)
  if (!RUNNABLE.includes(judged)) return `this release of badmx cannot run the policy ${judged}`
  for (const step of scenario.job.steps) {
    const own = 'submit' in step && step.policy !== undefined ? client.policies[step.policy] : support
    if ('unsupported' in own) return `messages before the judged one have another policy: ${own.unsupported}`
  }
  if (scenario.nameDependent && !client.namesPeers)
    return `${client.id} can only be given an address, and this scenario is about the peer's name`
  if (client.kind === 'one-shot' && needsResolver(scenario))
    return `${client.id} is given one mail host and looks up no MX record, and this scenario has several`
  if (client.kind === 'one-shot' && scenario.needsQueue)
    return `${client.id} has no queue: it reports a failure to its caller, who decides about another attempt`
  if (scenario.job.withoutDane !== undefined && isDane(judged) && client.exceptions !== true)
    return `${client.id} cannot be told to go without DANE for one domain`
  if (scenario.job.password && !client.passwords)
    return `${client.id} does not authenticate, and in this scenario the client has a password`
  return undefined
}

/** Several hosts, or one that is not found as the host of its domain's MX record. */
function needsResolver({ hosts }: Scenario): boolean {
  return Object.keys(hosts).length > 1 || Object.values(hosts).some(({ preference }) => preference === 'none')
}

/** @param cell what they are of; no two cells or tries share one */
export function canariesOf(seed: number, cell: string, password: boolean): readonly Canary[] {
  const names = ['sender', 'recipient', 'subject', 'body', ...(password ? ['user', 'password'] : [])]
  return names.map((name) => ({ name, value: word(seeded(seed, 'canary', cell, name), CANARY_LENGTH) }))
}

/** A canary that stood for two things could make a leak of one look like a leak of the other. */
function checkCanaries(cells: readonly PlannedCell[]): void {
  const owners = new Map<string, string>()
  for (const cell of cells)
    for (const { name, value } of cell.canaries) {
      const owner = owners.get(value)
      if (owner !== undefined) throw new Error(`the canary ${value} of ${cell.id} ${name} is also that of ${owner}`)
      owners.set(value, `${cell.id} ${name}`)
    }
}

/** Which shard a cell is in depends on its id alone, so that adding one moves no other. */
function inShard(id: string, shard: PlanRequest['shard']): boolean {
  if (shard === undefined) return true
  return (createHash('sha256').update(id).digest().readUInt32BE(0) % shard.count) + 1 === shard.index
}

function digestOf(request: PlanRequest, cells: readonly PlannedCell[]): string {
  const planned = cells.map(({ scenario: { file: _, ...world }, ...cell }) => ({ ...cell, world }))
  const text = canonicalJson({ seed: request.seed, timeScale: request.timeScale, cells: planned })
  return createHash('sha256').update(text).digest('hex')
}

/** JSON with the keys of every object in alphabetical order. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

function nothingPlanned(
  count: number,
  policies: readonly Policy[],
  wanted: ReadonlySet<string> | undefined,
): SelectionError {
  const under = policies.length === 0 ? 'no policy' : policies.join(', ')
  const among = wanted === undefined ? '' : `, and none is among the ${wanted.size} cells of the last run that failed`
  const message = `nothing to run: ${count} scenarios selected, none has a cell under ${under}${among}`
  return new SelectionError('nothing-planned', message)
}
