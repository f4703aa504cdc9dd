/**
 * A configuration with which unbound trusts an internet of ours and asks its name servers. Pure: text goes out, and
 * whoever runs unbound writes it. All settings were measured with unbound 1.17.1 of Debian 12.
 */
import type { SocketAddress } from '../events.ts'
import type { Internet } from './internet.ts'
import { recordLine } from './master-file.ts'
import { rootOf } from './trust-anchor.ts'
import { addressRecord, publicAddress } from './zone-tree.ts'

export interface UnboundOptions {
  readonly internet: Internet
  readonly listen: readonly SocketAddress[]
  /** Absolute path of the file that {@link anchorFile} is the content of. */
  readonly anchor: string
  /** The same of {@link hintsFile}; none with `forward`. */
  readonly hints?: string
  /**
   * `modern` is what Debian has. `classic` is without QNAME minimisation and aggressive use of NSEC, which hide about
   * ten of the faults and turn some into silent denials.
   */
  readonly profile: 'classic' | 'modern'
  /** `realistic`: unbound's own time limits, 17 s until it gives a silent server up. `fast`: seconds. */
  readonly timing: 'fast' | 'realistic'
  /**
   * Set where the name servers are not on port 53: then every zone is a stub zone. With QNAME minimisation that goes
   * wrong: unbound takes an NXDOMAIN for a name on the way for the failure of all servers of a stub zone, and answers
   * SERVFAIL.
   */
  readonly port?: number
  /**
   * Set to have a resolver of ours asked for everything, as `onePort` of {@link startDns} is where: unbound wants what has
   * not been checked (CD, RFC 6840 §5.9) and validates by itself. A forwarder minimises no names.
   */
  readonly forward?: SocketAddress
}

/** Names and addresses of the root's name servers. */
export function hintsFile(internet: Internet): string {
  const { servers, zone } = rootOf(internet)
  return servers
    .flatMap((server) => [`. 3600 IN NS ${server.name}.`, recordLine(addressRecord(server, zone.ttl))])
    .map((line) => `${line}\n`)
    .join('')
}

export function unboundConfiguration(options: UnboundOptions): string {
  const { internet, listen, anchor, hints, profile, timing, port, forward } = options
  const modern = profile === 'modern' ? 'yes' : 'no'
  return `server:
${listen.map(({ address, port: own }) => `  interface: ${address}@${own}\n`).join('')}  access-control: 0.0.0.0/0 allow
  access-control: ::/0 allow
  chroot: ""
  username: ""
  directory: "/"
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  num-threads: 1
  incoming-num-tcp: 200
  # Why an answer is bogus, and why one failed, a line each.
  verbosity: 1
  val-log-level: 2
  log-servfail: yes
  ede: yes
  module-config: "validator iterator"
  trust-anchor-file: "${anchor}"
  trust-anchor-signaling: no
  root-key-sentinel: no
${hints === undefined ? '' : `  root-hints: "${hints}"\n`}  do-not-query-localhost: no
  # Built-in local zones, which would be denied.
  local-zone: "test." nodefault
  qname-minimisation: ${modern}
  aggressive-nsec: ${modern}
  harden-below-nxdomain: ${modern}
  # Else Debian's build answers nothing at all after 1.9 s.
  discard-timeout: 0
${timing === 'fast' ? FAST : ''}remote-control:
  control-enable: no
${port === undefined ? '' : stubZones(internet, port)}${forward === undefined ? '' : forwardZone(forward)}`
}

/**
 * The limit for servers not yet known must be below the greatest: else all of them count as unusable, the root's first.
 */
const FAST = `  outbound-msg-retry: 2
  unknown-server-time-limit: 1000
  infra-cache-max-rtt: 3000
  infra-keep-probing: yes
`

function stubZones(internet: Internet, port: number): string {
  return internet.zones
    .map(({ apex, servers }) => {
      const addresses = servers.map((server) => `  stub-addr: ${publicAddress(server)}@${port}\n`)
      return `stub-zone:\n  name: "${apex}"\n  stub-prime: no\n${addresses.join('')}`
    })
    .join('')
}

function forwardZone({ address, port }: SocketAddress): string {
  return `forward-zone:\n  name: "."\n  forward-addr: ${address}@${port}\n`
}
