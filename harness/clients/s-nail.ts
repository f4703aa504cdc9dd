/**
 * s-nail: the mailx of several distributions, one process per message, in its `v15-compat` mode, in which `mta` is an
 * URL.
 *
 * It finds the peer by name: libnss_wrapper, made for tests of such programs, gives it a hosts file of its own. It
 * makes a header of its own and keeps the body. `smtp-hostname` gives EHLO's name.
 *
 * It gives up each wait after 42 s (measured: 43 s for the greeting and for the handshake), and no option changes that.
 */
import type { ClientAdapter, Delivery } from '../../scenarios/client.ts'
import type { Policy } from '../../scenarios/policy.ts'
import type { ProgramResult } from '../process/program.ts'
import { EHLO_NAME, isUnsupported, supportTable, withoutDns } from './environment.ts'
import { NSS_WRAPPER, wrappedNames } from './nss-wrapper.ts'
import { type Command, probeProgram, programClient } from './program-client.ts'
import type { Reading } from './word.ts'

interface Options {
  readonly scheme: 'smtp' | 'smtps'
  /** Variables that are set; `{ca}` stands for the file with the root. */
  readonly variables: readonly string[]
}

const TRUST = ['tls-verify=strict', 'tls-ca-file={ca}', 'tls-ca-no-defaults']

const TABLE: Readonly<Record<Policy, Options | { readonly unsupported: string }>> = {
  none: { scheme: 'smtp', variables: [] },
  may: {
    unsupported: 's-nail(1), smtp-use-starttls: "Causes S-nail to issue a STARTTLS command", unconditionally',
  },
  encrypt: { scheme: 'smtp', variables: ['smtp-use-starttls', 'tls-verify=ignore'] },
  verify: { scheme: 'smtp', variables: ['smtp-use-starttls', ...TRUST] },
  implicit: { scheme: 'smtps', variables: TRUST },
  ...withoutDns('s-nail talks to the host of its mta URL and looks up no TLSA record and no policy'),
  default: { scheme: 'smtp', variables: [] },
}

export const client: ClientAdapter = programClient({
  id: 's-nail',
  name: 'S-nail',
  policies: supportTable(TABLE, ({ scheme, variables }) =>
    ['s-nail', ...[`mta=${scheme}://{name}:{port}`, ...variables].map((variable) => `-S ${variable}`)].join(' '),
  ),
  documented: { policy: 'none', source: 's-nail(1), smtp-use-starttls: TLS is put on where this variable is set' },
  passwords: true,
  namesPeers: true,
  probe: () =>
    probeProgram(
      ['env', `LD_PRELOAD=${NSS_WRAPPER}`, 's-nail', '--version'],
      'apt-get install s-nail libnss-wrapper',
      /^s-nail v([^\s,]+)(?![^]*cannot be preloaded)/m,
    ),
  fixedLimitMs: 42_000,
  command,
  read,
})

async function command(delivery: Delivery): Promise<Command> {
  const entry = TABLE[delivery.policy]
  const { scheme, variables } = isUnsupported(entry) ? { scheme: 'smtp', variables: [] } : entry
  const { hostName, port, credentials, clientCertificate, ciphers } = delivery
  const user = credentials === undefined ? '' : `${urlPart(credentials.user)}:${urlPart(credentials.password)}@`
  const pairs = [
    ...(clientCertificate === undefined
      ? []
      : [`Certificate=${clientCertificate.chainFile}`, `PrivateKey=${clientCertificate.keyFile}`]),
    ...(ciphers === undefined ? [] : [`CipherString=${ciphers}`]),
  ]
  const set = [
    ...['v15-compat=yes', `mta=${scheme}://${user}${hostName}:${port}`],
    ...variables.map((variable) => variable.replace('{ca}', delivery.caFile)),
    ...[`smtp-hostname=${EHLO_NAME}`, `hostname=${EHLO_NAME}`, 'sendwait', 'fullnames', 'mime-encoding=8b'],
    ...(credentials === undefined ? ['smtp-auth=none'] : ['smtp-auth=plain']),
    ...(pairs.length === 0 ? [] : [`tls-config-pairs=${pairs.join(',')}`]),
  ]
  return {
    argv: [
      ...['s-nail', '-:/', '-v', '-v', ...set.flatMap((variable) => ['-S', variable])],
      ...['-r', delivery.from, '-t'],
    ],
    input: Buffer.from(delivery.message.toString('latin1').replaceAll('\r\n', '\n'), 'latin1'),
    env: await wrappedNames(delivery),
  }
}

function urlPart(text: string): string {
  return encodeURIComponent(text)
}

function read(result: ProgramResult): Reading {
  const complaint = result.stderr.match(/^s-nail: .*$/gm)?.at(-1)
  return result.exitCode === 0 || complaint === undefined ? {} : { reason: complaint }
}
