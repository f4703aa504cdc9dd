/**
 * curl: `smtp://` and `smtps://` URLs, one process per message.
 *
 * `--connect-to` sends it to the peer's address while the URL, hence SNI and the name that it checks, has the peer's
 * name. `-q` comes first so that no `.curlrc` is read, and the system's folder of roots is replaced by an empty one.
 * It makes no difference between 4xx and 5xx in its exit status; `%{response_code}` tells the last reply of the server.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClientAdapter, Delivery } from '../../scenarios/client.ts'
import type { Policy } from '../../scenarios/policy.ts'
import type { ProgramResult } from '../process/program.ts'
import { EHLO_NAME, isUnsupported, supportTable, wholeLimit, withoutDns } from './environment.ts'
import { type Command, probeProgram, programClient } from './program-client.ts'
import { kindIfKnown, kindOfCode, type Reading } from './word.ts'

interface Options {
  readonly scheme: 'smtp' | 'smtps'
  /** `{ca}` stands for the file with the root. */
  readonly options: readonly string[]
}

const TABLE: Readonly<Record<Policy, Options | { readonly unsupported: string }>> = {
  none: { scheme: 'smtp', options: [] },
  may: { scheme: 'smtp', options: ['--ssl', '--insecure'] },
  encrypt: { scheme: 'smtp', options: ['--ssl-reqd', '--insecure'] },
  verify: { scheme: 'smtp', options: ['--ssl-reqd', '--cacert', '{ca}'] },
  implicit: { scheme: 'smtps', options: ['--cacert', '{ca}'] },
  ...withoutDns('curl talks to the host of its URL and looks up no TLSA record and no policy'),
  default: { scheme: 'smtp', options: [] },
}

/** Exit statuses that say "not in this curl": CURLE_UNSUPPORTED_PROTOCOL and CURLE_NOT_BUILT_IN. */
const CANNOT = [1, 4]

export const client: ClientAdapter = programClient({
  id: 'curl',
  name: 'curl',
  policies: supportTable(TABLE, ({ scheme, options }) => ['curl', ...options, `${scheme}://{name}:{port}`].join(' ')),
  documented: {
    policy: 'none',
    source: 'curl(1), --ssl: TLS is tried only where the option is given; an smtp:// URL without it stays in clear',
  },
  passwords: true,
  namesPeers: true,
  probe: () => probeProgram(['curl', '--version'], 'apt-get install curl', /^curl (\S+)/m),
  command,
  read,
})

async function command(delivery: Delivery, messageFile: string): Promise<Command> {
  const entry = TABLE[delivery.policy]
  const { scheme, options } = isUnsupported(entry) ? { scheme: 'smtp', options: [] } : entry
  const noRoots = join(delivery.folder, 'no-roots')
  await mkdir(noRoots)
  const { hostName: name, port, credentials, clientCertificate, ciphers } = delivery
  const address = delivery.address.includes(':') ? `[${delivery.address}]` : delivery.address
  return {
    argv: [
      ...['curl', '-q', '--silent', '--show-error', '--verbose', '--noproxy', '*', '--capath', noRoots],
      ...options.map((word) => (word === '{ca}' ? delivery.caFile : word)),
      ...['--connect-to', `${name}:${port}:${address}:${port}`, `${scheme}://${name}:${port}/${EHLO_NAME}`],
      ...['--mail-from', delivery.from, ...delivery.to.flatMap((recipient) => ['--mail-rcpt', recipient])],
      ...['--upload-file', messageFile, '--max-time', (wholeLimit(delivery) / 1000).toFixed(3)],
      ...['--write-out', '\\nresponse_code=%{response_code}\\n'],
      ...(credentials === undefined ? [] : ['--user', `${credentials.user}:${credentials.password}`]),
      ...(clientCertificate === undefined
        ? []
        : ['--cert', clientCertificate.chainFile, '--key', clientCertificate.keyFile]),
      ...(ciphers === undefined ? [] : ['--ciphers', ciphers]),
    ],
  }
}

/** Lines that begin with `*` are curl's own; the server's replies begin with `<`. */
function read(result: ProgramResult, delivery: Delivery): Reading {
  const code = /^response_code=(\d{3})$/m.exec(result.stdout)?.[1]
  const error = result.stderr.match(/^curl: \(\d+\) .*$/gm)?.at(-1)
  const encrypted = /^\* SSL connection using /m.test(result.stderr)
  const checks = delivery.policy === 'verify' || delivery.policy === 'implicit'
  const verified = checks && /^\*\s+(SSL certificate verify ok|server certificate verification OK)/m.test(result.stderr)
  return {
    ...(CANNOT.includes(result.exitCode ?? 0) ? { state: 'unsupported' as const } : {}),
    ...kindIfKnown(kindOfCode(code === undefined ? undefined : Number(code))),
    ...(encrypted ? { claims: { encrypted, ...(verified ? { verified } : {}) } } : {}),
    ...(error === undefined ? {} : { reason: error }),
  }
}
