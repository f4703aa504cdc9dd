/**
 * For the tests: real unbound in front of an internet of ours, as an independent validator. Every zone is a stub zone of
 * it, since name servers of a test do not have port 53.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import type { SocketAddress } from '../../events.ts'
import type { Internet } from '../internet.ts'
import { trustAnchor } from '../master-file.ts'
import { decodeMessage, encodeMessage, extendedErrors, type Message, queryFor } from '../message.ts'
import { rcodeText, TYPE, typeNumber } from '../numbers.ts'
import { startDns } from '../start.ts'
import { publicAddress } from '../zone-tree.ts'
import { exchange } from './stub.ts'

/** Why a test with this program cannot run; false where it can. */
export function lacks(program: string, ...probe: readonly string[]): string | false {
  return spawnSync(program, probe, { stdio: 'ignore' }).error === undefined ? false : `${program} is not installed`
}

/** `classic`: no QNAME minimisation, no aggressive NSEC. `modern`: both, as Debian has it. */
export type Profile = 'classic' | 'modern'

export interface Validator {
  readonly at: SocketAddress
  /** What it logged: why an answer is bogus. */
  readonly lines: readonly string[]
  ask(name: string, type: string): Promise<Message>
  /** `NOERROR AD`, `SERVFAIL EDE 6`. */
  says(name: string, type: string): Promise<string>
}

export async function startUnbound(t: Test, internet: Internet, profile: Profile = 'classic'): Promise<Validator> {
  const dns = await startDns({ internet, resolver: [], authority: { port: 0 } })
  t.teardown(() => dns.close())
  const folder = t.testdir()
  const at = { address: '127.0.0.1', port: await freePort() }
  const root = internet.zoneFor({ name: '.', type: TYPE.SOA })
  writeFileSync(join(folder, 'anchor'), (root === undefined ? undefined : trustAnchor(root)) ?? '')
  writeFileSync(join(folder, 'conf'), configuration(internet, dns.authority, at, profile, join(folder, 'anchor')))
  const child = spawn('unbound', ['-d', '-c', join(folder, 'conf')], { stdio: ['ignore', 'ignore', 'pipe'] })
  t.teardown(() => end(child))
  const lines: string[] = []
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`unbound ended: ${lines.join('\n')}`)))
    createInterface({ input: child.stderr }).on('line', (line) => {
      lines.push(line)
      if (line.includes('start of service')) resolve()
    })
  })
  const ask = async (name: string, type: string): Promise<Message> => {
    const query = queryFor(name, typeNumber(type) ?? 0, { id: 1, rd: true, edns: { do: true } })
    const octets = await exchange(at, encodeMessage(query), 'tcp')
    if (octets === undefined) throw new Error(`unbound closed on ${name} ${type}`)
    return decodeMessage(octets)
  }
  return { at, lines, ask, says: async (name, type) => summary(await ask(name, type)) }
}

/** `NOERROR AD`, `SERVFAIL EDE 6`. */
export function summary(message: Message): string {
  const ede = extendedErrors(message).map((code) => ` EDE ${code}`)
  return `${rcodeText(message.rcode)}${message.ad ? ' AD' : ''}${ede.join('')}`
}

function configuration(
  internet: Internet,
  authority: readonly SocketAddress[],
  at: SocketAddress,
  profile: Profile,
  anchor: string,
): string {
  const modern = profile === 'modern' ? 'yes' : 'no'
  const portOf = (address: string) => authority.find((each) => each.address === address)?.port ?? 0
  const stubs = internet.zones.map(({ apex, servers }) => {
    const addresses = servers.map(publicAddress).map((address) => `  stub-addr: ${address}@${portOf(address)}`)
    return ['stub-zone:', `  name: "${apex}"`, '  stub-prime: no', ...addresses].join('\n')
  })
  return `server:
  interface: ${at.address}
  port: ${at.port}
  chroot: ""
  username: ""
  directory: "/"
  pidfile: ""
  use-syslog: no
  verbosity: 1
  val-log-level: 2
  log-servfail: yes
  ede: yes
  do-daemonize: no
  num-threads: 1
  do-not-query-localhost: no
  trust-anchor-file: "${anchor}"
  module-config: "validator iterator"
  local-zone: "test." nodefault
  trust-anchor-signaling: no
  root-key-sentinel: no
  qname-minimisation: ${modern}
  aggressive-nsec: ${modern}
  harden-below-nxdomain: ${modern}
  discard-timeout: 0
  outbound-msg-retry: 1
  unknown-server-time-limit: 376
  infra-cache-max-rtt: 1000
  infra-keep-probing: yes
remote-control:
  control-enable: no
${stubs.join('\n')}
`
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  return port
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}
