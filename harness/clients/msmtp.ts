/**
 * msmtp: a sendmail work-alike that delivers at once, one process per message, configured by a file.
 *
 * `host` is the peer's address; `tls_host_override` makes it send the peer's name as SNI and check the certificate
 * against it. `timeout` bounds each wait. `--debug` writes the dialogue to standard output, the log line follows it.
 * Its exit statuses are those of sysexits.h, but 451 to RCPT gives EX_UNAVAILABLE: the reply's code is looked at first.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClientAdapter, Delivery } from '../../scenarios/client.ts'
import type { Policy } from '../../scenarios/policy.ts'
import type { ProgramResult } from '../process/program.ts'
import { EHLO_NAME, isUnsupported, supportTable, waitLimit, wholeSeconds, withoutDns } from './environment.ts'
import { type Command, probeProgram, programClient } from './program-client.ts'
import { kindIfKnown, kindOfCode, type Reading } from './word.ts'

/** EX_TEMPFAIL of sysexits.h. */
const TEMPORARY = 75

const CHECKED = ['tls_trust_file {ca}', 'tls_host_override {name}']

/** Lines of the configuration file. */
const TABLE: Readonly<Record<Policy, readonly string[] | { readonly unsupported: string }>> = {
  none: ['tls off'],
  may: { unsupported: 'msmtp(1), tls: "Enable or disable TLS"; enabled it is required, there is no "if offered"' },
  encrypt: ['tls on', 'tls_certcheck off', 'tls_host_override {name}'],
  verify: ['tls on', ...CHECKED],
  implicit: ['tls on', 'tls_starttls off', ...CHECKED],
  ...withoutDns('msmtp(1) knows tls_trust_file and tls_fingerprint to identify a server, and looks up nothing'),
  default: [],
}

export const client: ClientAdapter = programClient({
  id: 'msmtp',
  name: 'msmtp',
  policies: supportTable(TABLE, (lines) => ['host {host}', 'port {port}', ...lines].join('; ')),
  documented: { policy: 'none', source: 'msmtp(1), tls: TLS is used where "tls on" enables it' },
  passwords: true,
  namesPeers: true,
  probe: () => probeProgram(['msmtp', '--version'], 'apt-get install msmtp', /^msmtp version (\S+)/m),
  command,
  read,
})

async function command(delivery: Delivery): Promise<Command> {
  const entry = TABLE[delivery.policy]
  const { credentials, clientCertificate, ciphers } = delivery
  const fill = (line: string) =>
    line.replace('{ca}', quoted(delivery.caFile)).replace('{name}', quoted(delivery.hostName))
  const lines = [
    'account default',
    ...[`host ${quoted(delivery.address)}`, `port ${delivery.port}`, `domain ${EHLO_NAME}`],
    `timeout ${wholeSeconds(waitLimit(delivery))}`,
    ...(isUnsupported(entry) ? [] : entry.map(fill)),
    'logfile -',
    ...(credentials === undefined
      ? []
      : ['auth on', `user ${quoted(credentials.user)}`, `password ${quoted(credentials.password)}`]),
    ...(clientCertificate === undefined
      ? []
      : [`tls_cert_file ${quoted(clientCertificate.chainFile)}`, `tls_key_file ${quoted(clientCertificate.keyFile)}`]),
    ...(ciphers === undefined ? [] : [`tls_priorities ${quoted(ciphers)}`]),
  ]
  const file = join(delivery.folder, 'msmtprc')
  // msmtp refuses a file with a password that others can read
  await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 })
  return {
    argv: ['msmtp', `--file=${file}`, '--account=default', '--debug', `--from=${delivery.from}`, '--', ...delivery.to],
    input: delivery.message,
  }
}

function quoted(argument: string): string {
  return `"${argument}"`
}

/** `tls=on` of the log line repeats the configuration; that TLS came up is said by the dialogue. */
function read(result: ProgramResult): Reading {
  const status = result.stdout.match(/^.* smtpstatus=(\d{3}) .*exitcode=\w+$/gm)?.at(-1)
  const code = status === undefined ? undefined : Number(/ smtpstatus=(\d{3})/.exec(status)?.[1])
  const complaints = result.stderr.match(/^msmtp: .*$/gm) ?? []
  const reason = complaints.filter((line) => !line.startsWith('msmtp: could not send mail')).join('; ')
  return {
    ...kindIfKnown(kindOfCode(code) ?? (result.exitCode === TEMPORARY ? 'temporary' : undefined)),
    ...(/^TLS session parameters:/m.test(result.stdout) ? { claims: { encrypted: true } } : {}),
    ...(reason === '' ? {} : { reason }),
  }
}
