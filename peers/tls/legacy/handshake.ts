/**
 * One handshake as server, from the ClientHello to both Finished: RFC 5246 §7.3 and §7.4, RFC 6101 §5.5. A renegotiation is
 * another one of these.
 *
 * What always holds: a message is taken only where it is due; nothing of a session is kept before both Finished are there; the
 * transcript has what left and came, not what was meant.
 */
import { type ClientHello, EXTENSION, listOf, renegotiationOf, ticketOf } from './client-hello.ts'
import { vector } from './cursor.ts'
import { type Exchange, exchangeFor } from './key-exchange.ts'
import { connectionKeys, finishedValue, masterSecret } from './key-schedule.ts'
import {
  certificateBody,
  certificateRequestBody,
  checkCertificateVerify,
  parseCertificates,
  serverHelloBody,
  ticketBody,
} from './messages.ts'
import { type Negotiated, negotiate } from './negotiation.ts'
import { type Protection, protect, type RandomOctets } from './protection.ts'
import { type HandshakeName, handshakeMessage, type MessageName, ProtocolError, SSL3 } from './protocol.ts'
import type { LegacyServer } from './server.ts'
import { SessionStore } from './sessions.ts'
import { keyTypeOf, type Suite } from './suites.ts'

/** What binds a renegotiation to the handshake before it, RFC 5746 §3.1. */
export interface VerifyData {
  readonly client: Buffer
  readonly server: Buffer
}

export interface HandshakeResult {
  readonly version: number
  readonly suite: Suite
  readonly resumed: boolean
  /** DER, leaf first. */
  readonly clientChain: readonly Buffer[]
  readonly verifyData: VerifyData
}

/** What a handshake does to its connection. */
export interface HandshakeWire {
  /** Sends a message; what really left is returned, none where it was kept back. */
  send(name: MessageName, message: Buffer): readonly Buffer[]
  serverRandom(random: Buffer): Buffer
  settle(version: number): void
  activate(direction: 'read' | 'write', protection: Protection): void
  /** A line of the NSS key log. */
  secret(line: string): void
  /** A Certificate message leaves, with this chain. */
  presented(chain: readonly Buffer[]): void
  done(result: HandshakeResult): void
}

const NONE: Buffer = Buffer.alloc(0)

export class Handshake {
  private readonly server: LegacyServer
  private readonly wire: HandshakeWire
  private readonly random: RandomOctets
  private readonly previous: VerifyData | undefined
  private readonly transcript: Buffer[] = []
  private due: readonly MessageName[] = ['client-hello']
  private hello: ClientHello | undefined
  private choice: Negotiated | undefined
  private randoms = { client: NONE, server: NONE }
  private sessionId: Buffer = NONE
  private exchange: Exchange | undefined
  private master: Buffer = NONE
  private clientChain: readonly Buffer[] = []
  private readonly pending: { read?: Protection; write?: Protection } = {}
  private readonly verifyData = { client: NONE, server: NONE }

  constructor(server: LegacyServer, wire: HandshakeWire, random: RandomOctets, previous?: VerifyData) {
    this.server = server
    this.wire = wire
    this.random = random
    this.previous = previous
  }

  /** `message` is what the transcript gets. @throws {ProtocolError} as all of these. */
  begin(hello: ClientHello, message: Buffer): void {
    this.expect('client-hello')
    this.transcript.push(message)
    this.hello = hello
    this.checkRenegotiation(hello)
    const choice = negotiate(this.server, hello)
    this.choice = choice
    this.wire.settle(choice.version)
    this.randoms = { client: hello.random, server: this.wire.serverRandom(this.random(32)) }
    if (choice.resumed === undefined) this.full(hello, choice)
    else this.abbreviated(hello, choice, choice.resumed.master)
  }

  receive(name: HandshakeName, message: Buffer): void {
    this.expect(name)
    const body = message.subarray(4)
    if (name === 'finished') this.clientFinished(body)
    else if (name === 'certificate') this.clientCertificate(parseCertificates(body))
    else if (name === 'client-key-exchange') this.clientKeyExchange(body)
    else if (name === 'certificate-verify') {
      const [leaf = NONE] = this.clientChain
      checkCertificateVerify(this.chosen.version, leaf, body, Buffer.concat(this.transcript), this.master)
      this.due = ['change-cipher-spec']
    }
    this.transcript.push(message)
    if (name === 'finished') this.afterClientFinished()
  }

  /** SSL 3.0: the warning no_certificate stands for an empty Certificate, RFC 6101 §5.6.6. */
  noCertificate(): void {
    if (this.choice?.version === SSL3 && this.due.includes('certificate')) this.clientCertificate([])
  }

  changeCipherSpec(): void {
    this.expect('change-cipher-spec')
    if (this.pending.read !== undefined) this.wire.activate('read', this.pending.read)
    this.due = ['finished']
  }

  private expect(name: MessageName): void {
    if (!this.due.includes(name))
      throw new ProtocolError('unexpected_message', `got ${name}, want ${this.due.join(' or ')}`)
  }

  private get chosen(): Negotiated {
    if (this.choice === undefined) throw new ProtocolError('internal_error', 'nothing is negotiated yet')
    return this.choice
  }

  private send(name: HandshakeName, body: Buffer): readonly Buffer[] {
    const left = this.wire.send(name, handshakeMessage(name, body))
    this.transcript.push(...left)
    return left
  }

  /** RFC 5746 §3.6, §3.7. */
  private checkRenegotiation(hello: ClientHello): void {
    if (!this.server.options.secureRenegotiation) return
    const given = renegotiationOf(hello)
    const want = this.previous?.client ?? NONE
    if (given === undefined && this.previous === undefined) return
    if (given === undefined || !given.equals(want))
      throw new ProtocolError('handshake_failure', 'renegotiation_info of the client is not that of this connection')
  }

  private sayHello(hello: ClientHello, { version, suite, resumed }: Negotiated, withTicket: boolean): void {
    const { options } = this.server
    const extensions: [number, Buffer][] = []
    if (options.secureRenegotiation && renegotiationOf(hello) !== undefined) {
      const { client, server } = this.previous ?? { client: NONE, server: NONE }
      extensions.push([EXTENSION.renegotiationInfo, vector(1, Buffer.concat([client, server]))])
    }
    if (suite.exchange.startsWith('ECDH') && resumed === undefined && hello.extensions.has(EXTENSION.pointFormats))
      extensions.push([EXTENSION.pointFormats, Buffer.from([1, 0])])
    if (withTicket) extensions.push([EXTENSION.sessionTicket, NONE])
    const { sessionId, randoms } = this
    const body = serverHelloBody({ version, random: randoms.server, sessionId, suite: suite.id, extensions })
    this.send('server-hello', body)
  }

  private wantsTicket(hello: ClientHello, version: number): boolean {
    return this.server.options.tickets !== 'none' && version > SSL3 && ticketOf(hello) !== undefined
  }

  private full(hello: ClientHello, choice: Negotiated): void {
    const { version, suite } = choice
    const { server, randoms } = this
    const withTicket = this.wantsTicket(hello, version)
    const withId = !withTicket && server.options.sessionIds !== 'none'
    this.sessionId = withId ? this.random(32) : NONE
    this.sayHello(hello, choice, withTicket)
    if (keyTypeOf(suite) !== 'none') {
      const [left] = this.send('certificate', certificateBody(server.chain))
      if (left !== undefined) this.wire.presented(chainIn(left) ?? server.chain)
    }
    this.exchange = exchangeFor(
      {
        version,
        suite,
        key: server.key,
        dhBits: server.options.dhBits,
        group: choice.group,
        signatureAlgorithms: listOf(hello, EXTENSION.signatureAlgorithms),
        random: this.random,
      },
      randoms,
    )
    const { serverKeyExchange } = this.exchange
    if (serverKeyExchange !== undefined) this.send('server-key-exchange', serverKeyExchange)
    // An anonymous server must not ask, RFC 5246 §7.4.4.
    const asks = server.requestCert && keyTypeOf(suite) !== 'none'
    if (asks) this.send('certificate-request', certificateRequestBody(version, server.authorities))
    this.send('server-hello-done', NONE)
    this.due = asks ? ['certificate'] : ['client-key-exchange']
  }

  private abbreviated(hello: ClientHello, choice: Negotiated, master: Buffer): void {
    const withTicket = this.wantsTicket(hello, choice.version)
    // A client that resumes by ticket tells by its id coming back that it was taken, RFC 5077 §3.4.
    this.sessionId = hello.sessionId
    this.sayHello(hello, choice, withTicket)
    this.agree(master)
    this.finish(withTicket)
    this.due = ['change-cipher-spec']
  }

  private clientCertificate(chain: readonly Buffer[]): void {
    if (chain.length === 0 && this.server.requireCert)
      throw new ProtocolError('handshake_failure', 'the client has no certificate, and the server requires one')
    this.clientChain = chain
    this.due = ['client-key-exchange']
  }

  private clientKeyExchange(body: Buffer): void {
    const { version, suite } = this.chosen
    const offered = this.hello?.version ?? version
    const premaster = this.exchange?.premaster(body, offered) ?? NONE
    this.due = this.clientChain.length === 0 ? ['change-cipher-spec'] : ['certificate-verify']
    this.agree(masterSecret(version, suite, premaster, this.randoms))
  }

  private agree(master: Buffer): void {
    const { version, suite } = this.chosen
    this.master = master
    this.wire.secret(`CLIENT_RANDOM ${this.randoms.client.toString('hex')} ${master.toString('hex')}`)
    const keys = connectionKeys(version, suite, master, this.randoms)
    this.pending.read = protect(version, suite, keys.client, this.random)
    this.pending.write = protect(version, suite, keys.server, this.random)
  }

  private clientFinished(body: Buffer): void {
    const { version, suite } = this.chosen
    const want = finishedValue(version, suite, this.master, 'client', Buffer.concat(this.transcript))
    if (!body.equals(want)) throw new ProtocolError('decrypt_error', 'Finished: the verify data is wrong')
    this.verifyData.client = want
  }

  private afterClientFinished(): void {
    const { version, suite, resumed } = this.chosen
    this.due = []
    if (resumed === undefined) {
      this.finish(this.hello !== undefined && this.wantsTicket(this.hello, version))
      if (this.sessionId.length > 0 && this.server.options.sessionIds === 'issue')
        this.server.sessions.keep(this.sessionId, { version, suite: suite.id, master: this.master })
    }
    const { clientChain, verifyData } = this
    this.wire.done({ version, suite, resumed: resumed !== undefined, clientChain, verifyData })
  }

  /** The end of the server's part: ticket, ChangeCipherSpec, Finished. */
  private finish(withTicket: boolean): void {
    const { version, suite } = this.chosen
    if (withTicket) {
      const store = this.server.options.tickets === 'forget' ? new SessionStore() : this.server.sessions
      const ticket = store.sealTicket({ version, suite: suite.id, master: this.master }, this.random)
      this.send('new-session-ticket', ticketBody(ticket))
    }
    this.wire.send('change-cipher-spec', Buffer.from([1]))
    if (this.pending.write !== undefined) this.wire.activate('write', this.pending.write)
    const value = finishedValue(version, suite, this.master, 'server', Buffer.concat(this.transcript))
    this.verifyData.server = value
    this.send('finished', value)
  }
}

/** The chain of a Certificate message that a layer may have altered; undefined where it cannot be read. */
function chainIn(message: Buffer): readonly Buffer[] | undefined {
  try {
    return parseCertificates(message.subarray(4))
  } catch {
    return undefined
  }
}
