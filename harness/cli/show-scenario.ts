/** `badmx show <scenario>`: everything about one scenario, for a person. */
import type { Behaviour } from '../../peers/behaviour.ts'
import { DANE_CASES } from '../../scenarios/dane-cases.ts'
import { columnOf, expectedOf } from '../../scenarios/expected.ts'
import { type Alternative, type Letter, parseExpectation } from '../../scenarios/judge/expectation.ts'
import { COLUMNS } from '../../scenarios/policy.ts'
import type { Host, Scenario, Step, World } from '../../scenarios/scenario.ts'
import { select } from '../../scenarios/select.ts'
import type { Waiting } from '../../scenarios/waiting.ts'
import { columns, wrapped } from './columns.ts'

const WIDTH = 100

/**
 * The scenarios that `pattern` means, as text.
 *
 * @throws {SelectionError} where there is none; `waiting` answers why.
 */
export function showScenario(
  pattern: string,
  scenarios: readonly Scenario[],
  waiting: readonly Waiting[],
  behaviours: ReadonlyMap<string, Behaviour>,
): string {
  const chosen = select(scenarios, [pattern], waiting)
  return chosen.map((scenario) => `${scenarioLines(scenario, behaviours).join('\n')}\n`).join('\n')
}

function scenarioLines(scenario: Scenario, behaviours: ReadonlyMap<string, Behaviour>): string[] {
  const expected = [...COLUMNS, 'implicit' as const].flatMap((policy) => {
    const cell = expectedOf(scenario, policy)
    const silent = scenario.noVerdict.includes(columnOf(policy)) ? ' (recorded without a verdict)' : ''
    return cell === undefined ? [] : [[policy, cell, cellText(cell) + silent]]
  })
  return [
    scenario.name,
    ...wrapped(scenario.title, WIDTH),
    '',
    ...section('on the wire', wrapped(scenario.wire, WIDTH)),
    ...worldLines('', scenario.hosts, behaviours),
    ...Object.entries(scenario.phases).flatMap(([name, world]) => worldLines(`, phase ${name}`, world, behaviours)),
    ...section('job', jobLines(scenario)),
    ...section('expected', columns(expected)),
    ...section('must also hold', scenario.asserts),
    ...section('caught flaw', [
      `${[scenario.flaw.name, ...scenario.flaw.with].join(' with ')} under ${scenario.flaw.policy}`,
    ]),
    ...section(
      'cases of a DANE sender',
      scenario.cases.map((number) => `${number}: ${DANE_CASES[number - 1]}`),
    ),
    ...section('severity', [scenario.severity]),
    ...section('source', scenario.source),
    ...section('file', [scenario.file]),
  ]
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)]
}

function worldLines(suffix: string, world: World, behaviours: ReadonlyMap<string, Behaviour>): string[] {
  return Object.entries(world).flatMap(([id, host]) => section(`host ${id}${suffix}`, hostLines(host, behaviours)))
}

function hostLines(host: Host, behaviours: ReadonlyMap<string, Behaviour>): string[] {
  const { tls, extensions } = host
  const versions =
    tls.on === 'none' ? '' : `, ${tls.min} to ${tls.max}${tls.ciphers === undefined ? '' : `, ${tls.ciphers}`}`
  const start = { starttls: 'by STARTTLS', connect: 'on connect', none: 'none' }[tls.on]
  const members = host.stack.map((member) => {
    const given = Object.entries(member.with).map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
    const title = behaviours.get(member.use)?.title ?? ''
    return [member.use, member.fires, given.length === 0 ? title : `${title} { ${given.join(', ')} }`]
  })
  const keywords = (place: string, list: readonly string[] | undefined): string[] =>
    list === undefined ? [] : [`EHLO keywords ${place}: ${list.length === 0 ? 'none' : list.join(', ')}`]
  const record = host.preference === 'none' ? 'named by no MX record' : `MX preference ${host.preference}`
  return [
    `${record}, ${host.address === 'ipv6' ? 'IPv6' : 'IPv4'}${host.name === undefined ? '' : `, called ${host.name}`}`,
    ...(members.length === 0 ? [] : ['stack, nearest to the client first:', ...columns(members, '  ')]),
    ...(host.certificate === 'good' ? [] : [`certificate: ${host.certificate}`]),
    `TLS ${start}${versions}`,
    ...requestLine(tls),
    ...keywords('in clear', extensions.beforeTls),
    ...keywords('inside TLS', extensions.afterTls),
  ]
}

function requestLine({ on, clientCertificate, authorities }: Host['tls']): string[] {
  if (on === 'none' || clientCertificate === undefined) return []
  const names = authorities === undefined ? '' : `, naming ${authorities} authorities`
  return [`${clientCertificate}s a client certificate${names}`]
}

function jobLines({ job, nameDependent, needsQueue, verbMayWork }: Scenario): string[] {
  return [
    job.steps.map(stepText).join(', then '),
    ...(job.horizonSeconds === undefined
      ? []
      : [`the message is left to the client's own schedule, until it is ${job.horizonSeconds} s old`]),
    ...(job.password ? ['the client has a password'] : []),
    ...(job.clientCertificate === undefined ? [] : [`the client has the certificate ${job.clientCertificate}`]),
    ...(job.ciphers === undefined ? [] : [`the client's ciphers: ${job.ciphers}`]),
    ...(job.withoutDane === undefined ? [] : [`DANE is switched off for ${job.withoutDane}`]),
    ...(job.recipientAt === undefined ? [] : [`the recipient is at ${job.recipientAt}`]),
    ...(needsQueue ? ['only for clients with a queue'] : []),
    ...(nameDependent ? ['only for clients that know the peer by name'] : []),
    ...(verbMayWork ? ['a client that sends STARTTLS unasked may reach TLS: stronger passes'] : []),
  ]
}

function stepText(step: Step): string {
  if ('submit' in step) {
    const under = step.policy === undefined ? '' : ` under ${step.policy}`
    return step.submit === 1 ? `submit a message${under}` : `submit ${step.submit} messages${under}`
  }
  if ('until' in step) return 'wait until the certificate has expired'
  return 'settle' in step ? `settle the ${step.settle} attempt` : `enter the phase ${step.phase}`
}

const WORDS: Readonly<Record<Letter, string>> = {
  V: 'in TLS to a verified peer',
  U: 'in TLS, unauthenticated',
  C: 'in clear',
  D: 'deferred',
  B: 'bounced',
}

/** A cell in words: `D>C|w:B` is "deferred, later in clear; or (flagged) bounced". */
function cellText(cell: string): string {
  const parsed = parseExpectation(cell)
  if (!parsed.ok) return parsed.message
  const { expectation } = parsed
  if (expectation.kind === 'not-planned') return 'not planned'
  if (expectation.kind === 'choice') return choiceText(expectation.alternatives)
  return `without a cached policy ${choiceText(expectation.without)}; with one ${choiceText(expectation.with)}`
}

function choiceText(alternatives: readonly Alternative[]): string {
  return alternatives
    .map(({ tolerated, first, final }) => {
      const words = first === final ? WORDS[first] : `${WORDS[first]}, later ${WORDS[final]}`
      return tolerated ? `(flagged) ${words}` : words
    })
    .join('; or ')
}
