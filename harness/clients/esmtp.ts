/**
 * esmtp: a sendmail work-alike around libESMTP, one process per message, configured by a file.
 *
 * `starttls` is disabled, enabled or required, and nothing else is said of TLS: libESMTP always checks chain and name, and
 * esmtp answers each of its doubts with no. So `enabled` is opportunistic TLS that refuses a certificate which does not
 * verify, `required` is `verify`, and there is nothing between. It cannot connect in TLS, and it sends no SNI.
 *
 * The roots are `~/.config/libesmtp/ca.pem`, the client certificate (the leaf alone) and its key are
 * `private/smtp-starttls.pem` beside it; both must be readable by nobody else. The name that is checked is the
 * canonical one that the resolver gives; libnss_wrapper gives `{name}` itself.
 *
 * With TLS 1.3 it is a matter of luck: where the peer's session tickets arrive before it has written its EHLO, libESMTP
 * 1.1.0 (protocol.c, the loop around sio_poll) takes them for the reply, reads, and waits for one to a command that it still holds.
 *
 * Its limits are those of RFC 5321 section 4.5.3.2, from two minutes on, and no option changes them. It passes a message
 * with the line ends of text files.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClientAdapter, Delivery, Probe } from '../../scenarios/client.ts'
import type { Policy } from '../../scenarios/policy.ts'
import { findProgram, type ProgramResult } from '../process/program.ts'
import { EHLO_NAME, isUnsupported, supportTable, withoutDns } from './environment.ts'
import { hasNssWrapper, wrappedNames } from './nss-wrapper.ts'
import { type Command, probeProgram, programClient } from './program-client.ts'
import { kindIfKnown, kindOfCode, type Reading } from './word.ts'

/** `starttls` of the configuration file. */
const TABLE: Readonly<Record<Policy, readonly string[] | { readonly unsupported: string }>> = {
  none: ['starttls = disabled'],
  may: ['starttls = enabled'],
  encrypt: {
    unsupported:
      'esmtprc(5), starttls: "enabled, disabled or required"; required, the certificate is always checked (verify)',
  },
  verify: ['starttls = required'],
  implicit: { unsupported: 'esmtprc(5) has "Whether to use the StartTLS extension" and no TLS on connect' },
  ...withoutDns('esmtp talks to its hostname and looks up no TLSA record and no policy'),
  default: [],
}

const HOST = 'hostname = {name}:{port}'

export const client: ClientAdapter = programClient({
  id: 'esmtp',
  name: 'esmtp',
  policies: supportTable(TABLE, (lines) => [HOST, ...lines].join('; ')),
  documented: { policy: 'none', source: 'esmtprc(5), starttls: "It defaults to disabled"' },
  passwords: true,
  namesPeers: true,
  probe,
  fixedLimitMs: 120_000,
  refuses: ({ ciphers }) => (ciphers === undefined ? undefined : 'esmtprc(5) has no option for ciphers'),
  command,
  read,
})

// biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query fills it in
const FORMAT = '${Package} ${Version}, '

/** It tells no version: the packages' is taken, with that of the library that does the work. */
async function probe(): Promise<Probe> {
  const install = 'apt-get install esmtp libnss-wrapper'
  const here = findProgram('esmtp', process.env.PATH ?? '', process.cwd())
  if (here === undefined || !(await hasNssWrapper())) return { found: false, install }
  const packages = ['dpkg-query', '-W', '-f', FORMAT, 'esmtp', 'libesmtp6']
  const told = await probeProgram(packages, install, /^esmtp (.*), /m)
  return told.found ? told : { found: true, version: 'unknown' }
}

async function command(delivery: Delivery): Promise<Command> {
  const entry = TABLE[delivery.policy]
  const { credentials, hostName, port, folder } = delivery
  const lines = [
    HOST.replace('{name}', hostName).replace('{port}', String(port)),
    `helo = ${EHLO_NAME}`,
    ...(isUnsupported(entry) ? [] : entry),
    ...(credentials === undefined ? [] : [`username = "${credentials.user}"`, `password = "${credentials.password}"`]),
  ]
  const file = join(folder, 'esmtprc')
  await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 })
  await writeTrust(delivery)
  return {
    argv: ['esmtp', '-C', file, '-v', '-f', delivery.from, '-i', '--', ...delivery.to],
    input: Buffer.from(delivery.message.toString('latin1').replaceAll('\r\n', '\n'), 'latin1'),
    env: await wrappedNames(delivery),
  }
}

async function writeTrust({ folder, caFile, clientCertificate }: Delivery): Promise<void> {
  const home = join(folder, '.config/libesmtp')
  await mkdir(join(home, 'private'), { recursive: true, mode: 0o700 })
  await writeFile(join(home, 'ca.pem'), await readFile(caFile), { mode: 0o600 })
  if (clientCertificate === undefined) return
  const pem = [await readFile(clientCertificate.chainFile), '\n', await readFile(clientCertificate.keyFile)]
  await writeFile(join(home, 'private/smtp-starttls.pem'), pem.join(''), { mode: 0o600 })
}

/** The end of a failure is `<code> <text>` of the message, 0 where it was not sent, then a line for each recipient. */
function read(result: ProgramResult): Reading {
  const complaints = result.stderr.split('\n').filter((line) => line.trim() !== '')
  const code = complaints.map((line) => /^(?:\S+@\S+: )?([45]\d\d) /.exec(line)?.[1]).find((word) => word !== undefined)
  return {
    ...kindIfKnown(kindOfCode(code === undefined ? undefined : Number(code))),
    ...(/^StartTLS OK /m.test(result.stdout) ? { claims: { encrypted: true, verified: true } } : {}),
    ...(complaints.length === 0 ? {} : { reason: complaints.join('; ') }),
  }
}
