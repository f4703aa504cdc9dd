/**
 * For the tests: the name servers of others, with zones of ours as they are exported, in roots of the lab. Both serve the
 * records as they stand, signatures and all; neither signs.
 */
import { once } from 'node:events'
import { join } from 'node:path'
import type { Internet } from '../../../peers/dns/internet.ts'
import { masterFile } from '../../../peers/dns/master-file.ts'
import type { Layer } from '../layer.ts'
import { openRoot } from '../root.ts'

export interface OtherServer {
  readonly address: string
  close(): Promise<void>
}

interface Kind {
  readonly argv: readonly string[]
  /** What it says when it answers for all zones. */
  readonly ready: string
  configuration(address: string, zones: readonly { readonly origin: string; readonly file: string }[]): string
}

const FOLDER = '/etc/badmx'

const KINDS: Readonly<Record<string, Kind>> = {
  bind: {
    argv: ['named', '-g', '-c', join(FOLDER, 'conf')],
    ready: 'all zones loaded',
    configuration: (address, zones) => `
options {
  directory "/tmp"; pid-file none; session-keyfile none; managed-keys-directory "/tmp";
  listen-on { ${address}; }; listen-on-v6 { none; };
  recursion no; dnssec-validation no; notify no; minimal-responses yes; check-names primary ignore;
};
controls { };
${zones.map(({ origin, file }) => `zone "${origin}" { type primary; file "${file}"; };`).join('\n')}
`,
  },
  knot: {
    argv: ['knotd', '-c', join(FOLDER, 'conf')],
    ready: 'server started',
    configuration: (address, zones) => `
server:
    rundir: "/tmp"
    listen: ${address}@53
database:
    storage: "/tmp"
log:
  - target: stderr
    any: info
template:
  - id: default
    zonefile-sync: -1
    journal-content: none
    semantic-checks: off
zone:
${zones.map(({ origin, file }) => `  - domain: "${origin}"\n    file: "${file}"`).join('\n')}
`,
  },
  nsd: {
    argv: ['nsd', '-d', '-c', join(FOLDER, 'conf')],
    ready: 'nsd started',
    // Debian's limits the rate of answers to 200 a second unless told otherwise.
    configuration: (address, zones) => `
server:
    ip-address: ${address}@53
    server-count: 1
    username: ""
    chroot: ""
    database: ""
    pidfile: ""
    xfrdfile: ""
    zonelistfile: "/tmp/zone.list"
    verbosity: 1
    rrl-ratelimit: 0
remote-control:
    control-enable: no
${zones.map(({ origin, file }) => `zone:\n    name: "${origin}"\n    zonefile: "${file}"`).join('\n')}
`,
  },
}

/** At an address that an interface has: BIND listens at no other. Resolves when it answers. Rejects with what it said, where it ends before. */
export async function startOther(layer: Layer, internet: Internet, address: string): Promise<OtherServer> {
  const kind = KINDS[layer.spec.client]
  if (kind === undefined) throw new Error(`${layer.spec.client} is no name server`)
  const root = await openRoot(layer, { resolvers: [] })
  const zones = internet.zones.map((zone, at) => ({ zone, origin: zone.apex, file: join(FOLDER, `${at}.zone`) }))
  for (const { zone, file } of zones) await root.write(file, masterFile(zone), { mode: 0o644 })
  await root.write(join(FOLDER, 'conf'), kind.configuration(address, zones), { mode: 0o644 })
  const child = root.spawn(kind.argv, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        said += text
        if (said.includes(kind.ready)) resolve()
      })
    child.once('error', reject)
    child.once('close', (code) => reject(new Error(`${layer.spec.client} ended with ${code}: ${said}`)))
  })
  return {
    address,
    close: async () => {
      const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
      await root.close()
      await ended
    },
  }
}
