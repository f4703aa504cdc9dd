/**
 * chasquid, in a lab: a process for each message, because only its start makes it try a message again
 * (internal/queue/queue.go, Load), and then all that it has. What it remembers of a domain (internal/domaininfo) the
 * messages of a cell share, as they would in one process.
 *
 * Its settings are those that chasquid has untouched, apart from what a lab needs. It relays for users of its own domains
 * only, so that the domain of the envelope senders is one of them and the submitter a user; notices to that domain are
 * local mail then, and its mail delivery agent brings them to the peer that waits for them.
 */
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { createTransport } from 'nodemailer'
import type { Delivery, PolicySupport } from '../../scenarios/client.ts'
import { LAB_NETWORK } from '../lab/network.ts'
import { LabError } from '../process/program.ts'
import type { Mta, MtaSetup } from './mta/definition.ts'
import { mtaClient } from './mta/mta.ts'
import type { LogReader, Report } from './mta/tracker.ts'

const ONE_WAY: PolicySupport = {
  unsupported:
    'chasquid has no setting for TLS to other servers: it uses TLS where it is offered, and remembers the level of security of each domain',
}
const NO_DANE: PolicySupport = { unsupported: 'chasquid has no DANE' }
const UNTOUCHED: PolicySupport = { options: 'untouched' }

/** The domain of the envelope senders. */
const DOMAIN = 'dsn.badmx.test'
const USER = { user: `submitter@${DOMAIN}`, pass: 'submitter' }
const SPOOL = '/var/lib/chasquid'
const LOCAL_DELIVERY = '/etc/badmx/deliver'
/** Milliseconds for any answer of chasquid to its own submitter. */
const LIMIT_MS = 20_000

export const client = mtaClient({
  id: 'chasquid',
  name: 'chasquid',
  policies: {
    none: ONE_WAY,
    may: UNTOUCHED,
    encrypt: ONE_WAY,
    verify: ONE_WAY,
    dane: NO_DANE,
    'dane-only': NO_DANE,
    'mta-sts': { unsupported: 'this release of badmx has no policy host for the lab' },
    implicit: { unsupported: 'chasquid speaks TLS on connect with its own users only' },
    default: UNTOUCHED,
  },
  documented: { policy: 'may', source: 'https://blitiri.com.ar/p/chasquid/docs/sec-levels/' },
  passwords: false,
  presentsCertificates: false,
  agesAfterMs: () => 0,
  fixedLimits: {
    seconds: { connect: 60, banner: 600, command: 600, handshake: 600, data: 600, block: 600, dot: 600 },
    source: 'chasquid 1.11, internal/courier/smtp.go: smtpDialTimeout, smtpTotalTimeout',
  },
  version: async (root) => /^chasquid (\S+)/.exec((await root.run(['chasquid', '--version'])).stdout)?.[1] ?? 'unknown',
  start,
  reader,
})

/** A message, and what of chasquid there is for it. */
interface Own {
  readonly folder: string
  readonly address: string
  running: ReturnType<MtaSetup['root']['spawn']> | undefined
}

async function start(setup: MtaSetup): Promise<Mta> {
  const { root } = setup
  const configuration = await configure(setup)
  const messages = new Map<string, Own>()
  const cells = new Map<string, string>()
  let count = 0

  const run = (own: Own): ReturnType<typeof root.spawn> => {
    const overrides = `data_dir: "${own.folder}" submission_address: "${own.address}:${setup.port}"`
    own.running = root.spawn(['chasquid', `-config_overrides=${overrides}`])
    return own.running
  }
  const end = async (id: string): Promise<void> => {
    const own = messages.get(id)
    if (own?.running === undefined) return
    const { running } = own
    own.running = undefined
    if (running.exitCode !== null || running.signalCode !== null) return
    running.kill('SIGKILL')
    await once(running, 'exit')
  }

  return {
    daemon: {
      process: run({ folder: `${SPOOL}/check`, address: setup.address, running: undefined }),
      ready: /daemon listening on/,
    },
    configuration,
    async submit(delivery: Delivery): Promise<string> {
      count += 1
      const cell = cells.get(delivery.cell) ?? `${SPOOL}/memory-${cells.size + 1}`
      cells.set(delivery.cell, cell)
      const own: Own = {
        folder: `${SPOOL}/${count}`,
        address: `127.1.${count >> 8}.${count & 0xff}`,
        running: undefined,
      }
      const made = await root.run([
        'sh',
        '-euc',
        'mkdir -p "$1" "$2" && ln -s "$1" "$2/domaininfo"',
        'sh',
        cell,
        own.folder,
      ])
      if (made.code !== 0) throw new Error(`${own.folder}: ${made.stderr}`)
      const lines = listen(run(own), setup)
      await lines.until(/daemon listening on/)
      const queued = lines.until(/(?:^| )(\S+) from=\S+ queued ip=/)
      await hand(delivery, own.address, setup.port)
      const id = (await queued)[1] ?? ''
      messages.set(id, own)
      watch(id, own, setup)
      return id
    },
    async retry(id: string): Promise<void> {
      const own = messages.get(id)
      if (own === undefined) throw new Error(`chasquid has no message ${id}`)
      await end(id)
      listen(run(own), setup)
      watch(id, own, setup)
    },
    rest: end,
    async remove(id: string): Promise<void> {
      await end(id)
      messages.delete(id)
    },
  }
}

/** Says so in the log when the process of a message ends by itself. */
function watch(id: string, own: Own, { hear }: MtaSetup): void {
  const { running } = own
  running?.once('exit', (code, signal) => {
    if (own.running === running) hear(`badmx: the process of ${id} ended by itself (${signal ?? `status ${code}`})`)
  })
}

/** Its lines are the log's; resolves with the match of the line that is waited for. */
function listen(
  running: ReturnType<MtaSetup['root']['spawn']>,
  { hear }: MtaSetup,
): { until(pattern: RegExp): Promise<RegExpExecArray> } {
  let waiting:
    | { readonly pattern: RegExp; resolve(found: RegExpExecArray): void; reject(error: Error): void }
    | undefined
  for (const stream of [running.stdout, running.stderr])
    if (stream !== null)
      createInterface({ input: stream }).on('line', (line) => {
        const found = waiting?.pattern.exec(line)
        if (found) waiting?.resolve(found)
        hear(line)
      })
  running.once('exit', (code) => waiting?.reject(new Error(`chasquid ended with status ${code}`)))
  return {
    until: (pattern) =>
      new Promise((resolve, reject) => {
        waiting = { pattern, resolve, reject }
      }),
  }
}

/** chasquid takes a password over TLS only. */
async function hand({ from, to, message }: Delivery, host: string, port: number): Promise<void> {
  const transport = createTransport({
    ...{ host, port, auth: USER, name: 'submitter.lab.badmx.test', requireTLS: true },
    tls: { rejectUnauthorized: false },
    ...{ connectionTimeout: LIMIT_MS, greetingTimeout: LIMIT_MS, socketTimeout: LIMIT_MS },
  })
  try {
    await transport.sendMail({ envelope: { from, to: [...to] }, raw: message })
  } finally {
    transport.close()
  }
}

/** Takes mail for local users, and gives it to the mail host that the internet has for them. */
const DELIVER = String.raw`#!/usr/bin/perl
use IO::Socket::INET;
my ($to) = @ARGV;
my $host = IO::Socket::INET->new(PeerAddr => 'mx.${DOMAIN}:25', Timeout => 20) or exit 75;
sub told { while (my $line = <$host>) { next if $line =~ /^\d{3}-/; return if $line =~ /^[23]/; exit 75 } exit 75 }
sub tell_host { print $host "$_[0]\r\n"; told() }
told();
tell_host($_) for 'HELO ${LAB_NETWORK.hostname}', 'MAIL FROM:<>', "RCPT TO:<$to>", 'DATA';
while (<STDIN>) { s/\r?\n\z//; s/^\./../; print $host "$_\r\n" }
tell_host($_) for '.', 'QUIT';
`

async function configure({ root, stage }: MtaSetup): Promise<string> {
  const certificate = `/etc/chasquid/certs/${LAB_NETWORK.hostname}`
  const script = `
mkdir -p "$1" "/etc/chasquid/domains/$2" ${SPOOL}/check
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$3" -addext "subjectAltName=DNS:$3" -keyout "$1/privkey.pem" -out "$1/fullchain.pem"
chasquid-util user-add "$4" "--password=$5"`
  await root.write(LOCAL_DELIVERY, DELIVER, { mode: 0o755 })
  const configuration = [
    `hostname: "${LAB_NETWORK.hostname}"`,
    'mail_log_path: "<stdout>"',
    `mail_delivery_agent_bin: "${LOCAL_DELIVERY}"`,
    'mail_delivery_agent_args: "%to%"',
    ...(stage.settings === undefined ? [] : ['# Of the user:', stage.settings]),
    '',
  ].join('\n')
  await root.write('/etc/chasquid/chasquid.conf', configuration)
  const words = [certificate, DOMAIN, LAB_NETWORK.hostname, USER.user, USER.pass]
  const { code, stdout, stderr } = await root.run(['sh', '-euc', script, 'sh', ...words], { timeoutMs: 20_000 })
  if (code !== 0)
    throw new LabError('client-start', `chasquid-util fails\n${stdout}${stderr}`, '`npx badmx lab shell chasquid`')
  return `# chasquid.conf; data_dir and submission_address are given to the process of each message\n${configuration}`
}

/** `ID from=a@b to=c@d failed (temporary): …`; `… completed loop, next in 1m12s` after the last recipient's. */
const ATTEMPT =
  /(?:^| )(?<id>\S+) from=\S+ to=\S+ (?:(?<sent>sent)|failed \((?<kind>temporary|permanent)\): (?<reason>.*))$/
const LOOP = /(?:^| )(?<id>\S+) from=\S+ (?<end>completed loop|all done)/

const ENDED = /^badmx: the process of (?<id>\S+) (?<reason>ended by itself .*)$/

/** Exported for its test. */
export function reader(): LogReader {
  /** What it said of the recipient, until it has written that to its queue. It claims nothing of the channel. */
  const said = new Map<string, Pick<Report, 'state' | 'kind' | 'reason'>>()
  return (line) => {
    const attempt = ATTEMPT.exec(line)?.groups
    if (attempt !== undefined) {
      const { id = '', sent, kind, reason = '' } = attempt
      if (sent !== undefined) said.set(id, { state: 'delivered', reason: 'sent' })
      else if (kind === 'permanent') said.set(id, { state: 'bounced', kind, reason })
      else said.set(id, { state: 'queued', kind: 'temporary', reason })
      return undefined
    }
    const ended = ENDED.exec(line)?.groups
    if (ended !== undefined) return { id: ended['id'] ?? '', state: 'crashed', reason: ended['reason'] ?? '' }
    const loop = LOOP.exec(line)?.groups
    const { id = '', end } = loop ?? {}
    const last = said.get(id)
    said.delete(id)
    if (end === undefined || last === undefined) return undefined
    // It has given up a message that is too old.
    const bounced = last.state === 'queued' && end === 'all done'
    return { id, ...last, ...(bounced ? { state: 'bounced', kind: 'permanent' } : {}) }
  }
}
