/**
 * Sendmail, in a lab: one instance for all cells, its policy by domain in the access map.
 *
 * Its settings are those of Debian's sendmail.mc, apart from what a lab needs, and from the time limits, which the run's time
 * scale divides. Nothing that it does depends on the age of a message, until Timeout.queuereturn gives the message up.
 */
import type { ChildProcess } from 'node:child_process'
import { watch } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Foreseen, PolicySupport } from '../../scenarios/client.ts'
import type { Policy } from '../../scenarios/policy.ts'
import { LAB_NETWORK } from '../lab/network.ts'
import type { ClientRoot } from '../lab/root.ts'
import { LabError } from '../process/program.ts'
import { everyPolicy } from './environment.ts'
import { CA_FILE, type Mta, type MtaSetup, scaledLimit } from './mta/definition.ts'
import { mtaClient } from './mta/mta.ts'
import type { LogReader } from './mta/tracker.ts'

const PROGRAM = '/usr/libexec/sendmail/sendmail'
/** Of its pid file; /run of a root is empty. */
const RUN_FOLDER = '/run/sendmail/mta'

/**
 * Entries of the access map: cf/README, "STARTTLS", "Allowing Connections". TLS_Srv is for the hosts below a domain and asked
 * before MAIL; TLS_Rcpt for its recipients, wherever an MX record leads them, and asked before RCPT.
 */
const ENTRIES: Readonly<Partial<Record<Policy, string>>> = {
  none: 'Try_TLS:DOMAIN NO',
  encrypt: 'TLS_Srv:DOMAIN ENCR:112\nTLS_Rcpt:DOMAIN ENCR:112',
  // CN: the name of the host, in the certificate's subject or, with FEATURE(check_cert_altnames), among its other names.
  verify: 'TLS_Srv:DOMAIN VERIFY:112+CN\nTLS_Rcpt:DOMAIN VERIFY:112+CN',
}

const NO_DANE = "DANE is no part of Debian's build of Sendmail"
const UNSUPPORTED: Readonly<Partial<Record<Policy, string>>> = {
  dane: NO_DANE,
  'dane-only': NO_DANE,
  'mta-sts': 'Sendmail has no MTA-STS of its own: FEATURE(sts) asks a policy server (postfix-mta-sts-resolver)',
  implicit: 'Sendmail speaks no TLS on connect as a client',
}

function support(policy: Policy): PolicySupport {
  const unsupported = UNSUPPORTED[policy]
  if (unsupported !== undefined) return { unsupported }
  return { options: ENTRIES[policy]?.replaceAll('\n', ', ') ?? 'no entry in the access map' }
}

/**
 * Limits in seconds as OSTYPE(debian) and the operations guide ("Read Timeouts") have them; CONNECT is untouched the kernel's.
 * The one for content on its way out is compiled in, and no scale divides it.
 */
const LIMITS = {
  ICONNECT: 120,
  CONNECT: 120,
  INITIAL: 300,
  HELO: 300,
  STARTTLS: 3600,
  MAIL: 120,
  RCPT: 3600,
  DATAINIT: 120,
  DATAFINAL: 3600,
  RSET: 60,
  QUIT: 120,
} as const

export const client = mtaClient({
  id: 'sendmail',
  name: 'Sendmail',
  policies: everyPolicy(support),
  documented: { policy: 'may', source: 'cf/README, "STARTTLS": a client uses it where a server offers it' },
  // AuthInfo of the access map is for smart hosts; badmx sets none.
  passwords: false,
  queuedAs: /(\w+) Message accepted/,
  agesAfterMs: () => 0,
  fixedLimits: { seconds: { block: 300 }, source: 'Sendmail 8.17, conf.h: DATA_PROGRESS_TIMEOUT' },
  // QUEUE_INTERVAL of Debian's /etc/mail/sendmail.conf
  looksEverySeconds: 600,
  version: async (root) =>
    /^Version (\S+)/m.exec((await root.run([PROGRAM, '-d0.1', '-bt'], { input: '' })).stdout)?.[1] ?? 'unknown',
  start,
  reader,
})

async function start(setup: MtaSetup): Promise<Mta> {
  const { root, stage } = setup
  const entries = await accessMap(root, stage.foreseen)
  await root.write('/etc/mail/access', lines(['Connect:127.0.0.1 RELAY', ...entries]), { mode: 0o640 })
  await root.write('/etc/mail/local-host-names', '')
  const macros = macrosOf(setup)
  await root.write('/etc/mail/sendmail.mc', macros)
  await tool(root, ['mkdir', '-p', RUN_FOLDER])
  await tool(root, ['sh', '-c', 'makemap hash /etc/mail/access </etc/mail/access'])
  await root.write('/etc/mail/sendmail.cf', await tool(root, ['m4', '/etc/mail/sendmail.mc']))
  const options = (await root.read('/etc/mail/sendmail.cf')).split('\n').filter((line) => line.startsWith('O '))
  return {
    daemon: { ...daemon(root), ready: /starting daemon/ },
    configuration: `# sendmail.mc\n${macros}\n# access, the first of ${entries.length}\n${lines(entries.slice(0, 8))}\n# options of sendmail.cf\n${lines(options)}`,
    retry: (id) => force(root, id),
    async lookAtQueue(): Promise<void> {
      await root.run([PROGRAM, '-qf'], { timeoutMs: 60_000 })
    },
  }
}

/**
 * Starts a run of the queue for one message. The process of the attempt before keeps the message locked for a moment after it
 * has logged the end: a run that finds it so tells in its second line, and leaves.
 */
async function force(root: ClientRoot, id: string): Promise<void> {
  for (;;) {
    const child = root.spawn([PROGRAM, '-v', `-qI${id}`], { stdio: ['ignore', 'pipe', 'ignore'] })
    const locked = await new Promise<boolean>((resolve, reject) => {
      let said = ''
      child.stdout?.setEncoding('utf8').on('data', (text: string) => {
        if (said.length > 4096) return
        said += text
        const [, second] = said
          .trimStart()
          .split('\n')
          .filter((line) => line !== '')
        if (second !== undefined) resolve(second.includes(`${id}: locked`))
      })
      child.once('error', reject).once('close', () => reject(new Error(`sendmail -qI${id} tries nothing: ${said}`)))
    })
    if (!locked) return
  }
}

/** Without -q: no queue runs of its own. It listens when it has written its pid file (daemon.c, getrequests). */
function daemon(root: ClientRoot): { readonly process: ChildProcess; readonly listening: Promise<void> } {
  const watcher = watch(join(root.path, RUN_FOLDER))
  const process = root.spawn([PROGRAM, '-bD'])
  const listening = new Promise<void>((resolve) => {
    watcher.on('change', (_, name) => {
      if (name === 'sendmail.pid') resolve()
    })
    process.once('exit', () => resolve())
  }).finally(() => watcher.close())
  return { process, listening }
}

async function tool(root: ClientRoot, argv: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await root.run(argv, { timeoutMs: 20_000 })
  if (code !== 0) throw new LabError('client-start', `${argv.join(' ')}: ${stderr}`, 'badmx lab shell sendmail')
  return stdout
}

/** The entries of the cells; writes their client certificates into the root. */
async function accessMap(root: ClientRoot, foreseen: readonly Foreseen[]): Promise<string[]> {
  const files = new Map<string, string>()
  const entries: string[] = []
  for (const { domain, policy, clientCertificate } of foreseen) {
    const entry = ENTRIES[policy]
    if (entry !== undefined) entries.push(entry.replaceAll('DOMAIN', domain))
    if (clientCertificate === undefined) continue
    const { chainFile, keyFile } = clientCertificate
    const place = files.get(chainFile) ?? `/etc/mail/tls/client-${files.size + 1}`
    if (!files.has(chainFile)) {
      await root.write(`${place}.pem`, await readFile(chainFile))
      await root.write(`${place}.key`, await readFile(keyFile), { mode: 0o600 })
      files.set(chainFile, place)
    }
    entries.push(`TLS_Clt_Features:${domain} CertFile=${place}.pem; KeyFile=${place}.key`)
  }
  return entries
}

function lines(each: readonly string[]): string {
  return each.map((line) => `${line}\n`).join('')
}

function macrosOf({ stage, times, address, port }: MtaSetup): string {
  return lines([
    'divert(0)dnl',
    "define(`_USE_ETC_MAIL_')dnl",
    "include(`/usr/share/sendmail/cf/m4/cf.m4')dnl",
    "OSTYPE(`debian')dnl",
    "DOMAIN(`debian-mta')dnl",
    "undefine(`confHOST_STATUS_DIRECTORY')dnl",
    "FEATURE(`no_default_msa')dnl",
    "FEATURE(`access_db', , `skip')dnl",
    "FEATURE(`check_cert_altnames')dnl",
    "FEATURE(`tls_session_features')dnl",
    `define(\`confCACERT', \`${CA_FILE}')dnl`,
    "define(`confCACERT_PATH', `/etc/ssl/certs')dnl",
    `define(\`confDOMAIN_NAME', \`${LAB_NETWORK.hostname}')dnl`,
    `DAEMON_OPTIONS(\`Family=inet, Name=MTA-v4, Port=${port}, Addr=${address}')dnl`,
    'dnl As many messages at once as there are cells, whatever else the machine does.',
    ...['QUEUE_LA', 'REFUSE_LA', 'DELAY_LA'].map((name) => `define(\`conf${name}', \`10000')dnl`),
    ...(times === 'untouched'
      ? []
      : [
          `dnl Divided by the time scale of the run, ${stage.timeScale}.`,
          ...Object.entries(LIMITS).map(
            ([name, seconds]) => `define(\`confTO_${name}', \`${scaledLimit(seconds, stage)}s')dnl`,
          ),
        ]),
    ...(stage.settings === undefined ? [] : ['dnl Of the user:', stage.settings]),
    "MAILER(`local')dnl",
    "MAILER(`smtp')dnl",
  ])
}

/** `sendmail[12]: 5ASFn1: to=<x@y.test>, delay=…, relay=mx.y.test. [198.18.1.8], dsn=4.0.0, reply=…, stat=Deferred: …`. */
const RESULT = /: (?<id>\w+): to=.*?, dsn=(?<dsn>[\d.]+), (?:reply=.*?, )?stat=(?<reason>(?<word>\w+).*)$/

/** After the last attempt: `6ASGPv28000030: 6B3GQpCc000131: sender notify: Cannot send message for 5 days`. */
const EXPIRED = /: (?<id>\w+): \w+: [\w ]+: (?<reason>Cannot send message for .*)$/

/**
 * Exported for its test. The log tells of a handshake (`STARTTLS=client, …, verify=OK`), of a chain and not of a name, and not
 * by which connection the message went: it claims nothing of a delivery.
 */
export function reader(): LogReader {
  return (line) => {
    const expired = EXPIRED.exec(line)?.groups
    if (expired !== undefined)
      return { id: expired['id'] ?? '', state: 'bounced', kind: 'permanent', reason: expired['reason'] ?? '' }
    const { id, dsn = '', reason = '', word = '' } = RESULT.exec(line)?.groups ?? {}
    if (id === undefined || word === 'queued') return undefined
    if (word === 'Sent') return { id, state: 'delivered', reason }
    // Where the server is out of step the status code is that of any reply: `dsn=2.1.5, stat=Remote protocol error`, a bounce.
    return word === 'Deferred' || dsn.startsWith('4')
      ? { id, state: 'queued', kind: 'temporary', reason }
      : { id, state: 'bounced', kind: 'permanent', reason }
  }
}
