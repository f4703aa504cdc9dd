/**
 * sSMTP: a sendmail work-alike that delivers at once, one process per message, configured by a file.
 *
 * `UseTLS` and `UseSTARTTLS` switch TLS on, and no certificate is ever looked at (its file TLS: "TODO: Check server
 * certificate for changes"; the man page has no option). STARTTLS is sent unasked, whatever EHLO's reply says, so there is no
 * opportunistic TLS either. TLS is GnuTLS's imitation of OpenSSL; it sends no SNI.
 *
 * It says HELO, and EHLO only before STARTTLS or with a password. The envelope sender is the header's From where
 * `FromLineOverride` says so. It puts a Received line in front, passes a message with the line ends of text files, and
 * tells a reply only in its complaint. Its limits are five minutes per reply and ten for connecting; no option changes them.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClientAdapter, Delivery } from '../../scenarios/client.ts'
import type { Policy } from '../../scenarios/policy.ts'
import { findProgram, type ProgramResult } from '../process/program.ts'
import { EHLO_NAME, isUnsupported, supportTable, withoutDns } from './environment.ts'
import { hasNssWrapper, wrappedNames } from './nss-wrapper.ts'
import { prepare } from './prepare.ts'
import { type Command, probeProgram, programClient } from './program-client.ts'
import { kindIfKnown, kindOfCode, type Reading } from './word.ts'

const UNCHECKED = 'its file TLS: "TODO: Check server certificate for changes and notify about it": none is ever checked'

/** Lines of the configuration file. */
const TABLE: Readonly<Record<Policy, readonly string[] | { readonly unsupported: string }>> = {
  none: ['UseTLS=NO'],
  may: {
    unsupported: 'ssmtp.conf(5), UseSTARTTLS: "Specifies whether ssmtp does a EHLO/STARTTLS", whatever EHLO offers',
  },
  encrypt: ['UseTLS=YES', 'UseSTARTTLS=YES'],
  verify: { unsupported: UNCHECKED },
  implicit: { unsupported: UNCHECKED },
  ...withoutDns('sSMTP talks to its mailhub and looks up no TLSA record and no policy'),
  default: [],
}

const HOST = 'mailhub={name}:{port}'

const INSTALL = 'apt-get install ssmtp libnss-wrapper (it takes the place of another MTA)'

const adapter = programClient({
  id: 'ssmtp',
  name: 'sSMTP',
  policies: supportTable(TABLE, (lines) => [HOST, ...lines].join('; ')),
  documented: { policy: 'none', source: 'ssmtp.conf(5), UseTLS: "The default is no"' },
  passwords: true,
  namesPeers: true,
  probe: async () =>
    (await hasNssWrapper())
      ? probeProgram([installed() ?? 'ssmtp', '-V'], INSTALL, /^sSMTP ([\d.]+)/m)
      : { found: false, install: INSTALL },
  fixedLimitMs: 300_000,
  refuses: ({ ciphers }) => (ciphers === undefined ? undefined : 'ssmtp.conf(5) has no option for ciphers'),
  command,
  read,
})

export const client: ClientAdapter = {
  ...adapter,
  start: async () => {
    const running = await adapter.start()
    copy ??= makeCopy()
    await copy
    return running
  },
}

/** It is a program for administrators to Debian. */
function installed(): string | undefined {
  return findProgram('ssmtp', `${process.env.PATH}:/usr/sbin`, process.cwd())
}

/** The copy that all runs of this process share. */
let copy: Promise<string> | undefined

/** Debian's is setgid, for its password in /etc, and nothing can be preloaded into such a program; a copy is not. */
async function makeCopy(): Promise<string> {
  return join(await prepare((folder) => ['install', '-m', '755', installed() ?? 'ssmtp', folder]), 'ssmtp')
}

async function command(delivery: Delivery): Promise<Command> {
  const entry = TABLE[delivery.policy]
  const { credentials, hostName, port, clientCertificate, folder } = delivery
  const lines = [
    HOST.replace('{name}', hostName).replace('{port}', String(port)),
    ...['root=', `hostname=${EHLO_NAME}`, 'FromLineOverride=YES'],
    ...(isUnsupported(entry) ? [] : entry),
    ...(credentials === undefined ? [] : [`AuthUser=${credentials.user}`, `AuthPass=${credentials.password}`]),
  ]
  if (clientCertificate !== undefined) {
    const file = join(folder, 'certificate.pem')
    const pem = [await readFile(clientCertificate.chainFile), '\n', await readFile(clientCertificate.keyFile)]
    await writeFile(file, pem.join(''), { mode: 0o600 })
    lines.push('UseTLSCert=YES', `TLSCert=${file}`)
  }
  const file = join(folder, 'ssmtp.conf')
  await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 })
  return {
    argv: [(await copy) ?? 'ssmtp', '-v', `-C${file}`, ...delivery.to],
    input: Buffer.from(delivery.message.toString('latin1').replaceAll('\r\n', '\n'), 'latin1'),
    env: await wrappedNames(delivery),
  }
}

/** `ssmtp: RCPT TO:<…> (550 no)`, `ssmtp: 451 later`; the dialogue stands before it on standard error. */
function read(result: ProgramResult): Reading {
  const complaint = result.stderr.match(/^\S*ssmtp: .*$/gm)?.at(-1)
  const code = complaint === undefined ? undefined : /^\S*ssmtp: (?:.*\()?([45]\d\d)\b/.exec(complaint)?.[1]
  return {
    ...kindIfKnown(kindOfCode(code === undefined ? undefined : Number(code))),
    ...(complaint === undefined ? {} : { reason: complaint }),
  }
}
