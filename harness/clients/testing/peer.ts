/** For the tests of the adapters: real SMTP servers on port 0, and deliveries to them. */
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import { generate } from 'selfsigned'
import { SMTPServer } from 'smtp-server'
import type { Delivery } from '../../../scenarios/client.ts'

export const HOST_NAME = 'mx.cell.badmx.test'

/** The test framework's part that is used here. */
interface Test {
  teardown(what: () => Promise<void> | void): void
}

/** What a peer saw. */
export interface Seen {
  /** One entry per message that it accepted. */
  readonly messages: {
    readonly secure: boolean
    readonly helo: string
    readonly to: number
    readonly text: string
    /** OpenSSL's name of the cipher suite, inside TLS. */
    readonly cipher: string | undefined
    /** Common name of the certificate that the client presented. */
    readonly clientName: string | undefined
  }[]
  readonly logins: { readonly user: string; readonly password: string; readonly secure: boolean }[]
  readonly serverNames: string[]
}

export interface Peer extends Seen {
  readonly port: number
}

export interface PeerOptions {
  readonly tls?: 'starttls' | 'connect' | 'none'
  readonly certificate?: 'good' | 'self-signed' | 'other-name'
  readonly auth?: boolean
  readonly maxVersion?: 'TLSv1.2'
  /** The reply code to RCPT. */
  readonly rcpt?: number
}

/** What smtp-server keeps of a connection; its types do not show it. */
interface Connection {
  readonly session: unknown
  readonly _socket: Socket
}

type Pair = { readonly cert: string; readonly key: string }
type Issuer = Awaited<ReturnType<typeof makeIssuer>>

async function makeIssuer() {
  const ca = await mint('badmx adapter tests', true)
  return {
    ca,
    good: await mint(HOST_NAME, false, ca),
    'other-name': await mint('mx.other.badmx.test', false, ca),
    'self-signed': await mint(HOST_NAME, false),
    client: await mint('client.badmx.test', false, ca),
  }
}

async function mint(name: string, isAuthority: boolean, ca?: Pair): Promise<Pair> {
  const made = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    ...(ca === undefined ? {} : { ca }),
    extensions: [
      { name: 'basicConstraints', cA: isAuthority, critical: true },
      ...(isAuthority
        ? [{ name: 'keyUsage' as const, keyCertSign: true, cRLSign: true, critical: true }]
        : [{ name: 'subjectAltName' as const, altNames: [{ type: 2 as const, value: name }] }]),
    ],
  })
  return { cert: made.cert, key: made.private }
}

let issuer: Promise<Issuer> | undefined

/** A listening peer with a certificate of the tests' authority; ends with the test. */
export async function startPeer(t: Test, options: PeerOptions = {}): Promise<Peer> {
  issuer ??= makeIssuer()
  const pair = (await issuer)[options.certificate ?? 'good']
  const seen: Seen = { messages: [], logins: [], serverNames: [] }
  const server = new SMTPServer({
    ...pair,
    requestCert: true,
    rejectUnauthorized: false,
    ...(options.maxVersion === undefined ? {} : { maxVersion: options.maxVersion }),
    secure: options.tls === 'connect',
    authOptional: true,
    allowInsecureAuth: true,
    disableReverseLookup: true,
    disabledCommands: [...(options.tls === 'none' ? ['STARTTLS'] : []), ...(options.auth === true ? [] : ['AUTH'])],
    SNICallback: (name, done) => {
      seen.serverNames.push(name)
      done(null)
    },
    onAuth: (auth, session, done) => {
      seen.logins.push({ user: auth.username ?? '', password: auth.password ?? '', secure: session.secure })
      done(null, { user: auth.username })
    },
    onRcptTo: (_address, _session, done) => {
      if (options.rcpt === undefined) done()
      else done(Object.assign(new Error('said so by the test'), { responseCode: options.rcpt }))
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const helo = String(session.hostNameAppearsAs)
        const text = Buffer.concat(chunks).toString('latin1')
        const connections = (server as unknown as { connections: Set<Connection> }).connections
        const socket = [...connections].find((connection) => connection.session === session)?._socket
        const tls = socket instanceof TLSSocket ? socket : undefined
        seen.messages.push({
          ...{ secure: session.secure, helo, to: session.envelope.rcptTo.length, text },
          cipher: tls?.getCipher().name,
          clientName: tls?.getPeerX509Certificate()?.subject.replace(/^CN=/, ''),
        })
        done()
      })
    },
  })
  // clients that refuse a certificate are what some tests want
  server.on('error', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => new Promise<void>((resolve) => server.close(() => resolve())))
  const address = server.server.address()
  return { ...seen, port: typeof address === 'object' && address !== null ? address.port : 0 }
}

/** A port that accepts connections and never says a word; `connected` resolves with the first of them. */
export async function startSilence(t: Test): Promise<{ readonly port: number; readonly connected: Promise<unknown> }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
  })
  const connected = once(server, 'connection')
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  return { port: typeof address === 'object' && address !== null ? address.port : 0, connected }
}

export const MESSAGE = [
  'From: <sender@badmx.test>',
  'To: <one@badmx.test>, <two@badmx.test>',
  'Date: Thu, 01 Jan 2026 00:00:00 +0000',
  'Message-ID: <canary@badmx.test>',
  'Subject: canary-subject',
  '',
  'canary-body',
  '.a line that begins with a dot',
  'the end',
  '',
].join('\r\n')

/** Files with a client certificate and its key; end with the test. */
export async function makeClientCertificate(t: Test): Promise<NonNullable<Delivery['clientCertificate']>> {
  issuer ??= makeIssuer()
  const { client } = await issuer
  const folder = await mkdtemp(join(tmpdir(), 'badmx-adapter-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const files = { chainFile: join(folder, 'chain.pem'), keyFile: join(folder, 'key.pem') }
  await writeFile(files.chainFile, client.cert)
  await writeFile(files.keyFile, client.key)
  return files
}

/** A delivery to that port, with a folder of its own that ends with the test. */
export async function makeDelivery(t: Test, port: number, changes: Partial<Delivery> = {}): Promise<Delivery> {
  issuer ??= makeIssuer()
  const { ca } = await issuer
  const folder = await mkdtemp(join(tmpdir(), 'badmx-adapter-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const files = await mkdtemp(join(tmpdir(), 'badmx-adapter-'))
  t.teardown(() => rm(files, { recursive: true, force: true }))
  const caFile = join(files, 'ca.pem')
  await writeFile(caFile, ca.cert)
  return {
    cell: 'control/test/verify/test',
    policy: 'verify',
    hostName: HOST_NAME,
    address: '127.0.0.1',
    port,
    hosts: [{ name: HOST_NAME, preference: 10, address: '127.0.0.1', port }],
    from: 'sender@badmx.test',
    to: ['one@badmx.test', 'two@badmx.test'],
    message: Buffer.from(MESSAGE, 'latin1'),
    caFile,
    folder,
    timeScale: 1,
    deadlineMs: 30_000,
    ...changes,
  }
}
