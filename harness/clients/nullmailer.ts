/**
 * nullmailer, in a lab: it relays to smart hosts only, which are the mail hosts of the cell, in the order of their
 * preference. Messages are given to its sendmail command.
 *
 * Its smart hosts hold for all messages, so that each message has settings and a queue of its own. nullmailer-send goes
 * through its queue once and ends (`pausetime` 0, nullmailer-send(8)): an attempt is a run of it, and none comes by itself.
 */
import type { ChildProcess } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { Delivery, PolicySupport } from '../../scenarios/client.ts'
import type { Policy } from '../../scenarios/policy.ts'
import { everyPolicy } from './environment.ts'
import { type Mta, type MtaSetup, START_MS, scaledLimit } from './mta/definition.ts'
import { mtaClient } from './mta/mta.ts'
import { withOwnView } from './mta/own-view.ts'
import type { LogReader, Report } from './mta/tracker.ts'

/** Options of a line of `remotes`. */
const OPTIONS: Readonly<Partial<Record<Policy, string>>> = {
  none: '',
  encrypt: ' --starttls --insecure',
  verify: ' --starttls',
  implicit: ' --tls',
}

const NO_DANE = 'nullmailer has no DANE'
const UNSUPPORTED: Readonly<Partial<Record<Policy, string>>> = {
  may: 'nullmailer has no opportunistic TLS: with --starttls it is required',
  dane: NO_DANE,
  'dane-only': NO_DANE,
  'mta-sts': 'nullmailer has no MTA-STS: it relays to a smart host',
}

function support(policy: Policy): PolicySupport {
  const unsupported = UNSUPPORTED[policy]
  return unsupported === undefined ? { options: `remotes: HOST smtp${OPTIONS[policy] ?? ''}` } : { unsupported }
}

export const client = mtaClient({
  id: 'nullmailer',
  name: 'nullmailer',
  policies: everyPolicy(support),
  documented: { policy: 'none', source: 'nullmailer-send(8): TLS with --starttls or --tls only' },
  passwords: false,
  smartHost: true,
  agesAfterMs: () => 0,
  version: async (root) =>
    (await root.run(['dpkg-query', '-W', 'nullmailer'])).stdout.split('\t')[1]?.trim() ?? 'unknown',
  start,
  reader,
})

const SETTINGS = '/etc/nullmailer'
const SPOOL = '/var/spool/nullmailer'
const OWN = '/var/lib/badmx'
/** nullmailer-send(8), sendtimeout: seconds for the whole of a message at one host. */
const SEND_TIMEOUT = 3600

const MAKE_SPOOL = `
mkdir -p "$1"
for folder in queue tmp failed; do install -d -o mail -g root -m 0750 "$1/$folder"; done
mkfifo -m 0622 "$1/trigger"
chown -R mail "$1"`

async function start(setup: MtaSetup): Promise<Mta> {
  const { root } = setup
  const messages = new Map<string, Readonly<Record<string, string>>>()
  let count = 0

  const attempt = (id: string): void => {
    const view = messages.get(id)
    if (view === undefined) throw new Error(`nullmailer has no message ${id}`)
    const asMail = ['setpriv', '--reuid', 'mail', '--regid', 'mail', '--clear-groups']
    listen(id, root.spawn(withOwnView(view, [...asMail, 'nullmailer-send'])), setup)
  }

  return {
    configuration: configurationOf(setup),
    async submit(delivery: Delivery): Promise<string> {
      count += 1
      const id = `message-${count}`
      const folder = `${OWN}/${id}`
      const view = { [SETTINGS]: `${folder}/etc`, [SPOOL]: `${folder}/spool` }
      for (const [name, text] of Object.entries(await filesOf(delivery, setup, folder)))
        await root.write(`${folder}/etc/${name}`, text, { owner: 'mail', mode: 0o600 })
      const made = await root.run(['sh', '-euc', MAKE_SPOOL, 'sh', `${folder}/spool`])
      if (made.code !== 0) throw new Error(`${folder}: ${made.stderr}`)
      const taken = await root.run(withOwnView(view, ['sendmail', '-f', delivery.from, ...delivery.to]), {
        // A command of the machine takes lines as the machine writes them.
        input: Buffer.from(delivery.message.toString('latin1').replaceAll('\r\n', '\n'), 'latin1'),
        timeoutMs: START_MS,
      })
      if (taken.code !== 0) throw new Error(`sendmail: ${taken.stderr}`)
      messages.set(id, view)
      attempt(id)
      return id
    },
    async retry(id: string): Promise<void> {
      attempt(id)
    },
    async remove(id: string): Promise<void> {
      messages.delete(id)
    },
  }
}

/** Its lines, and its end, go to the log, with the message that they are about. */
function listen(id: string, running: ChildProcess, { hear }: MtaSetup): void {
  for (const stream of [running.stdout, running.stderr])
    if (stream !== null)
      createInterface({ input: stream }).on('line', (line) => hear(`nullmailer-send[${id}]: ${line}`))
  running.once('close', (code, signal) => {
    if (code !== 0) hear(`badmx: nullmailer-send[${id}]: ended by itself (${signal ?? `status ${code}`})`)
  })
}

async function filesOf(
  { policy, hosts, clientCertificate }: Delivery,
  setup: MtaSetup,
  folder: string,
): Promise<Readonly<Record<string, string>>> {
  const files: Record<string, string> = {}
  let certificate = ''
  if (clientCertificate !== undefined) {
    files['client.pem'] = await readFile(clientCertificate.chainFile, 'utf8')
    files['client-key.pem'] = await readFile(clientCertificate.keyFile, 'utf8')
    certificate = ` --x509certfile=${folder}/etc/client.pem --x509keyfile=${folder}/etc/client-key.pem`
  }
  const sorted = [...hosts].sort((a, b) => (a.preference ?? 0) - (b.preference ?? 0))
  const names = [...new Set(sorted.map(({ name }) => name))]
  files['remotes'] = names.map((name) => `${name} ${protocol(policy, setup)}${certificate}\n`).join('')
  return { ...files, ...common(setup) }
}

/** Of a line of `remotes`; what the user adds are further options. */
function protocol(policy: Policy, { stage }: MtaSetup): string {
  return `smtp${OPTIONS[policy] ?? ''}${stage.settings === undefined ? '' : ` ${stage.settings.trim()}`}`
}

function common({ stage }: MtaSetup): Readonly<Record<string, string>> {
  return {
    defaultdomain: 'lab.badmx.test\n',
    pausetime: '0\n',
    sendtimeout: `${scaledLimit(SEND_TIMEOUT, stage)}\n`,
  }
}

function configurationOf(setup: MtaSetup): string {
  const policies = [...new Set(setup.stage.foreseen.map(({ policy }) => policy))]
  return [
    ...policies.map((policy) => `# ${SETTINGS}/remotes of messages under ${policy}\nHOST ${protocol(policy, setup)}`),
    ...Object.entries(common(setup)).map(([name, text]) => `# ${SETTINGS}/${name}\n${text.trim()}`),
    '',
  ].join('\n')
}

const LINE = /\bnullmailer-send\[(?<id>[^\]]+)\]: (?<text>.*)$/
/** The protocol's own word, before the one of nullmailer-send. */
const PROTOCOL = /^(?:smtp|qmqp): Failed: (?<why>.*)$/
const FAILED = /^Sending failed:\s*(?<reason>.*)$/
const COMPLETE = /^Delivery complete, (?<left>\d+) message\(s\) remain\.$/

/** Exported for its test. */
export function reader(): LogReader {
  const said = new Map<string, Pick<Report, 'state' | 'reason'>>()
  const whys = new Map<string, string>()
  return (line) => {
    const { id = '', text = '' } = LINE.exec(line)?.groups ?? {}
    const reason = FAILED.exec(text)?.groups?.['reason']
    const why = PROTOCOL.exec(text)?.groups?.['why']
    if (why !== undefined) whys.set(id, why)
    else if (reason !== undefined) said.set(id, { state: 'queued', reason: whys.get(id) ?? reason })
    else if (text.startsWith('Sending timed out')) said.set(id, { state: 'queued', reason: text })
    else if (text.startsWith('Sending process crashed')) said.set(id, { state: 'crashed', reason: text })
    else if (text.startsWith('Moving message '))
      said.set(id, { state: 'bounced', reason: said.get(id)?.reason ?? text })
    else if (text.startsWith('ended by itself')) return { id, state: 'crashed', reason: text }
    const left = COMPLETE.exec(text)?.groups?.['left']
    if (left === undefined) return undefined
    const last = said.get(id)
    said.delete(id)
    whys.delete(id)
    if (last?.state === 'bounced') return { id, ...last, kind: 'permanent' }
    if (left === '0') return { id, state: 'delivered', reason: text }
    return { id, state: 'queued', reason: text, ...last, kind: 'temporary' }
  }
}
