/**
 * Go's net/smtp: `go-net-smtp/main.go`, built with the `go` of PATH when the client is started, run once per message.
 *
 * `default` is `smtp.SendMail`, the way in that its documentation names first: it upgrades where STARTTLS is offered
 * and checks the certificate against the system's roots, which are replaced by `SSL_CERT_FILE`. It calls itself
 * `localhost` and cannot be told otherwise. None of its calls has a time limit. Go has no list of ciphers in words.
 */
import { join } from 'node:path'
import type { ClientAdapter, Delivery } from '../../scenarios/client.ts'
import type { Policy } from '../../scenarios/policy.ts'
import type { ProgramResult } from '../process/program.ts'
import { EHLO_NAME, isUnsupported, supportTable, withoutDns } from './environment.ts'
import { clientScript } from './library.ts'
import { prepare } from './prepare.ts'
import { type Command, probeProgram, programClient } from './program-client.ts'
import { kindIfKnown, kindOfCode, type Reading } from './word.ts'

interface Options {
  /** Arguments of main.go. */
  readonly options: readonly string[]
  /** The calls as a person writes them. */
  readonly calls: string
}

const DIAL = 'c, err := smtp.Dial("{name}:{port}")'
const UNCHECKED = 'c.StartTLS(&tls.Config{ServerName: "{name}", InsecureSkipVerify: true})'
const CHECKED = '&tls.Config{ServerName: "{name}"}'

const TABLE: Readonly<Record<Policy, Options | { readonly unsupported: string }>> = {
  none: { options: ['-tls=never'], calls: DIAL },
  may: {
    options: ['-tls=offered'],
    calls: `${DIAL}; if ok, _ := c.Extension("STARTTLS"); ok { err = ${UNCHECKED} }`,
  },
  encrypt: { options: ['-tls=always'], calls: `${DIAL}; err = ${UNCHECKED}` },
  verify: { options: ['-tls=always', '-check'], calls: `${DIAL}; err = c.StartTLS(${CHECKED})` },
  implicit: {
    options: ['-tls=connect', '-check'],
    calls: `conn, err := tls.Dial("tcp", "{name}:{port}", ${CHECKED}); c, err := smtp.NewClient(conn, "{name}")`,
  },
  ...withoutDns('net/smtp connects to the host that it is given and looks up no TLSA record and no policy'),
  default: { options: [], calls: 'err := smtp.SendMail("{name}:{port}", auth, from, to, message)' },
}

const adapter = programClient({
  id: 'go-net-smtp',
  name: 'Go net/smtp',
  policies: supportTable(TABLE, ({ calls }) => calls),
  documented: {
    policy: 'may',
    source: 'pkg.go.dev/net/smtp, SendMail: "connects to the server at addr, switches to TLS if possible"',
  },
  passwords: true,
  namesPeers: true,
  probe: () => probeProgram(['go', 'version'], 'apt-get install golang-go', /^go version go(\S+)/m),
  refuses: ({ ciphers }) =>
    ciphers === undefined ? undefined : 'crypto/tls: Config.CipherSuites has numbers, and no words for them',
  command,
  read,
})

export const client: ClientAdapter = {
  ...adapter,
  start: async () => {
    const running = await adapter.start()
    program ??= build()
    await program
    return running
  },
}

/** The built program, which all runs of this process share. */
let program: Promise<string> | undefined

async function build(): Promise<string> {
  const folder = await prepare(
    (folder) => ['go', 'build', '-o', join(folder, 'go-net-smtp'), clientScript('go-net-smtp/main.go')],
    { CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off', GOTOOLCHAIN: 'local' },
  )
  return join(folder, 'go-net-smtp')
}

async function command(delivery: Delivery): Promise<Command> {
  const entry = TABLE[delivery.policy]
  const { hostName, address, port, from, to, credentials, clientCertificate } = delivery
  return {
    argv: [
      (await program) ?? 'go-net-smtp',
      ...(isUnsupported(entry) ? [] : entry.options),
      ...[`-host=${hostName}`, `-address=${address}`, `-port=${port}`, `-from=${from}`, `-ehlo=${EHLO_NAME}`],
      ...(credentials === undefined ? [] : [`-user=${credentials.user}`]),
      ...(clientCertificate === undefined
        ? []
        : [`-certificate=${clientCertificate.chainFile}`, `-key=${clientCertificate.keyFile}`]),
      ...['--', ...to],
    ],
    input: delivery.message,
    env: {
      SSL_CERT_FILE: delivery.caFile,
      SSL_CERT_DIR: join(delivery.folder, 'no-roots'),
      ...(credentials === undefined ? {} : { BADMX_PASSWORD: credentials.password }),
    },
  }
}

/** An unrecovered panic ends a Go program with status 2 and says so. */
function read(result: ProgramResult): Reading {
  const code = /^code=(\d+)$/m.exec(result.stdout)?.[1]
  const channel = /^encrypted=(true|false) verified=(true|false)$/m.exec(result.stdout)
  const panicked = result.exitCode === 2 && /^(panic|fatal error): /m.test(result.stderr)
  const error = result.stderr.split('\n').find((line) => line.trim() !== '')
  return {
    ...(panicked ? { state: 'crashed' as const } : {}),
    ...kindIfKnown(kindOfCode(code === undefined ? undefined : Number(code))),
    ...(channel === null ? {} : { claims: { encrypted: channel[1] === 'true', verified: channel[2] === 'true' } }),
    ...(error === undefined ? {} : { reason: error }),
  }
}
