/**
 * Haraka of npm, on the distribution's Node, in a lab. A plugin of ours relays what comes from the lab, says what has become of
 * a message by Haraka's own hooks (delivered, deferred, bounce), and tries one again when it is told so on standard input:
 * Haraka's `QUEUE PUSH` names a file, whose name changes at each attempt.
 */
import type { Foreseen, PolicySupport } from '../../scenarios/client.ts'
import { LAB_NETWORK } from '../lab/network.ts'
import { CA_FILE, type Mta, type MtaSetup, scaledLimit } from './mta/definition.ts'
import { mtaClient } from './mta/mta.ts'
import type { LogReader, Report } from './mta/tracker.ts'

const FORCED =
  'Haraka has no TLS that is required and not verified: force_tls_hosts rejects what does not verify (outbound/hmail.js)'
const NO_DANE: PolicySupport = { unsupported: 'Haraka has no DANE' }
const UNTOUCHED: PolicySupport = { options: 'outbound.ini: enable_tls, which is its default' }

export const client = mtaClient({
  id: 'haraka',
  name: 'Haraka',
  policies: {
    none: { options: 'tls.ini [outbound]: no_tls_hosts[]=DOMAIN' },
    may: UNTOUCHED,
    encrypt: { unsupported: FORCED },
    verify: { options: 'tls.ini [outbound]: force_tls_hosts[]=DOMAIN' },
    dane: NO_DANE,
    'dane-only': NO_DANE,
    'mta-sts': { unsupported: 'Haraka has no MTA-STS of its own' },
    implicit: { unsupported: 'Haraka speaks no TLS on connect as a client' },
    default: UNTOUCHED,
  },
  documented: {
    policy: 'may',
    source: 'docs/Outbound.md, enable_tls: "Switch to false to disable TLS for outbound mail"',
  },
  passwords: false,
  presentsCertificates: false,
  fragile: true,
  oneThread: true,
  queuedAs: /^250 Message Queued \((\S+)\)/,
  agesAfterMs: () => 0,
  version: async (root) => (await root.run(['node', '-p', `require('${HARAKA}/package.json').version`])).stdout.trim(),
  start,
  reader,
})

const HARAKA = '/opt/haraka/node_modules/Haraka'
const OWN = '/var/lib/haraka'
/** docs/Outbound.md, connect_timeout: seconds, and those of every reply too (outbound/client_pool.js). */
const TIMEOUT = 30

/** How often it looks whether its thread is free, and how late it may be for that, in milliseconds. */
const BEAT_MS = 500
const BLOCKED_MS = 2_000

const PLUGIN = `'use strict'
const { createInterface } = require('node:readline')
const { unlink } = require('node:fs')
const items = new Map()
// Of the message; its copy for each domain has a number behind that.
const idOf = (hmail) => hmail.todo.uuid.replace(/\\.\\d+$/, '')
const say = (hmail, what, why) =>
  process.stdout.write('badmx: ' + idOf(hmail) + ' ' + what + ' ' + String(why).replace(/\\s+/g, ' ') + '\\n')
let beat = Date.now()
setInterval(() => {
  const late = Date.now() - beat - ${BEAT_MS}
  beat = Date.now()
  if (late > ${BLOCKED_MS}) process.stdout.write('badmx: was blocked for ' + late + ' ms\\n')
}, ${BEAT_MS}).unref()
exports.register = function () {
  const queue = require('${HARAKA}/outbound/queue')
  const HMailItem = require('${HARAKA}/outbound/hmail')
  const atRest = (id, found) => {
    const hmail = items.get(id)
    items.delete(id)
    if (hmail !== undefined) return found(hmail.filename, hmail.path, hmail)
    // It was started again since, and the message is in its queue only.
    queue.list_queue((error, list) => {
      const todo = (list ?? []).find((each) => idOf({ todo: each }) === id)
      if (todo !== undefined) found(todo.file, todo.full_path, new HMailItem(todo.file, todo.full_path))
    })
  }
  createInterface({ input: process.stdin }).on('line', (line) => {
    const [what, id] = line.split(' ')
    // One that is under way is left alone.
    if (what === 'forget' && !items.has(id)) return
    atRest(id, (file, path, hmail) => {
      try {
        queue.temp_fail_queue.discard(file)
      } catch {
        // It is not there for long yet, or no more.
      }
      if (what === 'retry') queue.delivery_queue.push(hmail)
      else unlink(path, () => {})
    })
  })
}
exports.hook_connect = (next, connection) => {
  connection.relaying = true
  next()
}
exports.hook_delivered = (next, hmail, [, , response]) => {
  items.delete(idOf(hmail))
  say(hmail, 'delivered', response)
  next()
}
exports.hook_deferred = (next, hmail, { err }) => {
  // What it calls next it does when the message is at rest in its queue.
  const { next_cb } = hmail
  hmail.next_cb = () => {
    hmail.next_cb = next_cb
    next_cb()
    setImmediate(() => {
      items.set(idOf(hmail), hmail)
      say(hmail, 'deferred', err)
    })
  }
  next()
}
exports.hook_bounce = (next, hmail, error) => {
  items.delete(idOf(hmail))
  say(hmail, 'bounced', error.message)
  next()
}
`

async function start(setup: MtaSetup): Promise<Mta> {
  const { root, address, port } = setup
  const files: Readonly<Record<string, string>> = {
    me: `${LAB_NETWORK.hostname}\n`,
    plugins: 'badmx\n',
    'smtp.ini': `listen=${address}:${port}\nnodes=0\n`,
    'log.ini': '[main]\nlevel=info\n',
    'outbound.ini': outbound(setup),
    'tls.ini': tls(setup.stage.foreseen),
  }
  // As `haraka -i` makes it; it does not start without its own connection.ini.
  await root.run(['sh', '-euc', `mkdir -p ${OWN}/queue ${OWN}/plugins && cp -r ${HARAKA}/config ${OWN}`])
  for (const [name, text] of Object.entries(files)) await root.write(`${OWN}/config/${name}`, text)
  await root.write(`${OWN}/plugins/badmx.js`, PLUGIN)
  const daemon = root.spawn(['node', `${HARAKA}/bin/haraka`, '-c', OWN], {
    env: { NODE_OPTIONS: '--use-openssl-ca', SSL_CERT_FILE: CA_FILE },
  })
  const tell = (what: string, id: string): void => {
    daemon.stdin?.write(`${what} ${id}\n`)
  }
  const shown = ['smtp.ini', 'outbound.ini', 'tls.ini'].map((name) => `# ${name}\n${head(files[name] ?? '')}`)
  return {
    daemon: { process: daemon, ready: /Listening on / },
    configuration: shown.join(''),
    async retry(id: string): Promise<void> {
      tell('retry', id)
    },
    async remove(id: string): Promise<void> {
      tell('forget', id)
    },
  }
}

/** Lines of a file that a report has. */
const SHOWN = 12

function head(text: string): string {
  const lines = text.split('\n')
  return lines.length <= SHOWN ? text : `${lines.slice(0, SHOWN).join('\n')}\n# and so on\n`
}

function outbound({ stage }: MtaSetup): string {
  return [
    '; All of the lab is on its own machine.',
    'local_mx_ok=true',
    '; Its own schedule would mix with the attempts that are asked for.',
    'temp_fail_intervals=1d*20',
    `; Divided by the time scale of the run, ${stage.timeScale}.`,
    `connect_timeout=${scaledLimit(TIMEOUT, stage)}`,
    ...(stage.settings === undefined ? [] : ['; Of the user:', stage.settings]),
    '',
  ].join('\n')
}

function tls(foreseen: readonly Foreseen[]): string {
  const lines = foreseen.flatMap(({ policy, domain }) => {
    if (policy === 'none') return [`no_tls_hosts[]=${domain}`]
    return policy === 'verify' ? [`force_tls_hosts[]=${domain}`] : []
  })
  return ['[outbound]', ...lines, ''].join('\n')
}

const SAID = /^badmx: (?<id>\S+) (?<what>delivered|deferred|bounced) (?<reason>.*)$/

/** Exported for its test. */
export function reader(): LogReader {
  return (line): Report | undefined => {
    const { id = '', what, reason = '' } = SAID.exec(line)?.groups ?? {}
    if (what === 'delivered') return { id, state: 'delivered', reason }
    if (what === 'deferred') return { id, state: 'queued', kind: 'temporary', reason }
    return what === undefined ? undefined : { id, state: 'bounced', kind: 'permanent', reason }
  }
}
