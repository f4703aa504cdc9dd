/**
 * OpenSMTPD, in a lab: one instance for all cells, with an action for each policy and a table of the domains that it is for.
 *
 * Its settings are those that OpenSMTPD has untouched, apart from what a lab needs. It goes to clear in the attempt in which
 * TLS fails, whatever the age of the message (mta_session.c, MTA_DOWNGRADE_PLAIN), so that no retry needs an age. Its limits
 * for replies are in the program.
 */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { Foreseen, PolicySupport } from '../../scenarios/client.ts'
import type { Policy } from '../../scenarios/policy.ts'
import { LabError } from '../process/program.ts'
import { everyPolicy } from './environment.ts'
import { type Mta, type MtaSetup, START_MS } from './mta/definition.ts'
import { mtaClient } from './mta/mta.ts'
import type { LogReader, Report } from './mta/tracker.ts'

/** How messages are relayed: smtpd.conf(5), `relay`. */
const ACTIONS: Readonly<Partial<Record<Policy, string>>> = {
  may: 'relay',
  encrypt: 'relay tls no-verify',
  verify: 'relay tls',
}
const DEFAULT_ACTION = 'relay'

const NO_DANE = 'OpenSMTPD has no DANE'
const SMART_HOST = 'of a smart host only (smtpd.conf(5), `relay host`), not of the hosts of an MX record'
const UNSUPPORTED: Readonly<Partial<Record<Policy, string>>> = {
  none: `smtp+notls:// is a setting ${SMART_HOST}`,
  dane: NO_DANE,
  'dane-only': NO_DANE,
  'mta-sts': 'OpenSMTPD has no MTA-STS',
  implicit: `smtps:// is a setting ${SMART_HOST}`,
}

function support(policy: Policy): PolicySupport {
  const unsupported = UNSUPPORTED[policy]
  return unsupported === undefined ? { options: `action "…" ${ACTIONS[policy] ?? DEFAULT_ACTION}` } : { unsupported }
}

/** Connections at once; untouched 100. */
const CONNECTIONS = 500
/** Messages that it takes in one session of the submitter; untouched 100. */
const MAILS = 5000

export const client = mtaClient({
  id: 'opensmtpd',
  name: 'OpenSMTPD',
  policies: everyPolicy(support),
  documented: { policy: 'may', source: 'smtpd.conf(5), `relay`: TLS is required with `tls` only' },
  passwords: false,
  fragile: true,
  queuedAs: /^250 2\.0\.0 ([0-9a-f]{8}) Message accepted/,
  agesAfterMs: () => 0,
  // For each wait of its socket, the handshake's too (ioev.c).
  fixedLimits: {
    seconds: { connect: 300, banner: 300, command: 300, handshake: 300, data: 300, block: 300, dot: 300 },
    source: 'OpenSMTPD 6.8 to 7.8, mta_session.c: io_set_timeout(s->io, 300000)',
  },
  version: async (root) => /OpenSMTPD (\S+)/.exec((await root.run(['smtpd', '-h'])).stderr)?.[1] ?? 'unknown',
  start,
  reader,
})

async function start(setup: MtaSetup): Promise<Mta> {
  const { root } = setup
  const configuration = await configure(setup)
  await root.write('/etc/smtpd.conf', configuration)
  const check = await root.run(['smtpd', '-n'], { timeoutMs: 20_000 })
  if (check.code !== 0)
    throw new LabError('client-start', `smtpd -n fails\n${check.stderr}`, '`npx badmx lab shell opensmtpd`')
  const process = root.spawn(['smtpd', '-d'])
  return {
    daemon: { process, ready: /info: OpenSMTPD \S+ starting/, listening: untilListening(process, setup) },
    configuration,
    async retry(id: string, addresses: readonly string[]): Promise<void> {
      // It leaves an address alone for 15 s after an error of the network (mta.c, DELAY_ROUTE_BASE); its own first retry comes
      // after 400 s and finds the address free again, and this one has to find it so too. Those of other cells are theirs: a
      // route that is enabled in the middle of an attempt gets another connection of that attempt.
      const { code, stderr } = await root.run(['sh', '-euc', RETRY, 'sh', id, ...addresses], { timeoutMs: 20_000 })
      if (code !== 0) throw new Error(`smtpctl schedule ${id}: ${stderr}`)
    },
    async remove(id: string): Promise<void> {
      // Of a message that has left the queue it says "command failed".
      await root.run(['smtpctl', 'remove', id], { timeoutMs: 20_000 })
    },
  }
}

/** Milliseconds between two tries to connect. */
const KNOCK_MS = 20

/**
 * Its line "starting" comes from the parent, before the process that it starts for SMTP listens (smtp.c,
 * smtp_setup_events), and that one says so at its debug level only. Resolves after {@link START_MS} in any case: then the
 * first message tells what is wrong.
 */
async function untilListening(daemon: ChildProcess, { address, port }: MtaSetup): Promise<void> {
  const limit = AbortSignal.timeout(START_MS)
  while (!limit.aborted && daemon.exitCode === null && daemon.signalCode === null) {
    const socket = connect({ host: address, port })
    try {
      await once(socket, 'connect', { signal: limit })
      return
    } catch {
      await pause(KNOCK_MS)
    } finally {
      socket.destroy()
    }
  }
}

/**
 * Routes are shown as `1. [] <-> 198.18.1.2 (mx.y.test) -DQ- nconn=0 …`, D where they are disabled. A connection that is still
 * open (it says what has become of a message before it says QUIT) would carry this attempt too, which its own, 400 s later,
 * could not be: its end is waited for, two seconds at most.
 */
const RETRY = `
id=$1; shift
is_open() {
  for address; do
    if smtpctl show routes | grep -q "<-> [^ ]*$address[^ 0-9]* .* nconn=[1-9]"; then return 0; fi
  done
  return 1
}
looks=0
while [ $looks -lt 20 ] && is_open "$@"; do
  looks=$((looks + 1))
  sleep 0.1
done
routes=$(smtpctl show routes)
for address; do
  for route in $(echo "$routes" | sed -n "s/^\\([0-9]*\\)\\. .* <-> [^ ]*$address[^ 0-9]* .* [^ ]*D[^ ]* nconn=.*/\\1/p"); do
    # Gone by now, or enabled: it says so, and that is no trouble.
    smtpctl resume route $route || :
  done
done
smtpctl schedule "$id"`

/** A way to relay, and the domains that it is for. */
interface Route {
  readonly action: string
  readonly domains: string[]
}

async function configure({ root, stage, address, port }: MtaSetup): Promise<string> {
  const pki: string[] = []
  const names = new Map<string, string>()
  for (const { clientCertificate } of stage.foreseen) {
    if (clientCertificate === undefined || names.has(clientCertificate.chainFile)) continue
    const name = `client-${names.size + 1}`
    names.set(clientCertificate.chainFile, name)
    const files = { crt: clientCertificate.chainFile, key: clientCertificate.keyFile }
    for (const [ending, file] of Object.entries(files))
      await root.write(`/etc/badmx/${name}.${ending}`, await readFile(file), { mode: 0o600 })
    pki.push(`pki ${name} cert "/etc/badmx/${name}.crt"`, `pki ${name} key "/etc/badmx/${name}.key"`)
  }
  const routes = new Map<string, Route>()
  for (const each of stage.foreseen) {
    const action = actionOf(each, names)
    const route = routes.get(action) ?? { action, domains: [] }
    routes.set(action, route)
    route.domains.push(each.domain)
  }
  const matches: string[] = []
  for (const [at, { action, domains }] of [...routes.values()].entries()) {
    const table = `domains-${at + 1}`
    await root.write(`/etc/badmx/${table}`, lines(domains))
    matches.push(
      `# ${domains.length} domains, the first ${domains[0]}`,
      `table ${table} file:/etc/badmx/${table}`,
      `action "${table}" ${action}`,
      `match from local for domain <${table}> action "${table}"`,
    )
  }
  return lines([
    `smtp limit max-mails ${MAILS}`,
    `mta limit max-conn-per-source ${CONNECTIONS}`,
    '# Else the next message of a cell goes over the connection of the last, though days have passed in its world.',
    'mta limit session-keepalive 0',
    `listen on ${address} port ${port}`,
    ...pki,
    ...matches,
    '# Bounces.',
    `action "others" ${DEFAULT_ACTION}`,
    'match from local for any action "others"',
    ...(stage.settings === undefined ? [] : ['# Of the user:', stage.settings]),
  ])
}

function actionOf({ policy, clientCertificate }: Foreseen, pki: ReadonlyMap<string, string>): string {
  const name = pki.get(clientCertificate?.chainFile ?? '')
  return `${ACTIONS[policy] ?? DEFAULT_ACTION}${name === undefined ? '' : ` pki ${name}`}`
}

function lines(each: readonly string[]): string {
  return each.map((line) => `${line}\n`).join('')
}

/** `<session> mta delivery evpid=<message and envelope> from=<…> … result="TempFail" stat="Connection timeout"`. */
const DELIVERY =
  /(?:^|: )(?<session>[0-9a-f]{16}) mta delivery evpid=(?<id>[0-9a-f]{8})[0-9a-f]{8} .*result="(?<result>\w+)" stat="(?<reason>.*)"$/
/** Before 7.0 `server-cert-check result="success"`, since then `cert-check result="valid"`. */
const CHECKED = /(?:^|: )(?<session>[0-9a-f]{16}) mta (?:server-)?cert-check result="(?<result>[\w ]+)"/
const CONNECTING = /(?:^|: )(?<session>[0-9a-f]{16}) mta (?:connecting|connected|disconnected)/
const DOWNGRADED = /smtp-out: Error on session (?<session>[0-9a-f]{16}): opportunistic TLS failed/

const STATES: Readonly<Record<string, Pick<Report, 'state' | 'kind'>>> = {
  Ok: { state: 'delivered' },
  TempFail: { state: 'queued', kind: 'temporary' },
  PermFail: { state: 'bounced', kind: 'permanent' },
  Expired: { state: 'bounced', kind: 'permanent' },
  LoopFail: { state: 'bounced', kind: 'permanent' },
}

/** Exported for its test. */
export function reader(): LogReader {
  /** Sessions whose server's certificate it has checked, until the session connects again. */
  const verified = new Set<string>()
  return (line) => {
    const checked = CHECKED.exec(line)?.groups
    if (checked !== undefined) {
      if (/^(?:success|valid)$/.test(checked['result'] ?? '')) verified.add(checked['session'] ?? '')
      return undefined
    }
    const begins = (CONNECTING.exec(line) ?? DOWNGRADED.exec(line))?.groups
    if (begins !== undefined) {
      verified.delete(begins['session'] ?? '')
      return undefined
    }
    const found = DELIVERY.exec(line)?.groups
    const outcome = STATES[found?.['result'] ?? '']
    if (found === undefined || outcome === undefined) return undefined
    const { session = '', id = '', reason = '' } = found
    const claims = outcome.state === 'delivered' && verified.has(session)
    return { id, ...outcome, reason, ...(claims ? { claims: { encrypted: true, verified: true } } : {}) }
  }
}
