/**
 * What a scenario file can have wrong beyond its form: names of things that do not exist, references that lead nowhere,
 * stacks that could prove nothing. Pure; what exists is told by the caller.
 */
import { basename, dirname } from 'node:path'
import { z } from 'zod'
import type { Behaviour } from '../peers/behaviour.ts'
import type { Fault } from '../peers/dns/fault.ts'
import { ZoneError } from '../peers/dns/name.ts'
import { nearestName } from '../peers/nearest-name.ts'
import { checkStack } from '../peers/registry.ts'
import { FAMILY_TEXT, familyOf, familyWords, isFamily } from './families.ts'
import { COLUMNS, type Column } from './policy.ts'
import type { Finding } from './problem.ts'
import { dnsOf, stackOf } from './scenario.ts'
import type { HostSpec, ScenarioFile } from './schema.ts'
import { zonesOf } from './zones.ts'

/** The things that scenario files may name. What is absent is not checked. */
export interface KnownNames {
  readonly behaviours?: ReadonlyMap<string, Behaviour>
  /** Ids of certificate faults, `good` among them. */
  readonly certificates?: readonly string[]
  /** Faults of DNS by id. */
  readonly dnsFaults?: ReadonlyMap<string, Fault>
  /** Ids of client certificate chains. */
  readonly clientCertificates?: readonly string[]
  /** Ids of predicates. */
  readonly asserts?: readonly string[]
  /** Names of the reference client's flaws. */
  readonly flaws?: readonly string[]
  /** Says what is wrong with a cell of the catalogue, or nothing. */
  readonly checkExpectation?: (text: string) => string | undefined
}

type Path = readonly (string | number)[]
type PhaseHost = Partial<HostSpec>
type FaultItem = ScenarioFile['dns']['faults'][number]

/** A DNS label, RFC 1123 §2.1, in lower case. */
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/
const VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']

/** Everything that is wrong with a scenario whose form is right. */
export function checkScenario(parsed: ScenarioFile, file: string, known: KnownNames): readonly Finding[] {
  return [
    ...checkId(parsed.id, file),
    ...checkHosts(parsed, known),
    ...checkDns(parsed, known),
    ...checkPhases(parsed, known),
    ...checkJob(parsed),
    ...checkExpect(parsed, known),
    ...checkSchedule(parsed),
    ...named(['assert'], parsed.assert, 'assert', known.asserts),
    ...named(['flaw', 'name'], parsed.flaw.name, 'flaw of the reference client', known.flaws),
    ...named(['flaw', 'with'], parsed.flaw.with, 'flaw of the reference client', known.flaws),
    ...named(
      ['job', 'clientCertificate'],
      parsed.job.clientCertificate,
      'client certificate',
      known.clientCertificates,
    ),
  ]
}

function checkId(id: string, file: string): Finding[] {
  const found: Finding[] = []
  const own = basename(file)
  const name = own.replace(/\.yaml$/, '')
  if (!own.endsWith('.matrix.yaml') && name !== id)
    found.push({ path: ['id'], message: `got "${id}", and the file is called ${own}`, expected: `"${name}"` })
  if (!LABEL.test(id)) found.push({ path: ['id'], message: `"${id}" is no DNS label: it has over 63 characters` })
  const family = familyOf(id)
  if (family === undefined) {
    const { words, nearest } = familyWords(id)
    const expected = `an id that begins with ${words.map((word) => `${word}-`).join(', ')}`
    found.push({
      path: ['id'],
      message: `"${id}" is of no family`,
      expected,
      ...(nearest === undefined ? {} : { nearest: `${nearest}-…` }),
    })
  }
  const folder = basename(dirname(file))
  if (isFamily(folder) && family !== undefined && family !== folder) {
    const words = FAMILY_TEXT[folder].words.map((word) => `${word}-`).join(' or ')
    found.push({ path: ['id'], message: `"${id}" is of the family ${family}, not ${folder}`, expected: `${words}…` })
  }
  return found
}

function checkHosts(parsed: ScenarioFile, known: KnownNames): Finding[] {
  const shorts = (['stack', 'certificate', 'tls', 'extensions'] as const).filter((key) => parsed[key] !== undefined)
  if (parsed.hosts === undefined) return [...checkHost([], parsed, known), ...checkPlanes([], parsed, known)]
  const found: Finding[] = shorts.map((key) => ({
    path: [key],
    atKey: true,
    message: `"${key}" is short for hosts.mx.${key}, and this file has "hosts"`,
  }))
  if (Object.keys(parsed.hosts).length === 0) found.push({ path: ['hosts'], message: 'there is no host' })
  for (const [id, host] of Object.entries(parsed.hosts)) {
    if (!LABEL.test(id)) found.push({ path: ['hosts', id], atKey: true, message: `"${id}" is no DNS label` })
    found.push(...checkHost(['hosts', id], host, known), ...checkPlanes(['hosts', id], host, known))
  }
  return found
}

type Undefinable<T> = { [K in keyof T]?: T[K] | undefined }

type HostParts = Undefinable<Pick<HostSpec, 'stack' | 'certificate' | 'tls'>>

function checkHost(path: Path, host: HostParts, known: KnownNames): Finding[] {
  const found: Finding[] = []
  if (known.behaviours !== undefined && host.stack !== undefined)
    for (const { index, path: inside, ...rest } of checkStack(stackOf(host.stack), known.behaviours))
      found.push({ ...rest, path: [...path, 'stack', index, ...inside] })
  found.push(...named([...path, 'certificate'], host.certificate, 'certificate fault', known.certificates))
  found.push(
    ...named(
      [...path, 'tls', 'withoutServerName'],
      host.tls?.withoutServerName,
      'certificate fault',
      known.certificates,
    ),
  )
  if (host.tls !== undefined && VERSIONS.indexOf(host.tls.min) > VERSIONS.indexOf(host.tls.max))
    found.push({ path: [...path, 'tls'], message: `min ${host.tls.min} is above max ${host.tls.max}` })
  if (host.tls?.authorities !== undefined && host.tls.clientCertificate === undefined)
    found.push({
      path: [...path, 'tls', 'authorities'],
      message: 'authorities are named in the request for a client certificate, and there is none',
      expected: '"clientCertificate" beside it',
    })
  return found
}

/** A behaviour inside the legacy engine needs that engine. */
function checkPlanes(path: Path, { stack = [], tls }: HostParts, { behaviours }: KnownNames): Finding[] {
  if (tls?.legacy !== undefined) return []
  return stackOf(stack).flatMap(({ use }, index) =>
    behaviours?.get(use)?.plane === 'tls'
      ? [{ path: [...path, 'stack', index], message: `"${use}" acts inside the legacy engine`, expected: 'tls.legacy' }]
      : [],
  )
}

function checkDns({ dns, hosts }: ScenarioFile, known: KnownNames): Finding[] {
  const ids = hosts === undefined ? ['mx'] : Object.keys(hosts)
  const found: Finding[] = []
  for (const [id, records] of Object.entries(dns.tlsa)) {
    found.push(...named(['dns', 'tlsa', id], id, 'host', ids, true))
    for (const [index, record] of records.entries())
      if (typeof record !== 'string')
        found.push(
          ...named(
            ['dns', 'tlsa', id, index, 'certificate'],
            record.certificate,
            'certificate fault',
            known.certificates,
          ),
        )
  }
  const zones = Object.entries(dns.zones).map(([name, zone]) => [['dns', 'zones', name], zone] as const)
  for (const [path, { faults }] of [[['dns'], dns] as const, ...zones])
    for (const [index, fault] of faults.entries())
      found.push(...checkFault([...path, 'faults', index], fault, known.dnsFaults))
  try {
    zonesOf(dnsOf(dns), 'badmx.test', [], '')
  } catch (error) {
    if (!(error instanceof ZoneError)) throw error
    found.push({ path: ['dns'], atKey: true, message: error.message })
  }
  return found
}

function checkFault(path: Path, item: FaultItem, faults: KnownNames['dnsFaults']): Finding[] {
  if (faults === undefined) return []
  const fault = faults.get(item.use)
  if (fault === undefined) return named([...path, 'use'], item.use, 'DNS fault', [...faults.keys()])
  const read = fault.parameters.safeParse(item.with ?? {})
  return read.success ? [] : [{ path: [...path, 'with'], message: `${item.use}: ${z.prettifyError(read.error)}` }]
}

function checkPhases(parsed: ScenarioFile, known: KnownNames): Finding[] {
  const found: Finding[] = []
  const hosts = parsed.hosts === undefined ? ['mx'] : Object.keys(parsed.hosts)
  const phases = Object.entries(parsed.phases ?? {})
  for (const [phase, changes] of phases)
    for (const [id, change] of Object.entries(changes)) {
      const path = ['phases', phase, id]
      const { stack, certificate } = change as PhaseHost
      found.push(...named(path, id, 'host', hosts, true), ...checkHost(path, { stack, certificate }, known))
    }
  const names = phases.map(([phase]) => phase)
  const entered = new Set<string>()
  for (const [index, step] of (parsed.job.steps ?? []).entries()) {
    if (!('phase' in step)) continue
    entered.add(step.phase)
    found.push(...named(['job', 'steps', index, 'phase'], step.phase, 'phase', names))
  }
  for (const name of names)
    if (!entered.has(name))
      found.push({ path: ['phases', name], atKey: true, message: `no step of the job enters the phase "${name}"` })
  return found
}

/** Only a client with a queue has a schedule, and an attempt that the harness asks for would not be of it. */
function checkSchedule({ job, needsQueue }: ScenarioFile): Finding[] {
  if (job.schedule === undefined) return []
  const path = ['job', 'schedule']
  const asked = (job.steps ?? []).some((step) => 'settle' in step && step.settle !== 'first')
  return [
    ...(needsQueue
      ? []
      : [{ path, atKey: true, message: 'a schedule is for clients with a queue', expected: 'needsQueue: true' }]),
    ...(asked ? [{ path, atKey: true, message: 'the steps ask for a retry, which is not of the schedule' }] : []),
  ]
}

/** The last message is the one that is judged. */
function checkJob({ job }: ScenarioFile): Finding[] {
  const steps = job.steps ?? []
  const last = steps.findLastIndex((step) => 'submit' in step)
  const step = steps[last]
  if (step === undefined || !('submit' in step) || step.policy === undefined) return []
  const message = "the last message is judged, and so is submitted under the cell's own policy"
  return [{ path: ['job', 'steps', last, 'policy'], atKey: true, message }]
}

function checkExpect(parsed: ScenarioFile, known: KnownNames): Finding[] {
  const found: Finding[] = []
  for (const column of COLUMNS) {
    const cell = parsed.expect[column]
    const wrong = cell === undefined ? undefined : known.checkExpectation?.(cell)
    if (wrong !== undefined) found.push({ path: ['expect', column], message: wrong })
  }
  const planned = COLUMNS.filter((column) => !['-', undefined].includes(parsed.expect[column]))
  if (planned.length === 0) found.push({ path: ['expect'], message: 'no policy has an expectation' })
  const column: Column = parsed.flaw.policy === 'implicit' ? 'verify' : parsed.flaw.policy
  if (!planned.includes(column))
    found.push({
      path: ['flaw', 'policy'],
      message: `the scenario expects nothing under ${column}, so no flaw can show`,
    })
  if (parsed.noVerdict.includes(column))
    found.push({ path: ['flaw', 'policy'], message: `there is no verdict under ${column}, so no flaw can show` })
  for (const [index, without] of parsed.noVerdict.entries())
    if (!planned.includes(without))
      found.push({ path: ['noVerdict', index], message: `the scenario expects nothing under ${without}` })
  return found
}

/** Checks one name, or each of a list, against those that exist. */
function named(
  path: Path,
  names: string | readonly string[] | undefined,
  what: string,
  existing: readonly string[] | undefined,
  atKey = false,
): Finding[] {
  if (names === undefined || existing === undefined) return []
  if (typeof names !== 'string') return names.flatMap((name, index) => named([...path, index], name, what, existing))
  if (existing.includes(names)) return []
  const nearest = nearestName(names, existing)
  const message = `there is no ${what} "${names}"`
  const short = nearest === undefined && existing.length > 0 && existing.length <= 12
  return [
    {
      path,
      atKey,
      message,
      ...(short ? { expected: `one of ${existing.join(', ')}` } : {}),
      ...(nearest === undefined ? {} : { nearest }),
    },
  ]
}
