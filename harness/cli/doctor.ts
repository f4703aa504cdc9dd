/**
 * `badmx doctor`: what is on this machine, one line each, with what it is needed for. Nothing is installed or changed.
 *
 * Exit code 0 unless something is missing that badmx itself needs, then 3: a client that is not here is none of that.
 */
import { access, constants, statfs } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Argv } from 'yargs'
import { Listener } from '../../peers/listener.ts'
import { packageRoot } from '../../peers/package-root.ts'
import { columns, padEnd, visible } from '../../reports/text.ts'
import type { ClientAdapter } from '../../scenarios/client.ts'
import { knownClients } from '../clients/index.ts'
import { labSupport, type NoSupport, type Support } from '../lab/support.ts'
import type { Command, Done } from './commands.ts'

/** One thing that was looked for. */
export interface Finding {
  readonly what: string
  readonly ok: boolean
  /** What it is for; where it is missing, what does not work, and how to get it. */
  readonly use: string
  /** badmx itself does not work without it. */
  readonly needed: boolean
}

export function doctorCommand(done: Done): Command {
  return {
    builder: (yargs: Argv) => yargs as Argv<object>,
    handler: async () => {
      const findings = await examine(await knownClients())
      process.stdout.write(report(findings))
      done(findings.some(({ ok, needed }) => needed && !ok) ? 3 : 0)
    },
  }
}

/** `ok       curl 7.88.1   client under test`, then a sentence. */
export function report(findings: readonly Finding[]): string {
  const room = Math.max(...findings.map(({ what }) => columns(visible(what))))
  const lines = findings.map(
    ({ ok, what, use }) => `${ok ? 'ok     ' : 'missing'}  ${padEnd(visible(what), room)}  ${visible(use)}`,
  )
  const lacking = findings.filter(({ ok, needed }) => needed && !ok).map(({ what }) => what)
  const last = lacking.length === 0 ? 'badmx has what it needs.' : `badmx cannot work without: ${lacking.join(', ')}.`
  return `${lines.join('\n')}\n\n${visible(last)}\n`
}

/** Looks. The clients' own probes tell whether they are here. */
export async function examine(clients: readonly ClientAdapter[]): Promise<readonly Finding[]> {
  return [
    nodeFinding(process.versions.node),
    {
      what: `OpenSSL ${process.versions.openssl}`,
      ok: true,
      use: 'TLS of the peers (it is part of Node)',
      needed: true,
    },
    await loopback('127.0.0.1', 'peers listen here, on ports that the system chooses', true),
    await loopback('127.5.4.3', 'serve gives each of its hosts an address of its own', false),
    await loopback('::1', 'strip --listen [::1]:PORT', false),
    await folder(tmpdir(), 'temporary files of the clients', 50),
    await folder(process.cwd(), 'results, in badmx-out', 100),
    labFinding(labSupport()),
    ...(await Promise.all(clients.filter(({ id }) => id !== 'reference').map(clientFinding))),
    ...(await testPackages(join(packageRoot(), 'harness', 'check', 'programs.mjs'))),
  ]
}

/** Node 20.20 is the oldest that badmx is tested with. */
export function nodeFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const ok = major > 20 || (major === 20 && minor >= 20)
  return { what: `Node ${version}`, ok, use: ok ? 'runs badmx' : 'runs badmx, from 20.20 on', needed: true }
}

/** Whether a listener on this address takes a connection. */
export async function loopback(address: string, use: string, needed: boolean): Promise<Finding> {
  const what = `listening on ${address}`
  try {
    const listener = await Listener.open({ address })
    listener.serve({ accept: (socket) => socket.destroy(), close: () => {} })
    try {
      await connected(listener.address)
    } finally {
      await listener.close()
    }
    return { what, ok: true, use, needed }
  } catch (error) {
    return { what, ok: false, use: `${use}; ${(error as Error).message}`, needed }
  }
}

/** Milliseconds that a connection to this machine may take. */
const CONNECT_MS = 5000

function connected({ address, port }: { address: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: address, port, timeout: CONNECT_MS })
    socket.once('connect', () => {
      socket.destroy()
      resolve()
    })
    socket.once('timeout', () => socket.destroy(new Error(`no connection to ${address} within ${CONNECT_MS} ms`)))
    socket.once('error', reject)
  })
}

/** A folder to write to, with room. */
export async function folder(path: string, use: string, leastMiB: number): Promise<Finding> {
  try {
    await access(path, constants.W_OK)
    const { bavail, bsize } = await statfs(path)
    const free = Math.floor((bavail * bsize) / 2 ** 20)
    const ok = free >= leastMiB
    const what = `${free} MiB free in ${path}`
    return { what, ok, use: ok ? use : `${use}: at least ${leastMiB} MiB are wanted`, needed: true }
  } catch (error) {
    return { what: `writing to ${path}`, ok: false, use: `${use}; ${(error as Error).message}`, needed: true }
  }
}

/** What a lab can be on this machine. */
export function labFinding(support: Support | NoSupport): Finding {
  const use = 'mail servers as clients, in a lab'
  switch (support.kind) {
    case 'root':
      return { what: 'a lab, as root', ok: true, use, needed: false }
    case 'subordinate':
      return { what: 'a lab, in a user namespace', ok: true, use, needed: false }
    case 'none':
      return { what: 'a lab', ok: false, use: `${use}; ${support.reason}; ${support.next}`, needed: false }
  }
}

async function clientFinding(client: ClientAdapter): Promise<Finding> {
  const probe = await client.probe()
  return probe.found
    ? { what: `${client.name} ${probe.version}`, ok: true, use: `--client ${client.id}`, needed: false }
    : { what: client.name, ok: false, use: `--client ${client.id}; ${probe.install}`, needed: false }
}

/** What the tests of badmx itself want, in a checkout; a published package has no tests. */
export async function testPackages(list: string): Promise<readonly Finding[]> {
  try {
    await access(list)
  } catch {
    return []
  }
  const { PROGRAMS, missing } = (await import(pathToFileURL(list).href)) as {
    PROGRAMS: readonly { readonly package: string }[]
    missing(): readonly string[]
  }
  const absent = missing()
  return PROGRAMS.map(({ package: name }) => {
    const ok = !absent.includes(name)
    const use = `npm test${ok ? '' : ` skips what needs it; apt-get install ${name}`}`
    return { what: `Debian package ${name}`, ok, use, needed: false }
  })
}
