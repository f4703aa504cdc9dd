/**
 * Exim, in a lab: one instance for all cells, its policy by domain in the host lists of its smtp transport.
 *
 * Its settings are those of its own default configuration (src/configure.default) and of its code, apart from what a lab
 * needs, and from the time limits, which the run's time scale divides. Nothing that it does depends on the age of a message,
 * until the retry rule gives the message up: a handshake that fails goes to clear in the same attempt (smtp.c,
 * tls_tempfail_tryclear).
 */
import { readFile } from 'node:fs/promises'
import type { Foreseen, PolicySupport } from '../../scenarios/client.ts'
import type { Policy } from '../../scenarios/policy.ts'
import { LAB_NETWORK } from '../lab/network.ts'
import type { ClientRoot } from '../lab/root.ts'
import { everyPolicy } from './environment.ts'
import { type Mta, type MtaSetup, policiesByDomain, scaledLimit } from './mta/definition.ts'
import { mtaClient } from './mta/mta.ts'
import type { LogReader, Report } from './mta/tracker.ts'

const PROGRAM = '/usr/sbin/exim4'
const FOLDER = '/etc/exim4'

/**
 * What each policy adds to the transport, for hosts of its domains. `tls_verify_hosts` by itself lets a host go clear that
 * offers no TLS.
 */
const OPTIONS: Readonly<Partial<Record<Policy, readonly string[]>>> = {
  none: ['hosts_avoid_tls'],
  may: [],
  encrypt: ['hosts_require_tls'],
  verify: ['hosts_require_tls', 'tls_verify_hosts'],
  dane: ['hosts_try_dane'],
  'dane-only': ['hosts_require_dane'],
  // Its default: DANE wherever DNS has secure records for it.
  default: ['hosts_try_dane'],
}

const UNSUPPORTED: Readonly<Partial<Record<Policy, string>>> = {
  'mta-sts': 'Exim has no MTA-STS',
  implicit:
    'Exim speaks TLS on connect where a transport for a smart host says so (protocol = smtps), not by MX records',
}

function support(policy: Policy): PolicySupport {
  const unsupported = UNSUPPORTED[policy]
  if (unsupported !== undefined) return { unsupported }
  const names = policy === 'default' ? [] : (OPTIONS[policy] ?? [])
  return { options: names.length === 0 ? 'nothing' : names.map((name) => `${name} = *`).join(', ') }
}

/** Untouched limits of the smtp transport in seconds: the Exim specification, "Private options for smtp". */
const LIMITS = { connect_timeout: 300, command_timeout: 300, data_timeout: 300, final_timeout: 600 } as const

export const client = mtaClient({
  id: 'exim',
  name: 'Exim',
  policies: everyPolicy(support),
  documented: {
    policy: 'dane',
    source: 'the Exim specification, "Private options for smtp": hosts_try_dane, default * since 4.93',
  },
  // Its client authenticators are for smart hosts; badmx sets none.
  passwords: false,
  exceptions: true,
  queuedAs: /OK id=(\S+)/,
  agesAfterMs: () => 0,
  // QUEUEINTERVAL of Debian's /etc/default/exim4, and what the specification takes as its example (-q30m).
  looksEverySeconds: 1800,
  version: async (root) =>
    /^Exim version (\S+)/.exec((await root.run([PROGRAM, '--version'])).stdout)?.[1] ?? 'unknown',
  start,
  reader,
})

async function start(setup: MtaSetup): Promise<Mta> {
  const { root, stage } = setup
  const readable = { owner: 'root:Debian-exim', mode: 0o640 }
  const policies = policiesByDomain(stage.foreseen).map(([domain, policy]) => `${domain}: ${policy}`)
  await root.write(`${FOLDER}/policies`, lines(policies), readable)
  await root.write(`${FOLDER}/certificates`, lines(await certificates(root, stage.foreseen)), readable)
  const configuration = configurationOf(setup)
  await root.write(`${FOLDER}/exim4.conf`, configuration, readable)
  const effective = await root.run([PROGRAM, '-bP', 'transport', 'remote_smtp'], { timeoutMs: 20_000 })
  return {
    // Without -q: no queue runs of its own.
    daemon: { process: root.spawn([PROGRAM, '-bdf']), ready: /daemon started: pid=/ },
    configuration: `# exim4.conf\n${configuration}\n# policies, the first of ${policies.length}\n${lines(policies.slice(0, 8))}\n# exim4 -bP transport remote_smtp\n${effective.stdout}`,
    retry: (id) => force(root, id),
    async lookAtQueue(): Promise<void> {
      await root.run([PROGRAM, '-q'], { timeoutMs: 60_000 })
    },
  }
}

/** Writes the client certificates into the root. Returns lines `domain: file`, each file with chain and key. */
async function certificates(root: ClientRoot, foreseen: readonly Foreseen[]): Promise<string[]> {
  const files = new Map<string, string>()
  const found: string[] = []
  for (const { domain, clientCertificate } of foreseen) {
    if (clientCertificate === undefined) continue
    const { chainFile, keyFile } = clientCertificate
    const file = files.get(chainFile) ?? `${FOLDER}/client-${files.size + 1}.pem`
    if (!files.has(chainFile)) {
      const pem = `${await readFile(chainFile, 'utf8')}\n${await readFile(keyFile, 'utf8')}`
      await root.write(file, pem, { owner: 'root:Debian-exim', mode: 0o640 })
      files.set(chainFile, file)
    }
    found.push(`${domain}: ${file}`)
  }
  return found
}

/**
 * Starts a delivery whatever the retry times say. The process of the attempt before keeps the message locked for a moment
 * after it has logged the end: a process that finds it so tells, and leaves.
 */
async function force(root: ClientRoot, id: string): Promise<void> {
  for (;;) {
    const child = root.spawn([PROGRAM, '-v', '-M', id], { stdio: ['ignore', 'ignore', 'pipe'] })
    const locked = await new Promise<boolean>((resolve, reject) => {
      let said = ''
      child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        if (said.length > 4096) return
        said += text
        const found = foundLocked(said, id)
        if (found !== undefined) resolve(found)
      })
      child.once('error', reject).once('close', () => {
        if (said.includes(`delivering ${id}`)) resolve(false)
        else reject(new Error(`exim4 -M ${id} tries nothing: ${said}`))
      })
    })
    if (!locked) return
  }
}

function lines(each: readonly string[]): string {
  return each.map((line) => `${line}\n`).join('')
}

function configurationOf({ stage, times, address, port }: MtaSetup): string {
  const policy = `\${lookup{$domain}lsearch{${FOLDER}/policies}}`
  const certificate = `\${lookup{$domain}lsearch{${FOLDER}/certificates}}`
  const option = (name: string): string => {
    const holds = Object.entries(OPTIONS).flatMap(([id, names]) => (names.includes(name) ? [id] : []))
    return `  ${name} = \${if match{${policy}}{\\N^(${holds.join('|')})$\\N}{*}}`
  }
  return lines([
    `primary_hostname = ${LAB_NETWORK.hostname}`,
    `local_interfaces = ${address}`,
    `daemon_smtp_ports = ${port}`,
    'log_file_path = syslog',
    '# Its own server does no TLS; and two instances on one machine cannot both have the socket of this name.',
    'tls_advertise_hosts =',
    '.ifdef _OPT_MAIN_NOTIFIER_SOCKET',
    'notifier_socket =',
    '.endif',
    'acl_smtp_rcpt = accept',
    '# As many messages at once as there are cells.',
    'smtp_accept_max = 0',
    'smtp_accept_queue_per_connection = 0',
    ...(times === 'untouched'
      ? [
          '# For the clock that is moved; a look at the queue that finds it is too early is no attempt.',
          'keep_environment = NO_FAKE_STAT : FAKETIME_NO_CACHE',
          'log_selector = -retry_defer',
        ]
      : ['keep_environment =']),
    ...(stage.settings === undefined ? [] : ['# Of the user:', stage.settings]),
    '',
    'begin routers',
    '',
    'dnslookup:',
    '  driver = dnslookup',
    '  transport = remote_smtp',
    '  ignore_target_hosts = <; 0.0.0.0 ; 127.0.0.0/8 ; ::1',
    '  no_more',
    '',
    'begin transports',
    '',
    'remote_smtp:',
    '  driver = smtp',
    ...['hosts_avoid_tls', 'hosts_require_tls', 'tls_verify_hosts', 'hosts_try_dane', 'hosts_require_dane'].map(option),
    `  tls_certificate = ${certificate}`,
    `  tls_privatekey = ${certificate}`,
    ...(times === 'untouched'
      ? []
      : [
          `# Divided by the time scale of the run, ${stage.timeScale}.`,
          ...Object.entries(LIMITS).map(([name, seconds]) => `  ${name} = ${scaledLimit(seconds, stage)}s`),
        ]),
    '',
    'begin retry',
    '',
    '* * F,2h,15m; G,16h,1h,1.5; F,4d,6h',
  ])
}

/**
 * Whether `exim4 -v -M` found the message locked, by what it says after that it is delivering it; undefined while it has not
 * said. `LOG: …` begins a line of the log, the text of which is on the next. Exported for its test.
 */
export function foundLocked(said: string, id: string): boolean | undefined {
  const [, after] = said.split(`delivering ${id}`)
  const lines = after?.split('\n').slice(1, -1) ?? []
  const first = lines.find((line) => line.trim() !== '' && !/^\s*(?:\d+ )?LOG:/.test(line))
  return first === undefined ? undefined : /Spool file (?:for \S+ )?is locked/.test(first)
}

/** `1vP0Ab-000001-2X => x@y.test R=… H=mx.y.test [198.18.1.8] X=TLS1.3:… CV=yes C="250 OK"`; ids are longer from 4.97 on. */
const RESULT = /\d (?<id>\w{6}-\w{6,11}-\w{2,4}) (?<mark>=>|->|==|\*\*) (?<address>\S+)(?: <[^>]*>)? ?(?<rest>.*)$/

/** The message is out of the queue. */
const COMPLETED = /\d (?<id>\w{6}-\w{6,11}-\w{2,4}) Completed\b/

const STATES: Readonly<Record<string, Report['state']>> = {
  '=>': 'delivered',
  '->': 'delivered',
  '==': 'queued',
  '**': 'bounced',
}

/**
 * Exported for its test. A message that is completed and of which nothing was told is one that Exim takes for done: since 4.98
 * where a peer leaves after its reply to RCPT and before the content has been sent (smtp.c, "converting i/o-error to no-error").
 */
export function reader(): LogReader {
  /** Messages that were told to be delivered or bounced, and are not completed yet. */
  const told = new Set<string>()
  return (line) => {
    const completed = COMPLETED.exec(line)?.groups?.['id']
    if (completed !== undefined) {
      if (told.delete(completed)) return undefined
      return { id: completed, state: 'delivered', reason: 'Completed, and no word of a delivery' }
    }
    const { id = '', mark = '', rest = '' } = RESULT.exec(line)?.groups ?? {}
    const state = STATES[mark]
    if (state === undefined) return undefined
    if (state !== 'queued') told.add(id)
    if (state !== 'delivered') return { id, state, kind: state === 'queued' ? 'temporary' : 'permanent', reason: rest }
    // log_selector has tls_cipher and tls_certificate_verified by default. CV=yes: chain and name (tls-gnu.c, verify_certificate).
    const encrypted = / X=\S/.test(rest)
    return {
      ...{ id, state, reason: rest },
      ...(encrypted ? { claims: { encrypted, verified: / CV=(?:yes|dane)\b/.test(rest) } } : {}),
    }
  }
}
