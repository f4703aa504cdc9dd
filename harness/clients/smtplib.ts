/**
 * Python's smtplib, in worker processes that run `smtplib/shim.py` with the `python3` of PATH.
 *
 * A library without a policy of its own: what a policy means is what its caller does. The calls are those that the
 * documentation of smtplib and ssl shows.
 */
import { join } from 'node:path'
import { packageRoot } from '../../peers/package-root.ts'
import type { ClientAdapter, Delivery } from '../../scenarios/client.ts'
import type { Policy } from '../../scenarios/policy.ts'
import { clientEnvironment, EHLO_NAME, isUnsupported, supportTable, waitLimit, withoutDns } from './environment.ts'
import { probeProgram } from './program-client.ts'
import { workerClient } from './worker-client.ts'

interface Calls {
  /** When TLS starts. */
  readonly tls: 'never' | 'offered' | 'always' | 'connect'
  /** Chain and name are checked. */
  readonly check: boolean
  /** The calls as a person writes them. */
  readonly calls: string
}

const UNCHECKED =
  'context = ssl.create_default_context(); context.check_hostname = False; context.verify_mode = ssl.CERT_NONE'
const CHECKED = 'context = ssl.create_default_context(cafile={ca})'
const PLAIN = 'smtp = smtplib.SMTP({name}, {port})'

const TABLE: Readonly<Record<Policy, Calls | { readonly unsupported: string }>> = {
  none: { tls: 'never', check: false, calls: PLAIN },
  may: {
    tls: 'offered',
    check: false,
    calls: `${UNCHECKED}; ${PLAIN}; smtp.ehlo(); smtp.has_extn('starttls') and smtp.starttls(context=context)`,
  },
  encrypt: { tls: 'always', check: false, calls: `${UNCHECKED}; ${PLAIN}; smtp.starttls(context=context)` },
  verify: { tls: 'always', check: true, calls: `${CHECKED}; ${PLAIN}; smtp.starttls(context=context)` },
  implicit: {
    tls: 'connect',
    check: true,
    calls: `${CHECKED}; smtp = smtplib.SMTP_SSL({name}, {port}, context=context)`,
  },
  ...withoutDns('smtplib connects to the host that it is given and looks up no TLSA record and no policy'),
  default: { tls: 'never', check: false, calls: PLAIN },
}

export const client: ClientAdapter = workerClient({
  id: 'smtplib',
  name: 'Python smtplib',
  policies: supportTable(TABLE, ({ calls }) => calls),
  documented: {
    policy: 'none',
    source: 'docs.python.org/3/library/smtplib, SMTP.starttls: TLS is put on by this call only',
  },
  passwords: true,
  namesPeers: true,
  probe: () => probeProgram(['python3', '--version'], 'apt-get install python3', /^(Python \S+)/m),
  worker: async () => ({
    argv: ['python3', '-I', join(packageRoot(), 'harness/clients/smtplib/shim.py')],
    env: clientEnvironment(),
    cwd: process.cwd(),
  }),
  job,
})

function job(delivery: Delivery): object {
  const entry = TABLE[delivery.policy]
  const { tls, check } = isUnsupported(entry) ? { tls: 'never', check: false } : entry
  const { hostName, address, port, from, to, caFile, ciphers, credentials, clientCertificate } = delivery
  return {
    ...{ tls, check, hostName, address, port, from, to, caFile, ciphers, ehlo: EHLO_NAME },
    message: delivery.message.toString('base64'),
    timeout: waitLimit(delivery) / 1000,
    ...credentials,
    ...(clientCertificate === undefined
      ? {}
      : { certificate: clientCertificate.chainFile, key: clientCertificate.keyFile }),
  }
}
