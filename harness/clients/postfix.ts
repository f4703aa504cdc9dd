/**
 * Postfix, in a lab: one instance for all cells, its policy by domain in `smtp_tls_policy_maps`.
 *
 * Its settings are those that Postfix has untouched, apart from what a lab needs, and from the time limits, which the
 * run's time scale divides. Under `may` it goes to clear for a message older than `minimal_backoff_time` only (TLS_README,
 * "Opportunistic TLS"; smtp_connect.c, PREACTIVE_DELAY): an aged retry waits for that. A client certificate is a setting
 * of a transport (`smtp_tls_cert_file`), so that each chain has a transport of its own.
 */
import { readFile } from 'node:fs/promises'
import type { ClientStage, Foreseen, PolicySupport } from '../../scenarios/client.ts'
import type { Policy } from '../../scenarios/policy.ts'
import { LAB_NETWORK } from '../lab/network.ts'
import { LabError } from '../process/program.ts'
import { everyPolicy } from './environment.ts'
import { CA_FILE, type Mta, type MtaSetup, policiesByDomain, scaledLimit } from './mta/definition.ts'
import { mtaClient } from './mta/mta.ts'
import type { LogReader, Report } from './mta/tracker.ts'

/** The result of a policy map: postconf(5), smtp_tls_policy_maps. */
const LEVELS: Readonly<Partial<Record<Policy, string>>> = {
  none: 'none',
  may: 'may',
  encrypt: 'encrypt',
  // With its default match=hostname: the name of the mail host, as DNS says it.
  verify: 'verify',
  dane: 'dane',
  'dane-only': 'dane-only',
}

const UNSUPPORTED: Readonly<Partial<Record<Policy, string>>> = {
  'mta-sts': 'Postfix has no MTA-STS of its own: a policy server (postfix-mta-sts-resolver) answers its policy maps',
  implicit:
    'Postfix speaks TLS on connect to a smart host only (smtp_tls_wrappermode), not to the hosts of an MX record',
}

function isDane(policy: Policy): boolean {
  return policy === 'dane' || policy === 'dane-only'
}

function support(policy: Policy): PolicySupport {
  const unsupported = UNSUPPORTED[policy]
  if (unsupported !== undefined) return { unsupported }
  const level = LEVELS[policy]
  if (level === undefined) return { options: 'no entry in smtp_tls_policy_maps' }
  return { options: `smtp_tls_policy_maps: ${level}${isDane(policy) ? '; smtp_dns_support_level = dnssec' : ''}` }
}

/** Untouched limits in seconds, postconf(5). */
const LIMITS = {
  smtp_connect_timeout: 30,
  smtp_helo_timeout: 300,
  smtp_starttls_timeout: 300,
  smtp_mail_timeout: 300,
  smtp_rcpt_timeout: 300,
  smtp_data_init_timeout: 120,
  smtp_data_xfer_timeout: 180,
  smtp_data_done_timeout: 600,
  smtp_rset_timeout: 20,
  smtp_quit_timeout: 300,
} as const

/** Untouched, in seconds. */
const MINIMAL_BACKOFF = 300
/** Messages that are being delivered at once. */
const PROCESSES = 400

function backoff(timeScale: number): number {
  return Math.max(1, Math.ceil(MINIMAL_BACKOFF / timeScale))
}

export const client = mtaClient({
  id: 'postfix',
  name: 'Postfix',
  policies: everyPolicy(support),
  documented: { policy: 'none', source: 'postconf(5), smtp_tls_security_level (default: empty)' },
  passwords: false,
  exceptions: true,
  queuedAs: /queued as (\w+)/,
  // It counts whole seconds.
  agesAfterMs: (timeScale) => (backoff(timeScale) + 1) * 1000,
  // postconf(5), queue_run_delay
  looksEverySeconds: 300,
  version: async (root) => (await root.run(['postconf', '-d', '-h', 'mail_version'])).stdout.trim(),
  start,
  reader,
})

/**
 * The queue manager moves a message to its deferred queue when the process of the attempt has let go of it, and postqueue passes
 * over one that is not there yet: nothing would be tried, and nothing says when it is there. Most often that is a moment after
 * the line that says so; where the peer takes no more octets (zero window), Postfix 3.10 first waits for smtp_starttls_timeout.
 */
const UNTIL_DEFERRED = `
until [ -n "$(find /var/spool/postfix/deferred -name "$1")" ]; do sleep 0.05; done`

/** Milliseconds for a program of the queue. */
const QUEUE_MS = 20_000

/**
 * Resolves when its queue is at rest: nothing is being delivered, and nothing in the deferred queue, where the time of a file
 * is that of the next attempt, was due when this was called. The queue manager takes the time of the next attempt when it
 * has heard of the end of the last, a moment after the line that says so: a clock that is moved in between puts it off.
 */
const AT_REST = `
cd /var/spool/postfix
for n in $(seq 500); do
  [ -n "$(find active incoming -type f -print -quit; find deferred -type f ! -newermt "@$now" -print -quit)" ] || break
  sleep 0.02
done`

/**
 * I and D: its incoming and its deferred messages, as the queue manager does by itself after queue_run_delay. When the queue is
 * at rest, a line in the log says so, behind those of the attempts.
 */
const LOOK = `
now=$(date +%s)
postkick public qmgr ID
${AT_REST}
logger -t badmx "looked $1"`

async function start(setup: MtaSetup): Promise<Mta> {
  const { root, stage } = setup
  const restMs = QUEUE_MS + scaledLimit(LIMITS.smtp_starttls_timeout, stage) * 1000
  let looks = 0
  // Postfix lets a file rest for two seconds that has just been written.
  const write = (file: string, text: string): Promise<void> => root.write(file, text, { ageSeconds: 3600 })
  const chains = [...new Set(stage.foreseen.flatMap(({ clientCertificate }) => clientCertificate?.chainFile ?? []))]
  const transports = new Map(chains.map((chain, at) => [chain, `smtp-cert-${at + 1}`]))
  for (const { clientCertificate } of stage.foreseen) {
    const name = transports.get(clientCertificate?.chainFile ?? '')
    if (clientCertificate === undefined || name === undefined) continue
    const pem = `${await readFile(clientCertificate.keyFile, 'utf8')}\n${await readFile(clientCertificate.chainFile, 'utf8')}`
    await root.write(`/etc/badmx/${name}.pem`, pem, { mode: 0o600, ageSeconds: 3600 })
  }
  const main = mainConfiguration(setup)
  await write('/etc/postfix/main.cf', main)
  for (const edit of masterEdits(setup, [...transports.values()])) await postconf(setup, edit)
  const policies = policiesByDomain(stage.foreseen).flatMap(([domain, policy]) => {
    const level = LEVELS[policy]
    return level === undefined ? [] : [`${domain} ${level}`]
  })
  await write('/etc/postfix/tls_policy', lines([...policies, 'dsn.badmx.test may']))
  await write('/etc/postfix/transport', lines(transportsOf(stage.foreseen, transports)))
  await root.run(['touch', '-d', '1 hour ago', '/etc/postfix/master.cf'])
  const check = await root.run(['postfix', 'check'], { timeoutMs: 20_000 })
  if (check.code !== 0)
    throw new LabError('client-start', `postfix check fails\n${setup.said().join('\n')}`, 'badmx lab shell postfix')
  return {
    daemon: {
      process: root.spawn(['/usr/lib/postfix/sbin/master', '-s']),
      ready: /postfix\/master\[\d+\]: daemon started/,
    },
    configuration: `# main.cf\n${main}\n# master.cf\n${await postconf(setup, ['-M'])}\n# tls_policy, the first of ${policies.length}\n${lines(policies.slice(0, 8))}`,
    async rest(id: string): Promise<void> {
      const { code } = await root.run(['sh', '-c', UNTIL_DEFERRED, 'sh', id], { timeoutMs: restMs })
      if (code !== 0) throw new Error(`Postfix has not deferred ${id} ${restMs / 1000} s after it has said so`)
    },
    async retry(id: string): Promise<void> {
      const { code, stderr } = await root.run(['postqueue', '-i', id], { timeoutMs: QUEUE_MS })
      if (code !== 0) throw new Error(`postqueue -i ${id}: ${stderr}`)
    },
    async lookAtQueue(): Promise<void> {
      looks += 1
      const told = setup.heard(new RegExp(`badmx: looked ${looks}$`))
      await Promise.all([root.run(['sh', '-c', LOOK, 'sh', String(looks)], { timeoutMs: QUEUE_MS }), told])
    },
    looksAreTold: true,
    async beforeClockMoves(): Promise<void> {
      await root.run(['sh', '-c', `now=0; ${AT_REST}`], { timeoutMs: QUEUE_MS })
    },
  }
}

async function postconf({ root }: MtaSetup, words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await root.run(['postconf', ...words], { timeoutMs: 20_000 })
  if (code !== 0)
    throw new LabError('client-start', `postconf ${words.join(' ')}: ${stderr}`, 'badmx lab shell postfix')
  return stdout
}

function transportsOf(foreseen: readonly Foreseen[], transports: ReadonlyMap<string, string>): string[] {
  return foreseen.flatMap(({ domain, clientCertificate }) => {
    const name = transports.get(clientCertificate?.chainFile ?? '')
    return name === undefined ? [] : [`${domain} ${name}:`]
  })
}

function lines(each: readonly string[]): string {
  return each.map((line) => `${line}\n`).join('')
}

function mainConfiguration({ stage, times, address, version }: MtaSetup): string {
  const level = /^3\.[0-5]\./.test(version) ? '2' : '3.6'
  return lines([
    `compatibility_level = ${level}`,
    `myhostname = ${LAB_NETWORK.hostname}`,
    'mydestination =',
    'alias_maps =',
    'local_recipient_maps =',
    `inet_interfaces = ${address}`,
    'inet_protocols = all',
    'mynetworks = 127.0.0.0/8',
    'smtpd_relay_restrictions = permit_mynetworks, reject',
    'smtpd_client_connection_count_limit = 0',
    'smtp_tls_loglevel = 1',
    `smtp_tls_CAfile = ${CA_FILE}`,
    // postconf(5), smtp_dns_support_level: the levels dane and dane-only want it.
    ...(stage.foreseen.some(({ policy }) => isDane(policy)) ? ['smtp_dns_support_level = dnssec'] : []),
    'smtp_tls_policy_maps = texthash:/etc/postfix/tls_policy',
    'transport_maps = texthash:/etc/postfix/transport',
    ...(times === 'untouched'
      ? ['import_environment = $default_import_environment NO_FAKE_STAT FAKETIME_NO_CACHE']
      : scaledTimes(stage)),
    // The last value of a parameter counts.
    ...(stage.settings === undefined ? [] : ['# Of the user:', stage.settings]),
  ])
}

function scaledTimes(stage: ClientStage): string[] {
  return [
    '# Its own schedule would mix with the attempts that are asked for.',
    'queue_run_delay = 1d',
    'maximal_backoff_time = 1d',
    `# Divided by the time scale of the run, ${stage.timeScale}.`,
    `minimal_backoff_time = ${backoff(stage.timeScale)}s`,
    ...Object.entries(LIMITS).map(([name, seconds]) => `${name} = ${scaledLimit(seconds, stage)}s`),
  ]
}

/** Edits of the distribution's master.cf, as arguments of postconf(1). */
function masterEdits({ address, port }: MtaSetup, transports: readonly string[]): string[][] {
  const submission = `${address}:${port}`
  return [
    ['-MX', 'smtp/inet'],
    ['-M', `${submission}/inet=${submission} inet n - n - - smtpd`],
    ...transports.map((name) => [
      '-M',
      `${name}/unix=${name} unix - - n - - smtp -o smtp_tls_cert_file=/etc/badmx/${name}.pem -o smtp_tls_key_file=/etc/badmx/${name}.pem`,
    ]),
    // As Postfix has it since 3.0; Debian's chroot wants copies of resolv.conf and the like.
    ['-F', '*/*/chroot=n'],
    ['-F', ...['smtp', ...transports].map((name) => `${name}/unix/process_limit=${PROCESSES}`)],
  ]
}

/** `postfix/smtp[123]: 4XyZ: to=<…>, relay=mx.…[198.18.0.1]:25, …, dsn=4.7.5, status=deferred (…)`. */
const STATUS =
  /\[(?<pid>\d+)\]: (?<id>\w+): to=<[^>]*>, (?:orig_to=<[^>]*>, )?relay=(?<relay>[^,]+), .*dsn=(?<dsn>[\d.]+), status=(?<status>\w+) \((?<reason>.*)\)$/
const TLS_UP = /\[(?<pid>\d+)\]: (?<level>\w+) TLS connection established to (?<relay>\S+):/
const EXPIRED = /: (?<id>\w+): from=<[^>]*>, status=(?:force-)?expired, returned to sender/

const STATES: Readonly<Record<string, Report['state']>> = { sent: 'delivered', deferred: 'queued', bounced: 'bounced' }

/** Exported for its test. */
export function reader(): LogReader {
  /**
   * The channel that each process of smtp(8) had, which a line before the one with the status says. That it was encrypted
   * claims nothing of the delivery: under `may` the same process goes on in clear when TLS breaks, and logs no word of it.
   */
  const channels = new Map<string, { readonly relay: string; readonly verified: boolean }>()
  return (line) => {
    const up = TLS_UP.exec(line)?.groups
    if (up !== undefined) {
      channels.set(up['pid'] ?? '', { relay: up['relay'] ?? '', verified: up['level'] === 'Verified' })
      return undefined
    }
    const expired = EXPIRED.exec(line)?.groups
    if (expired !== undefined)
      return { id: expired['id'] ?? '', state: 'bounced', kind: 'permanent', reason: 'expired, returned to sender' }
    const found = STATUS.exec(line)?.groups
    const state = STATES[found?.['status'] ?? '']
    if (found === undefined || state === undefined) return undefined
    const { pid = '', id = '', relay = '', dsn = '', reason = '' } = found
    const channel = channels.get(pid)
    channels.delete(pid)
    const verified = state === 'delivered' && channel?.relay === relay && channel.verified
    return {
      ...{ id, state, reason },
      ...(verified ? { claims: { encrypted: true, verified } } : {}),
      ...(state === 'delivered' ? {} : { kind: dsn.startsWith('5') ? 'permanent' : 'temporary' }),
    }
  }
}
