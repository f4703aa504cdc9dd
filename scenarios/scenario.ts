/**
 * A scenario with everything filled in: short forms spelt out, phases resolved, defaults in place. What the planner,
 * the runner and the documentation read; made from a checked file by {@link resolveScenario}, which is pure.
 */

import type { FaultItem } from '../peers/dns/fault.ts'
import type { TlsaParameters } from '../peers/dns/tlsa.ts'
import type { Signing } from '../peers/dns/zone.ts'
import type { LegacyTlsOptions } from '../peers/tls/legacy/options.ts'
import type { Family } from './families.ts'
import type { Column } from './policy.ts'
import type { DnsSpec, HostSpec, ScenarioFile } from './schema.ts'

/** One member of a stack, spelt out. */
export interface StackMember {
  readonly use: string
  readonly with: Readonly<Record<string, unknown>>
  readonly fires: 'must' | 'may' | 'must-not'
}

/** One mail host, complete. */
export interface Host {
  /** Of its MX record; `none` where no MX record names it. */
  readonly preference: number | 'none'
  /** Its name, with `{domain}` for the recipient's domain. */
  readonly name?: string
  readonly address: 'ipv4' | 'ipv6'
  /** The member nearest to the client first. */
  readonly stack: readonly StackMember[]
  readonly certificate: string
  readonly tls: {
    readonly on: 'starttls' | 'connect' | 'none'
    readonly min: TlsVersion
    readonly max: TlsVersion
    readonly ciphers?: string
    readonly extendedMasterSecret?: boolean
    readonly clientCertificate?: 'request' | 'require'
    readonly authorities?: number
    readonly diffieHellman?: 1024
    /** With those of the other hosts that say so. */
    readonly sharedTickets?: true
    /** Id of the chain for a client that names no server. */
    readonly withoutServerName?: string
    readonly legacy?: LegacyTlsOptions
  }
  readonly extensions: { readonly beforeTls?: readonly string[]; readonly afterTls?: readonly string[] }
}

export type TlsVersion = HostSpec['tls']['min']

/** The name of a host for recipients of `domain`: `<id>.<domain>` unless the scenario says otherwise. */
export function hostNameOf(id: string, { name = `${id}.{domain}` }: Pick<Host, 'name'>, domain: string): string {
  return name.replaceAll('{domain}', domain)
}

/** One zone, complete. */
export interface ZoneSpec {
  readonly signing?: Signing | 'none'
  readonly records: readonly string[]
  readonly faults: readonly FaultItem[]
}

/** One TLSA record, spelt out. */
export interface TlsaSpec {
  readonly parameters: TlsaParameters
  readonly of: 'leaf' | 'issuer' | 'root'
  readonly certificate?: string
  readonly data?: string
  readonly base?: string
  readonly alias?: string
}

/** What DNS says of the recipient's domain, besides where its hosts are. */
export interface DnsWorld {
  /** Addresses stand at `*.{domain}`. */
  readonly wildcard: boolean
  /** By name, with `{domain}` in it; `{domain}` itself is one of them. */
  readonly zones: Readonly<Record<string, ZoneSpec>>
  /** By host id; a host that is not there has the usual one. */
  readonly tlsa: Readonly<Record<string, readonly TlsaSpec[]>>
  /** Record sets that a verdict needs the proof of: `alias CNAME`, relative to {domain} unless they end in a dot. */
  readonly prove: readonly string[]
}

/** Host id to host. */
export type World = Readonly<Record<string, Host>>

export type Step =
  | { readonly submit: number; readonly policy?: PreparingPolicy }
  | { readonly settle: 'first' | 'forced' | 'aged' }
  | { readonly phase: string }
  | { readonly until: 'expired' }

/** A policy that messages can be submitted under to prepare for those that are judged. */
export type PreparingPolicy = 'none' | 'may' | 'encrypt' | 'verify'

export interface Scenario {
  readonly id: string
  readonly family: Family
  /** `<family>/<id>`. */
  readonly name: string
  /** Where it was read from, for messages. */
  readonly file: string
  readonly title: string
  readonly wire: string
  readonly source: readonly string[]
  /** Of the DANE sender, those that it covers; see {@link DANE_CASES}. */
  readonly cases: readonly number[]
  readonly severity: ScenarioFile['severity']
  readonly hosts: World
  readonly dns: DnsWorld
  /** Every phase with all of its hosts, as they are while it lasts. */
  readonly phases: Readonly<Record<string, World>>
  readonly expect: Readonly<Partial<Record<Column, string>>>
  readonly asserts: readonly string[]
  readonly verbMayWork: boolean
  readonly noVerdict: readonly Column[]
  readonly needsQueue: boolean
  readonly nameDependent: boolean
  readonly job: {
    readonly steps: readonly Step[]
    /** After the steps: seconds of the client's clock that it is left to its own schedule. */
    readonly horizonSeconds?: number
    readonly password: boolean
    readonly clientCertificate?: string
    readonly ciphers?: string
    /** DANE is switched off for this domain, {domain} in it: mail for it, and for no other, goes as under `may`. */
    readonly withoutDane?: string
    /** The domain of the recipient, below `{domain}`, which is in it. */
    readonly recipientAt?: string
    /** Length of the message, at least. */
    readonly octets?: number
  }
  /** What the scenario catches: the reference client with `name` and `with` fails it under `policy`. */
  readonly flaw: { readonly name: string; readonly with: readonly string[]; readonly policy: Column | 'implicit' }
}

/** The job of a scenario that names none: one message, one attempt. */
const ONE_MESSAGE: readonly Step[] = [{ submit: 1 }, { settle: 'first' }]

type FileItem = NonNullable<ScenarioFile['stack']>[number]
type PhaseHost = Partial<HostSpec>

/** A stack with each member spelt out. */
export function stackOf(items: readonly FileItem[]): readonly StackMember[] {
  return items.map((item) =>
    typeof item === 'string'
      ? { use: item, with: {}, fires: 'must' }
      : { use: item.use, with: item.with ?? {}, fires: item.fires },
  )
}

/**
 * Spells a checked file out.
 *
 * @param raw the same file before defaults were filled in: in a phase, only what the author wrote is a change.
 */
export function resolveScenario(parsed: ScenarioFile, raw: object, family: Family, file: string): Scenario {
  const hosts = worldOf(parsed)
  const { clientCertificate, ciphers, octets, password, recipientAt, schedule, steps, withoutDane } = parsed.job
  return {
    id: parsed.id,
    family,
    name: `${family}/${parsed.id}`,
    file,
    title: parsed.title,
    wire: parsed.wire,
    source: parsed.source,
    cases: [parsed.case ?? []].flat(),
    severity: parsed.severity,
    hosts,
    dns: dnsOf(parsed.dns),
    phases: phasesOf(parsed, raw, hosts),
    expect: compact(parsed.expect),
    asserts: parsed.assert,
    verbMayWork: parsed.verbMayWork,
    noVerdict: parsed.noVerdict,
    needsQueue: parsed.needsQueue,
    nameDependent: parsed.nameDependent,
    job: {
      steps: steps?.map(stepOf) ?? ONE_MESSAGE,
      password,
      ...compact({ clientCertificate, ciphers, octets, recipientAt, withoutDane, horizonSeconds: schedule?.horizon }),
    },
    flaw: { ...parsed.flaw, with: parsed.flaw.with ?? [] },
  }
}

type FileStep = NonNullable<ScenarioFile['job']['steps']>[number]

function stepOf(step: FileStep): Step {
  return 'submit' in step ? compact(step) : step
}

function worldOf(parsed: ScenarioFile): World {
  if (parsed.hosts !== undefined)
    return Object.fromEntries(Object.entries(parsed.hosts).map(([id, spec]) => [id, hostOf(spec)]))
  const tls = parsed.tls ?? { on: 'starttls', min: 'TLSv1.2', max: 'TLSv1.3' }
  const { stack = [], certificate = 'good', extensions = {} } = parsed
  return { mx: hostOf({ preference: 10, address: 'ipv4', stack, certificate, tls, extensions }) }
}

function hostOf(spec: HostSpec): Host {
  return {
    preference: spec.preference,
    ...(spec.name === undefined ? {} : { name: spec.name }),
    address: spec.address,
    stack: stackOf(spec.stack),
    certificate: spec.certificate,
    tls: compact(spec.tls) as Host['tls'],
    extensions: compact(spec.extensions),
  }
}

/** The `dns` of a checked file, spelt out. */
export function dnsOf({ tlsa, zones, wildcard, prove, ...own }: DnsSpec): DnsWorld {
  const all = Object.entries({ '{domain}': own, ...zones })
  return {
    wildcard,
    prove,
    zones: Object.fromEntries(all.map(([name, spec]) => [name, compact(spec) as ZoneSpec])),
    tlsa: Object.fromEntries(Object.entries(tlsa).map(([id, items]) => [id, items.map(tlsaOf)])),
  }
}

function tlsaOf(item: DnsSpec['tlsa'][string][number]): TlsaSpec {
  const { is, ...rest } = typeof item === 'string' ? { is: item, of: 'leaf' as const } : item
  const [usage = 0, selector = 0, matchingType = 0] = is.split(' ').map(Number)
  return compact({ parameters: { usage, selector, matchingType }, ...rest })
}

function phasesOf(parsed: ScenarioFile, raw: object, hosts: World): Record<string, World> {
  const worlds: Record<string, World> = {}
  for (const [name, changes] of Object.entries(parsed.phases ?? {})) {
    const world: Record<string, Host> = { ...hosts }
    for (const [id, change] of Object.entries(changes)) {
      const before = hosts[id]
      if (before !== undefined) world[id] = changed(before, change as PhaseHost, child(raw, 'phases', name, id))
    }
    worlds[name] = world
  }
  return worlds
}

/**
 * `before` with the fields of `change` that the author wrote (`raw`); of `tls` and `extensions` only their written
 * keys.
 */
function changed(before: Host, change: PhaseHost, raw: object): Host {
  const wrote = (key: string): boolean => Object.hasOwn(raw, key)
  return {
    ...before,
    preference: wrote('preference') ? (change.preference ?? before.preference) : before.preference,
    stack: wrote('stack') ? stackOf(change.stack ?? []) : before.stack,
    certificate: wrote('certificate') ? (change.certificate ?? before.certificate) : before.certificate,
    tls: { ...before.tls, ...only(change.tls ?? {}, child(raw, 'tls')) } as Host['tls'],
    extensions: {
      ...before.extensions,
      ...only(change.extensions ?? {}, child(raw, 'extensions')),
    } as Host['extensions'],
  }
}

function child(value: object, ...path: readonly string[]): object {
  let here: unknown = value
  for (const key of path)
    here = typeof here === 'object' && here !== null ? (here as Record<string, unknown>)[key] : null
  return typeof here === 'object' && here !== null ? here : {}
}

function only<T extends object>(values: T, keys: object): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([key]) => Object.hasOwn(keys, key))) as Partial<T>
}

type Compact<T> = { [K in keyof T]: Exclude<T[K], undefined> }

/** Without the keys whose value is undefined. */
export function compact<T extends object>(values: T): Compact<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Compact<T>
}
