/**
 * The servers that are compared, each for a process of its own: what badmx makes, and the bare parts that it is made of.
 *
 * What always holds: all of them serve loopback on a port that the system chooses, look nothing up, and wait for nothing.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { pipeline } from 'node:stream'
import { AUTHORITATIVE_ANSWER, decode, encode, type Packet } from 'dns-packet'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js'
import { createAuthority } from '../../peers/certificates/authority.ts'
import { Internet } from '../../peers/dns/internet.ts'
import { startDns } from '../../peers/dns/start.ts'
import { zone } from '../../peers/dns/zone.ts'
import type { PeerEvent } from '../../peers/events.ts'
import { type Certificate, peer, proxy } from '../../peers/peer.ts'
import type { LegacyTlsInput } from '../../peers/tls/legacy/options.ts'

export interface Subject {
  readonly port: number
  /** A new round begins: what the last one has left in memory goes. */
  forget(): void
}

export type SubjectName =
  | 'smtp-server'
  | 'peer'
  | 'peer-hide-starttls'
  | 'peer-unlogged'
  | 'peer-node-rsa'
  | 'peer-legacy'
  | 'sink'
  | 'pipe'
  | 'proxy'
  | 'udp-echo'
  | 'dns-packet'
  | 'name-server'

/** What the name servers are asked. */
export const DNS_NAME = '_25._tcp.mx.bench.test'

/** Starts one. `target` is the port behind a proxy or pipe. */
export async function startSubject(name: SubjectName, target: number): Promise<Subject> {
  const kept: PeerEvent[] = []
  const log = (event: PeerEvent): void => void kept.push(event)
  const forget = (): void => void kept.splice(0)
  switch (name) {
    case 'smtp-server':
      return { port: await bareSmtpServer(await certificate()), forget }
    case 'udp-echo':
      return { port: await udp((query) => query), forget }
    case 'dns-packet':
      return { port: await udp(dnsPacketResponder()), forget }
    case 'name-server':
      return { port: await nameServer(), forget }
    case 'peer':
      return { port: (await peer([], { tls: { certificate: await certificate() }, log })).port, forget }
    case 'peer-hide-starttls':
      return { port: (await peer(['hide-starttls'], { tls: { certificate: await certificate() }, log })).port, forget }
    case 'peer-node-rsa': {
      const tls = { certificate: await certificate('rsa'), max: 'TLSv1.2', ciphers: 'AES128-SHA@SECLEVEL=0' } as const
      return { port: (await peer([], { tls, log })).port, forget }
    }
    case 'peer-legacy': {
      const legacy: LegacyTlsInput = { min: 'TLSv1.2', suites: ['AES128-SHA'] }
      const tls = { certificate: await certificate('rsa'), legacy }
      return { port: (await peer([], { tls, log })).port, forget }
    }
    case 'peer-unlogged':
      return { port: (await peer([], { tls: { certificate: await certificate() } })).port, forget }
    case 'proxy':
      return { port: (await proxy([], '127.0.0.1', target, { log })).port, forget }
    case 'pipe':
      return {
        port: await listen(createServer({ allowHalfOpen: true, noDelay: true }, (socket) => pipeTo(socket, target))),
        forget,
      }
    case 'sink':
      return { port: await listen(createServer({ noDelay: true }, sink)), forget }
  }
}

/** P-256, as every peer has it, or RSA of 2048 bits. */
async function certificate(fault: 'good' | 'rsa' = 'good'): Promise<Certificate> {
  const authority = createAuthority({ now: new Date(), seed: 1 })
  return authority.issue(fault, { host: 'mx.bench.badmx.test', domain: 'bench.badmx.test' })
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: '127.0.0.1', port: 0, backlog: 1024 }, resolve)
  })
  return (server.address() as AddressInfo).port
}

/** Without the 100 ms in which smtp-server waits for early talkers; a peer does not wait either. */
class PromptConnection extends SMTPConnection {
  private greeted = false

  override init(): void {
    super.init()
    this.connectionReady()
  }

  override connectionReady(): void {
    if (this.greeted) return
    this.greeted = true
    super.connectionReady()
  }
}

/** smtp-server alone, with the options that a peer gives it and STARTTLS of its own. */
async function bareSmtpServer(certificate: Certificate): Promise<number> {
  const server = new SMTPServer({
    key: certificate.keyPem,
    cert: certificate.certPem,
    disableReverseLookup: true,
    authOptional: true,
    authMethods: ['PLAIN', 'LOGIN', 'CRAM-MD5', 'XOAUTH2'],
    logger: false,
    noDelay: true,
    onData(stream, _session, done) {
      stream.on('end', () => done(null))
      stream.resume()
    },
  } as SMTPServerOptions)
  server.on('error', () => {})
  server.connect = (socket, options) => {
    const connection = new PromptConnection(server as never, socket as never, options as never)
    server.connections.add(connection as never)
    connection.on('error', () => {})
    connection.init()
  }
  return listen(server.server as Server)
}

/** What a proxy cannot do without: two sockets and the octets between them. */
function pipeTo(socket: Socket, port: number): void {
  const upstream = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  const done = (error?: Error | null): void => {
    if (error === undefined || error === null) return
    socket.destroy()
    upstream.destroy()
  }
  pipeline(socket, upstream, done)
  pipeline(upstream, socket, done)
}

const REPLIES: Readonly<Record<string, string>> = {
  EHLO: '250-sink\r\n250-PIPELINING\r\n250 SIZE 104857600\r\n',
  DATA: '354 go on\r\n',
  QUIT: '221 bye\r\n',
}

/** The server behind a proxy: as little of SMTP as the load generator needs, so that the proxy is the slower one. */
function sink(socket: Socket): void {
  let inData = false
  let tail = ''
  socket.on('error', () => {})
  socket.on('data', (chunk) => {
    if (inData) {
      tail = (tail + chunk.subarray(-5).toString('latin1')).slice(-5)
      if (tail !== '\r\n.\r\n') return
      inData = false
      socket.write('250 taken\r\n')
      return
    }
    const verb = chunk.subarray(0, 4).toString('latin1')
    inData = verb === 'DATA'
    tail = ''
    socket.write(REPLIES[verb] ?? '250 fine\r\n')
    if (verb === 'QUIT') socket.end()
  })
  socket.write('220 sink\r\n')
}

/** A UDP socket that answers at once. */
async function udp(answer: (query: Buffer) => Buffer): Promise<number> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 })
  socket.on('message', (query, { address, port }) => socket.send(answer(query), port, address))
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket.address().port
}

/** Reads the query and writes an answer of the same records as ours, each time. */
function dnsPacketResponder(): (query: Buffer) => Buffer {
  const data = { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.alloc(32, 7) }
  const signature = {
    ...{ typeCovered: 'TLSA', algorithm: 13, labels: 5, originalTTL: 300, expiration: 1, inception: 0, keyTag: 1 },
    ...{ signersName: 'bench.test', signature: Buffer.alloc(64, 7) },
  }
  return (query) => {
    const { id, questions = [], additionals = [] } = decode(query)
    const [question] = questions
    const common = { name: question?.name ?? '', ttl: 300, class: 'IN' } as const
    return encode({
      ...{ type: 'response', id, questions, additionals, flags: AUTHORITATIVE_ANSWER },
      answers: [
        { ...common, type: 'TLSA', data },
        { ...common, type: 'RRSIG', data: signature },
      ],
    } as unknown as Packet)
  }
}

/** What the name servers serve. */
export async function benchInternet(): Promise<Internet> {
  const records = ['@ MX 10 mx', 'mx A 198.18.0.25', `_25._tcp.mx TLSA 3 1 1 ${'07'.repeat(32)}`]
  const nameServer = { name: 'ns.test', address: '127.0.0.1' }
  return Internet.create([zone('bench.test', records)], { nameServer })
}

async function nameServer(): Promise<number> {
  const internet = await benchInternet()
  const { authority } = await startDns({ internet, resolver: [], authority: { port: 0 } })
  return authority[0]?.port ?? 0
}
