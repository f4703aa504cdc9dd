/**
 * nodemailer, in worker processes. The version that the user's current folder resolves is taken first, then the one
 * that came with badmx; the probe tells which.
 *
 * Its documentation (nodemailer.com/smtp) says how to connect by address and still check a name: the address as `host`
 * and the name as `tls.servername`, which is also the SNI. By default it checks certificates against the system's
 * roots; the run's root stands in for those (`tls.ca`) under every policy.
 */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import type { ClientAdapter, Delivery } from '../../scenarios/client.ts'
import type { Policy } from '../../scenarios/policy.ts'
import { clientEnvironment, EHLO_NAME, isUnsupported, supportTable, waitLimit, withoutDns } from './environment.ts'
import { workerClient } from './worker-client.ts'

interface Options {
  readonly secure?: boolean
  readonly ignoreTLS?: boolean
  readonly opportunisticTLS?: boolean
  readonly requireTLS?: boolean
  readonly tls?: { readonly rejectUnauthorized: boolean }
}

const UNCHECKED = { rejectUnauthorized: false }

const TABLE: Readonly<Record<Policy, Options | { readonly unsupported: string }>> = {
  none: { secure: false, ignoreTLS: true },
  may: { secure: false, opportunisticTLS: true, tls: UNCHECKED },
  encrypt: { secure: false, requireTLS: true, tls: UNCHECKED },
  verify: { secure: false, requireTLS: true },
  implicit: { secure: true },
  ...withoutDns('nodemailer connects to the host that it is given and looks up no TLSA record and no policy'),
  default: {},
}

/** Its own limits in milliseconds, by the names of its options. */
const OWN_LIMITS = {
  connectionTimeout: 120_000,
  greetingTimeout: 30_000,
  socketTimeout: 600_000,
} as const

const INSTALL = 'npm install nodemailer'

interface Found {
  readonly entry: string
  readonly version: string
}

export const client: ClientAdapter = workerClient({
  id: 'nodemailer',
  name: 'Nodemailer',
  policies: supportTable(TABLE, (options) => {
    const shown = {
      host: '{host}',
      port: '{port}',
      ...options,
      tls: { servername: '{name}', ca: '{ca}', ...options.tls },
    }
    return `createTransport(${inspect(shown, { breakLength: Number.POSITIVE_INFINITY })})`
  }),
  documented: {
    policy: 'may',
    source: 'nodemailer.com/smtp, "If false (the default) then TLS is used if server supports the STARTTLS extension"',
  },
  passwords: true,
  namesPeers: true,
  probe: async () => {
    const found = findNodemailer()
    return found === undefined ? { found: false, install: INSTALL } : { found: true, version: found.version }
  },
  worker: async () => {
    const shim = fileURLToPath(new URL('./nodemailer/shim.js', import.meta.url))
    const entry = findNodemailer()?.entry ?? ''
    return {
      argv: [process.execPath, shim, pathToFileURL(entry).href],
      env: clientEnvironment(),
      cwd: process.cwd(),
    }
  },
  job,
})

function job(delivery: Delivery): object {
  const entry = TABLE[delivery.policy]
  const { tls, ...options } = isUnsupported(entry) ? {} : entry
  const { credentials, clientCertificate, ciphers } = delivery
  const limits = Object.entries(OWN_LIMITS).map(([name, own]) => [name, Math.floor(waitLimit(delivery, own))])
  return {
    options: {
      ...{ host: delivery.address, port: delivery.port, name: EHLO_NAME, ...options, ...Object.fromEntries(limits) },
      tls: {
        servername: delivery.hostName,
        ca: readFileSync(delivery.caFile, 'utf8'),
        ...tls,
        ...(clientCertificate === undefined
          ? {}
          : {
              cert: readFileSync(clientCertificate.chainFile, 'utf8'),
              key: readFileSync(clientCertificate.keyFile, 'utf8'),
            }),
        ...(ciphers === undefined ? {} : { ciphers }),
      },
      ...(credentials === undefined ? {} : { auth: { user: credentials.user, pass: credentials.password } }),
    },
    envelope: { from: delivery.from, to: delivery.to },
    raw: delivery.message.toString('base64'),
  }
}

/** The entry file and version of the nodemailer that `folder` resolves, else of the one that badmx resolves. */
export function findNodemailer(folder = process.cwd()): Found | undefined {
  for (const from of [join(folder, 'any.js'), fileURLToPath(import.meta.url)]) {
    try {
      const entry = createRequire(from).resolve('nodemailer')
      return { entry, version: versionOf(entry) }
    } catch {
      // not there: the next place
    }
  }
  return undefined
}

/** From the package.json that names nodemailer; packages have others without a name inside (`dist/cjs`). */
function versionOf(entry: string): string {
  for (let folder = dirname(entry); folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, 'package.json')
    if (!existsSync(file)) continue
    const described = JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown; version?: unknown }
    if (described.name === 'nodemailer') return String(described.version)
  }
  throw new Error(`no package.json of nodemailer above ${entry}`)
}
