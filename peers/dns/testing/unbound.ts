/**
 * For the tests: real unbound in front of an internet of ours, as an independent validator. It is run inside a network of
 * its own (namespace.ts), with the name servers on port 53: only so do referrals work, and QNAME minimisation with them (of a
 * stub zone unbound takes an intermediate NXDOMAIN for a failure of all its servers).
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import type { SocketAddress } from '../../events.ts'
import type { Internet } from '../internet.ts'
import { trustAnchor } from '../master-file.ts'
import { decodeMessage, encodeMessage, extendedErrors, type Message, queryFor } from '../message.ts'
import { rcodeText, TYPE, typeNumber } from '../numbers.ts'
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
  /** Its configuration, which unbound-host takes too. */
  readonly configuration: string
  /** What it logged: why an answer is bogus. */
  readonly lines: readonly string[]
  ask(name: string, type: string): Promise<Message>
  /** `NOERROR AD`, `SERVFAIL EDE 6`. */
  says(name: string, type: string): Promise<string>
}

/** The name servers of `internet` listen on port 53 already. */
export async function startUnbound(t: Test, internet: Internet, profile: Profile = 'classic'): Promise<Validator> {
  const folder = mkdtempSync(join(tmpdir(), 'badmx-unbound-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const at = ownAddress()
  const root = internet.zoneFor({ name: '.', type: TYPE.SOA })
  if (root === undefined) throw new Error('an internet has a root')
  const hints = root.servers.map((server) => `. NS ${server.name}.\n${server.name}. A ${publicAddress(server)}\n`)
  writeFileSync(join(folder, 'anchor'), trustAnchor(root) ?? '')
  writeFileSync(join(folder, 'hints'), hints.join(''))
  writeFileSync(join(folder, 'conf'), configuration(at, profile, folder))
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
  return {
    at,
    configuration: join(folder, 'conf'),
    lines,
    ask,
    says: async (name, type) => summary(await ask(name, type)),
  }
}

/** `NOERROR AD`, `SERVFAIL EDE 6`. */
export function summary(message: Message): string {
  const ede = extendedErrors(message).map((code) => ` EDE ${code}`)
  return `${rcodeText(message.rcode)}${message.ad ? ' AD' : ''}${ede.join('')}`
}

function configuration(at: SocketAddress, profile: Profile, folder: string): string {
  const modern = profile === 'modern' ? 'yes' : 'no'
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
  incoming-num-tcp: 200
  do-not-query-localhost: no
  trust-anchor-file: "${join(folder, 'anchor')}"
  root-hints: "${join(folder, 'hints')}"
  module-config: "validator iterator"
  local-zone: "test." nodefault
  trust-anchor-signaling: no
  root-key-sentinel: no
  qname-minimisation: ${modern}
  aggressive-nsec: ${modern}
  harden-below-nxdomain: ${modern}
  discard-timeout: 0
  outbound-msg-retry: 2
  unknown-server-time-limit: 1000
  infra-cache-max-rtt: 3000
  infra-keep-probing: yes
remote-control:
  control-enable: no
`
}

/** An address of this process's own, and a port that no outgoing socket is given: nothing else can come to have it. */
function ownAddress(): SocketAddress {
  started += 1
  return {
    address: `127.${53 + (process.pid >> 16)}.${(process.pid >> 8) & 255}.${process.pid & 255}`,
    port: 5300 + started,
  }
}

let started = 0

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}
