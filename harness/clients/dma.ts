/**
 * dma, in a lab: it is no daemon, each message is a process that tries, sleeps and tries again. Messages are given to its
 * sendmail command.
 *
 * Its TLS settings hold for all domains and its flush for all messages (dma.c, run_queue), so that each message has its own
 * dma.conf and its own spool. When an attempt is over, the sleeping process is ended, and another attempt is `dma -q`. It
 * logs no line when it goes to sleep: the kernel says that it does.
 */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { ClientStage, Delivery, PolicySupport } from '../../scenarios/client.ts'
import type { Policy } from '../../scenarios/policy.ts'
import { everyPolicy } from './environment.ts'
import type { Mta, MtaSetup } from './mta/definition.ts'
import { mtaClient } from './mta/mta.ts'
import { withOwnView } from './mta/own-view.ts'
import type { LogReader, Report } from './mta/tracker.ts'

/** Lines of dma.conf, dma(8). */
const SETTINGS: Readonly<Partial<Record<Policy, readonly string[]>>> = {
  none: [],
  may: ['SECURETRANSFER', 'STARTTLS', 'OPPORTUNISTIC_TLS'],
  encrypt: ['SECURETRANSFER', 'STARTTLS'],
}

const NO_DNSSEC = 'dma has no DANE'
const UNSUPPORTED: Readonly<Partial<Record<Policy, string>>> = {
  verify: 'dma 0.13 checks no certificate; VERIFYCERT came later, and "only makes sense if you use a smarthost"',
  dane: NO_DNSSEC,
  'dane-only': NO_DNSSEC,
  'mta-sts': 'dma has no MTA-STS',
  implicit: 'dma speaks TLS on connect (SECURETRANSFER without STARTTLS), but to port 25 unless it has a smart host',
}

function support(policy: Policy): PolicySupport {
  const unsupported = UNSUPPORTED[policy]
  if (unsupported !== undefined) return { unsupported }
  const lines = SETTINGS[policy] ?? []
  return { options: lines.length === 0 ? 'untouched' : `dma.conf: ${lines.join(', ')}` }
}

export const client = mtaClient({
  id: 'dma',
  name: 'dma',
  policies: everyPolicy(support),
  documented: { policy: 'none', source: 'dma(8): SECURETRANSFER and STARTTLS are commented' },
  passwords: false,
  agesAfterMs: () => 0,
  // An alarm around read_remote (net.c) alone; none around SSL_connect (crypto.c), nor around write. For connect(2) tcp(7),
  // tcp_syn_retries.
  fixedLimits: {
    seconds: { connect: 127, banner: 300, command: 300, handshake: 'none', data: 300, block: 'none', dot: 300 },
    source: 'dma 0.13, dma.h: CON_TIMEOUT',
  },
  version: async (root) => (await root.run(['dpkg-query', '-W', 'dma'])).stdout.split('\t')[1]?.trim() ?? 'unknown',
  start,
  reader,
})

const SPOOL = '/var/spool/dma'
const CONFIGURATION = '/etc/dma/dma.conf'
const OWN = '/var/lib/badmx'

/** A message, and the process that has it. */
interface Own {
  readonly view: Readonly<Record<string, string>>
  running: ChildProcess | undefined
  /** Resolves when it has ended. */
  gone: Promise<unknown>
}

async function start(setup: MtaSetup): Promise<Mta> {
  const { root } = setup
  const messages = new Map<string, Own>()
  let count = 0

  const run = (own: Own, argv: readonly string[]): ChildProcess => {
    const running = root.spawn(withOwnView(own.view, argv))
    own.running = running
    own.gone = once(running, 'exit')
    return running
  }
  const end = async (id: string): Promise<void> => {
    const own = messages.get(id)
    const running = own?.running
    if (own === undefined || running === undefined) return
    own.running = undefined
    if (running.exitCode !== null || running.signalCode !== null) return
    // dma gives up its privileges, with which the kernel forgets that it has to end with its parent.
    const pid = await programOf(running)
    if (pid !== undefined) kill(pid)
    await own.gone
  }

  return {
    configuration: await configurationOf(setup),
    async submit(delivery: Delivery): Promise<string> {
      count += 1
      const folder = `${OWN}/${count}`
      await root.write(`${folder}/dma.conf`, await confOf(delivery, setup, folder), { owner: 'root:mail', mode: 0o640 })
      const made = await root.run(['install', '-d', '-o', 'root', '-g', 'mail', '-m', '2770', `${folder}/spool`])
      if (made.code !== 0) throw new Error(`${folder}: ${made.stderr}`)
      const own: Own = {
        view: { [SPOOL]: `${folder}/spool`, [CONFIGURATION]: `${folder}/dma.conf` },
        running: undefined,
        gone: Promise.resolve(),
      }
      const [to = ''] = delivery.to
      const queued = setup.heard(new RegExp(`mail to=<${to.replaceAll('.', '\\.')}> queued as (\\S+)`))
      const running = run(own, ['sendmail', '-D', '-i', '-f', delivery.from, to])
      // A command of the machine takes lines as the machine writes them.
      running.stdin?.end(delivery.message.toString('latin1').replaceAll('\r\n', '\n'), 'latin1')
      const id = (await queued)[1] ?? ''
      messages.set(id, own)
      void watch(id, own, setup)
      return id
    },
    async retry(id: string): Promise<void> {
      const own = messages.get(id)
      if (own === undefined) throw new Error(`dma has no message ${id}`)
      run(own, ['dma', '-D', '-q'])
      void watch(id, own, setup)
    },
    rest: end,
    async remove(id: string): Promise<void> {
      await end(id)
      messages.delete(id)
    },
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    // It has just ended by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Milliseconds between two looks at what the process does. */
const LOOK_MS = 100
/** clock_nanosleep of this machine, as /proc tells it: x86-64, arm64. */
const SLEEPS = process.arch === 'arm64' ? '115' : '230'

/** Says in the log when the process of a message goes to sleep until its next attempt, or ends by a signal. */
async function watch(id: string, own: Own, { hear }: MtaSetup): Promise<void> {
  const { running } = own
  running?.once('exit', (code, signal) => {
    const how = signal ?? (code !== null && code > 128 ? `status ${code}` : undefined)
    if (own.running === running && how !== undefined) hear(`badmx: dma[${id}] ended by itself (${how})`)
  })
  while (running !== undefined && own.running === running && running.exitCode === null && running.signalCode === null) {
    const pid = await programOf(running)
    const call = pid === undefined ? '' : await readFile(`/proc/${pid}/syscall`, 'utf8').catch(() => '')
    // The only other sleep is one of 10 ms within a reply.
    if (call.startsWith(`${SLEEPS} `) && (await sleepsOn(pid, call)))
      return hear(`badmx: dma[${id}] sleeps until its next attempt`)
    await pause(LOOK_MS)
  }
}

async function sleepsOn(pid: number | undefined, call: string): Promise<boolean> {
  await pause(LOOK_MS)
  return (await readFile(`/proc/${pid}/syscall`, 'utf8').catch(() => '')) === call
}

/** The program that `nsenter` has started in the root. */
async function programOf({ pid }: ChildProcess): Promise<number | undefined> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  const [first] = children.trim().split(' ')
  return first === undefined || first === '' ? undefined : Number(first)
}

async function confOf(
  { policy, clientCertificate }: Delivery,
  { root, stage }: MtaSetup,
  folder: string,
): Promise<string> {
  const certificate: string[] = []
  if (clientCertificate !== undefined) {
    const file = `${folder}/client.pem`
    const pem = `${await readFile(clientCertificate.keyFile, 'utf8')}\n${await readFile(clientCertificate.chainFile, 'utf8')}`
    await root.write(file, pem, { owner: 'root:mail', mode: 0o640 })
    certificate.push(`CERTFILE ${file}`)
  }
  return linesOf(policy, stage, certificate)
}

function linesOf(policy: Policy, { settings }: ClientStage, certificate: readonly string[]): string {
  const own = [...(SETTINGS[policy] ?? []), ...certificate]
  return ['MAILNAME /etc/mailname', ...own, ...(settings === undefined ? [] : ['# Of the user:', settings]), ''].join(
    '\n',
  )
}

async function configurationOf({ stage }: MtaSetup): Promise<string> {
  const policies = [...new Set(stage.foreseen.map(({ policy }) => policy))]
  return policies.map((policy) => `# dma.conf of messages under ${policy}\n${linesOf(policy, stage, [])}`).join('\n')
}

/** `<22>Nov 28 16:05:01 dma[25f0b7.5581c1a3c4a0][17]: <a@b> delivery successful`, with or without a process id. */
const LINE = /\bdma\[(?<id>[^\]]+)\](?:\[\d+\])?:? (?<text>.*)$/
const DELIVERED = /^<.*> delivery successful$/
const BOUNCED = /^delivery failed, bouncing as /
/** Why a host did not take the message. */
const TROUBLE = /^(?:remote delivery (?:to|deferred|failed)|connect to|socket for|Could not perform|Invalid line).*/

/** Exported for its test. */
export function reader(): LogReader {
  const why = new Map<string, string>()
  return (line) => {
    const { id = '', text = '' } = LINE.exec(line)?.groups ?? {}
    const say = (state: Report['state'], reason: string, kind?: Report['kind']): Report => {
      why.delete(id)
      return { id, state, reason, ...(kind === undefined ? {} : { kind }) }
    }
    if (TROUBLE.test(text)) why.set(id, text)
    else if (DELIVERED.test(text)) return say('delivered', 'delivery successful')
    else if (BOUNCED.test(text)) return say('bounced', why.get(id) ?? text, 'permanent')
    else if (text === 'sleeps until its next attempt') return say('queued', why.get(id) ?? text, 'temporary')
    else if (text.startsWith('ended by itself')) return say('crashed', text)
    return undefined
  }
}
