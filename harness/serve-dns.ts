/**
 * The DNS of the zoo: its signed zones, with their faults, on one port, and the files by which a resolver can be pointed
 * there. It answers for root and zones where recursion is not desired, and as a validating resolver where it is.
 */
import { join, resolve } from 'node:path'
import type { Authority } from '../peers/certificates/authority.ts'
import { Internet } from '../peers/dns/internet.ts'
import { type DnsOptions, startDns } from '../peers/dns/start.ts'
import { anchorFile, bindAnchorFile } from '../peers/dns/trust-anchor.ts'
import { unboundConfiguration } from '../peers/dns/unbound-configuration.ts'
import type { Zone } from '../peers/dns/zone.ts'
import type { SocketAddress } from '../peers/events.ts'
import { publishedTlsa } from '../scenarios/published-tlsa.ts'
import type { Scenario } from '../scenarios/scenario.ts'
import { zonesOf } from '../scenarios/zones.ts'
import type { RunFolder } from './run-folder.ts'

export interface ZooDnsOptions extends Required<Pick<DnsOptions, 'log' | 'now' | 'timeScale' | 'allowRemote'>> {
  /** Port 0: one that is free. */
  readonly at: SocketAddress
  readonly zones: readonly Zone[]
  /** Keys are made of it: the same seed, the same trust anchor. */
  readonly seed: number
  /** Signatures are dated relative to it. */
  readonly clock: Date
  readonly folder: RunFolder
}

export interface ZooDns {
  readonly at: SocketAddress
  /** Paths of the files. */
  readonly files: {
    /** DS record of the root. */
    readonly anchor: string
    /** The same for delv and named. */
    readonly bindAnchor: string
    readonly unbound: string
  }
  /** Where unbound listens with the configuration. */
  readonly unboundAt: SocketAddress
  close(): Promise<void>
}

/** A host where it listens. */
export interface ServedHost {
  /** Of its scenario. */
  readonly name: string
  readonly domain: string
  readonly hostName: string
  readonly address: string
  readonly port: number
  /** Undefined where it is of no scenario. */
  readonly host: { readonly id: string; readonly preference: number | 'none'; readonly certificate: string } | undefined
}

/** What DNS says of every scenario: its hosts are where they listen, and their TLSA records are about that port. */
export async function zonesOfZoo(
  scenarios: readonly Scenario[],
  served: readonly ServedHost[],
  authority: Authority,
): Promise<Zone[]> {
  const zones = scenarios.map(async ({ name, dns }) => {
    const own = served.filter((each) => each.name === name)
    const hosts = own.map(async ({ domain, hostName, address, port, host }) => {
      if (host === undefined) throw new Error(`${hostName} is of no scenario`)
      const { id, preference } = host
      const tlsa = await publishedTlsa(dns.tlsa[id], host, { host: hostName, domain }, authority)
      return { name: hostName, address, port, tlsa, ...(preference === 'none' ? {} : { preference }) }
    })
    const [first] = own
    return first === undefined ? [] : zonesOf(dns, first.domain, await Promise.all(hosts), name, ({ port }) => port)
  })
  return (await Promise.all(zones)).flat()
}

/** @throws {ListenError} when the address or port cannot be had; {UserError} when a file cannot be written. */
export async function serveDns(options: ZooDnsOptions): Promise<ZooDns> {
  const { at, zones, seed, clock, folder, ...shared } = options
  const internet = await Internet.create(zones, { seed, clock, nameServer: { name: 'ns.test', address: at.address } })
  const dns = await startDns({ internet, resolver: [], onePort: at, ...shared })
  const bound = dns.onePort ?? at
  const unboundAt = { address: bound.address, port: bound.port === 65535 ? 65534 : bound.port + 1 }
  const path = (name: string): string => resolve(join(folder.path, name))
  const files = { anchor: path('root.anchor'), bindAnchor: path('trust-anchors.conf'), unbound: path('unbound.conf') }
  try {
    await folder.write('root.anchor', anchorFile(internet))
    await folder.write('trust-anchors.conf', bindAnchorFile(internet))
    await folder.write('unbound.conf', configuration(internet, bound, unboundAt, files.anchor))
  } catch (error) {
    await dns.close()
    throw error
  }
  return { at: bound, files, unboundAt, close: () => dns.close() }
}

function configuration(internet: Internet, forward: SocketAddress, listen: SocketAddress, anchor: string): string {
  return `# A validating unbound in front of badmx serve: unbound -d -c THIS-FILE
# Answers come from the name servers through badmx's own resolver, which is asked for what it has not checked: what is bogus
# and what is secure, unbound says by itself. Without aggressive use of NSEC, which hides some of the faults.
${unboundConfiguration({ internet, listen: [listen], anchor, profile: 'classic', timing: 'fast', forward })}`
}
