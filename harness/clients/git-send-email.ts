/**
 * git send-email: a program for patches by mail, one process per message. It is Perl's Net::SMTP with one of three
 * ways to encrypt, so its channel is that of `perl-net-smtp`; what differs is the calls that it makes.
 *
 * It makes a header of its own and keeps the body. It tells no reply code. Its time limit is that of Net::SMTP and no
 * option: `PeerAddress.pm` sets it, and replaces the resolver's answer for the peer's name.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClientAdapter, Delivery } from '../../scenarios/client.ts'
import type { Policy } from '../../scenarios/policy.ts'
import type { ProgramResult } from '../process/program.ts'
import { EHLO_NAME, isUnsupported, supportTable, waitLimit, wholeSeconds, withoutDns } from './environment.ts'
import { clientScript } from './library.ts'
import { type Command, probeProgram, programClient } from './program-client.ts'
import type { Reading } from './word.ts'

/** `Timeout` of Net::SMTP. */
const OWN_LIMIT_MS = 120_000

const HOST = ['--smtp-server={name}', '--smtp-server-port={port}']

/** Options; `{ca}` stands for the file with the root. */
const TABLE: Readonly<Record<Policy, readonly string[] | { readonly unsupported: string }>> = {
  none: ['--smtp-encryption=none'],
  may: {
    unsupported:
      'git-send-email(1), --smtp-encryption: "Valid values are ssl and tls. Any other value reverts to plain"',
  },
  encrypt: ['--smtp-encryption=tls', '--smtp-ssl-cert-path', ''],
  verify: ['--smtp-encryption=tls', '--smtp-ssl-cert-path={ca}'],
  implicit: ['--smtp-encryption=ssl', '--smtp-ssl-cert-path={ca}'],
  ...withoutDns('git send-email talks to its --smtp-server and looks up no TLSA record and no policy'),
  default: [],
}

export const client: ClientAdapter = programClient({
  id: 'git-send-email',
  name: 'git send-email',
  policies: supportTable(TABLE, (options) =>
    ['git send-email', ...HOST, ...options.map((option) => (option === '' ? "''" : option))].join(' '),
  ),
  documented: { policy: 'none', source: 'git-send-email(1), --smtp-encryption: without ssl or tls it is plain SMTP' },
  passwords: true,
  namesPeers: true,
  probe: () =>
    probeProgram(
      ['perl', ...['Authen::SASL', 'IO::Socket::SSL', 'Mail::Address'].map((name) => `-M${name}`), '-e', VERSION],
      'apt-get install git-email libmailtools-perl libio-socket-ssl-perl libauthen-sasl-perl',
      /^git version (\S+)/m,
    ),
  refuses: ({ ciphers, clientCertificate }) =>
    ciphers === undefined && clientCertificate === undefined
      ? undefined
      : 'git-send-email(1) has no option for ciphers or for a client certificate',
  command,
  read,
})

/** git's own version, where its send-email is installed: a package of its own in most distributions. */
const VERSION = 'chomp(my $path = qx(git --exec-path)); exit 1 unless -e "$path/git-send-email"; exec qw(git --version)'

async function command(delivery: Delivery): Promise<Command> {
  const entry = TABLE[delivery.policy]
  const { credentials, hostName, address, port, caFile, folder } = delivery
  // it takes one message per file, with the line ends of text files
  const patch = join(folder, 'message.patch')
  await writeFile(patch, delivery.message.toString('latin1').replaceAll('\r\n', '\n'), 'latin1')
  const fill = (option: string) =>
    option.replace('{name}', hostName).replace('{port}', String(port)).replace('{ca}', caFile)
  return {
    argv: [
      ...['git', 'send-email', ...HOST.map(fill), ...(isUnsupported(entry) ? [] : entry.map(fill))],
      ...[`--smtp-domain=${EHLO_NAME}`, '--smtp-debug=1', `--from=${delivery.from}`],
      ...[`--envelope-sender=${delivery.from}`, ...delivery.to.map((recipient) => `--to=${recipient}`)],
      ...['--confirm=never', '--suppress-cc=all', '--no-thread', '--no-validate', '--no-format-patch'],
      ...['--transfer-encoding=8bit', '--8bit-encoding=UTF-8'],
      ...(credentials === undefined ? [] : [`--smtp-user=${credentials.user}`, `--smtp-pass=${credentials.password}`]),
      patch,
    ],
    env: {
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CEILING_DIRECTORIES: join(folder, '..'),
      PERL5LIB: clientScript('perl-net-smtp'),
      PERL5OPT: '-MPeerAddress',
      BADMX_NAME: hostName,
      BADMX_ADDRESS: address,
      BADMX_TIMEOUT: wholeSeconds(waitLimit(delivery, OWN_LIMIT_MS)),
    },
  }
}

function read(result: ProgramResult): Reading {
  const complaint = result.stderr.split('\n').findLast((line) => line.trim() !== '' && !/^Net::SMTP\S*[>=]/.test(line))
  return result.exitCode === 0 || complaint === undefined ? {} : { reason: complaint.trim() }
}
