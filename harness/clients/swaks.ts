/**
 * swaks, the Swiss Army Knife for SMTP: one process per message.
 *
 * It is given the peer's address and, as SNI, the peer's name. Version 20201014 checks a chain but no name at all; from
 * 20240103 on `--tls-verify` checks the name as well, and `--tls-verify-target` says which. Nothing here makes up for
 * what a version lacks: that is for the scenarios to find. It has no time limit on the TLS handshake. In the message it
 * replaces its tokens (`%DATE%`, `%FROM_ADDRESS%`, …), and it appends an empty line.
 */
import type { ClientAdapter, Delivery } from '../../scenarios/client.ts'
import type { Policy } from '../../scenarios/policy.ts'
import type { ProgramResult } from '../process/program.ts'
import { EHLO_NAME, isUnsupported, supportTable, waitLimit, wholeSeconds, withoutDns } from './environment.ts'
import { type Command, probeProgram, programClient } from './program-client.ts'
import { kindIfKnown, kindOfCode, type Reading } from './word.ts'

/** The first release that checks names. */
const CHECKS_NAMES = 20_240_103

/** Its own limit on each wait. */
const OWN_WAIT_MS = 30_000

const SNI = ['--tls-sni', '{name}']
const VERIFY = ['--tls-verify', '--tls-ca-path', '{ca}', ...SNI]

const TABLE: Readonly<Record<Policy, readonly string[] | { readonly unsupported: string }>> = {
  none: [],
  may: ['--tls-optional', ...SNI],
  encrypt: ['--tls', ...SNI],
  verify: ['--tls', ...VERIFY],
  implicit: ['--tls-on-connect', ...VERIFY],
  ...withoutDns('swaks looks up no TLSA record and no policy; "--tls-verify" knows CA files only'),
  default: [],
}

export const client: ClientAdapter = programClient({
  id: 'swaks',
  name: 'swaks',
  policies: supportTable(TABLE, (options) => ['swaks', '--server {host} --port {port}', ...options].join(' ')),
  documented: {
    policy: 'none',
    source: 'swaks(1), TLS / ENCRYPTION: STARTTLS is attempted only with one of the --tls options',
  },
  passwords: true,
  namesPeers: true,
  probe: () => probeProgram(['swaks', '--version'], 'apt-get install swaks', /^swaks version (\S+)/m),
  command,
  read,
})

function command(delivery: Delivery, messageFile: string, version: string): Command {
  const entry = TABLE[delivery.policy]
  const options = isUnsupported(entry) ? [] : entry
  const { hostName: name, credentials, clientCertificate, ciphers } = delivery
  const targets = options.includes('--tls-verify') && Number.parseInt(version, 10) >= CHECKS_NAMES
  return {
    argv: [
      ...['swaks', '--server', delivery.address.includes(':') ? `[${delivery.address}]` : delivery.address],
      ...['--port', String(delivery.port), '--helo', EHLO_NAME],
      ...['--from', delivery.from, '--to', delivery.to.join(','), '--data', `@${messageFile}`],
      ...['--timeout', `${wholeSeconds(waitLimit(delivery, OWN_WAIT_MS))}s`],
      ...options.map((word) => (word === '{ca}' ? delivery.caFile : word === '{name}' ? name : word)),
      ...(targets ? ['--tls-verify-target', name] : []),
      ...(credentials === undefined
        ? []
        : ['--auth', '--auth-user', credentials.user, '--auth-password', credentials.password]),
      ...(clientCertificate === undefined
        ? []
        : ['--tls-cert', clientCertificate.chainFile, '--tls-key', clientCertificate.keyFile]),
      ...(ciphers === undefined ? [] : ['--tls-cipher', ciphers]),
    ],
  }
}

/** `===` and `***` begin its own lines; a reply that is an error begins with `<**` in clear and `<~*` inside TLS. */
function read(result: ProgramResult): Reading {
  const text = `${result.stdout}\n${result.stderr}`
  const refusal = text.match(/^<[*~]\* +\d{3}.*$/gm)?.at(-1)
  const complaint = text.match(/^\*\*\* .*$/gm)?.at(-1)
  const verification = /^=== TLS peer certificate (passed|failed).* CA verification.*, (passed|failed).* host/m.exec(
    text,
  )
  const code = refusal === undefined ? undefined : Number(/\d{3}/.exec(refusal)?.[0])
  const encrypted = /^=== TLS started with cipher /m.test(text)
  const verified = verification?.[1] === 'passed' && verification[2] === 'passed'
  const reason = refusal ?? complaint
  return {
    ...kindIfKnown(kindOfCode(code)),
    ...(encrypted ? { claims: { encrypted, ...(verification === null ? {} : { verified }) } } : {}),
    ...(reason === undefined ? {} : { reason }),
  }
}
