/**
 * Jakarta Mail (JavaMail), in worker processes that run `jakarta-mail/Shim.java` with the `java` of PATH and the library of
 * Debian's package.
 *
 * Properties say what a policy means. Untouched it stays in clear, and with TLS switched on it checks the chain and not
 * the name (`checkserveridentity` is false until Angus Mail 2).
 *
 * `java Shim.java` would need a JDK, which is 70 MB more than the run time environment. Debian's `ecj`, the compiler of
 * Eclipse in 6 MB, compiles with a run time environment alone. Java has no JSON of its own: that is gson's.
 */
import { existsSync, readdirSync } from 'node:fs'
import type { ClientAdapter } from '../../scenarios/client.ts'
import { clientEnvironment, supportTable, withoutDns } from './environment.ts'
import { type CallTable, callsJob, clientScript } from './library.ts'
import { prepare } from './prepare.ts'
import { probeProgram } from './program-client.ts'
import { workerClient } from './worker-client.ts'

const START = 'mail.smtp.starttls.enable=true'
const REQUIRED = `${START}; mail.smtp.starttls.required=true`
const UNCHECKED = 'mail.smtp.ssl.trust=*'
const CHECKED = 'mail.smtp.ssl.checkserveridentity=true; mail.smtp.ssl.socketFactory=(trusts {ca})'
const HOST = 'mail.smtp.host={name}; mail.smtp.port={port}'

const TABLE: CallTable = {
  none: { tls: 'never', check: false, calls: HOST },
  may: { tls: 'offered', check: false, calls: `${HOST}; ${START}; ${UNCHECKED}` },
  encrypt: { tls: 'always', check: false, calls: `${HOST}; ${REQUIRED}; ${UNCHECKED}` },
  verify: { tls: 'always', check: true, calls: `${HOST}; ${REQUIRED}; ${CHECKED}` },
  implicit: { tls: 'connect', check: true, calls: `${HOST}; mail.smtp.ssl.enable=true; ${CHECKED}` },
  ...withoutDns(
    'Jakarta Mail connects to the mail.smtp.host that it is given and looks up no TLSA record and no policy',
  ),
  default: { tls: 'never', check: false, calls: HOST },
}

const FOLDER = '/usr/share/java'
const JARS = ['jakarta-mail.jar', 'jakarta-activation.jar', 'gson.jar'].map((name) => `${FOLDER}/${name}`)
const INSTALL = 'apt-get install default-jre-headless ecj libjakarta-mail-java libgoogle-gson-java'

/** A worker lives for a whole run, but none of its jobs is worth the optimising compiler. */
const JAVA = ['java', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC']

async function probe() {
  const compiler = await probeProgram(['ecj', '-version'], INSTALL, /^(Eclipse Compiler)/m)
  const java = await probeProgram(['java', '-version'], INSTALL)
  if (!compiler.found || !java.found || !JARS.every((jar) => existsSync(jar)))
    return { found: false as const, install: INSTALL }
  const library = readdirSync(FOLDER).flatMap((name) => /^jakarta-mail-([\d.]+)\.jar$/.exec(name)?.[1] ?? [])
  return { found: true as const, version: library.at(-1) ?? 'unknown' }
}

/** The folder of the compiled shim, which all runs of this process share. */
let classes: Promise<string> | undefined

export const client: ClientAdapter = workerClient({
  id: 'jakarta-mail',
  name: 'Jakarta Mail',
  policies: supportTable(TABLE, ({ calls }) => calls),
  documented: {
    policy: 'none',
    source: 'com.sun.mail.smtp, mail.smtp.starttls.enable: "Defaults to false"',
  },
  passwords: true,
  namesPeers: true,
  probe,
  worker: async () => {
    const path = JARS.join(':')
    classes ??= prepare((folder) => [
      ...['ecj', '--release', '11', '-proc:none', '-cp', path],
      ...['-d', folder, clientScript('jakarta-mail/Shim.java')],
    ])
    const folder = await classes
    return { argv: [...JAVA, '-cp', `${folder}:${path}`, 'Shim', folder], env: clientEnvironment(), cwd: process.cwd() }
  },
  // its limits are endless by default
  job: (delivery) => callsJob(TABLE, delivery),
})
