/**
 * For the tests of the driver: a client that says exactly the octets it is told, reads whole replies, and knows what
 * crossed its socket in each direction. Every wait has a deadline.
 */
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { ReplyParser } from '../wire/framing.ts'

/** Milliseconds of silence after which a test has failed. */
const DEADLINE_MS = 5_000

export class Client {
  readonly socket: Socket
  /** The socket, or TLS on it. */
  private stream: Socket | TLSSocket
  private parser = new ReplyParser()
  private readonly replies: string[] = []
  private readonly heard: Buffer[] = []
  private readonly said: Buffer[] = []
  private wanting: (() => void) | undefined
  private over: Error | undefined

  private constructor(socket: Socket) {
    this.socket = socket
    this.stream = socket
    socket.setNoDelay(true)
    socket.setTimeout(DEADLINE_MS, () => socket.destroy(new Error(`silent for ${DEADLINE_MS} ms`)))
    this.listen()
  }

  /** Connects, and leaves the banner to be read. */
  static async connect(port: number, address = '127.0.0.1', localAddress?: string): Promise<Client> {
    const socket = connectTcp({
      host: address,
      port,
      allowHalfOpen: true,
      ...(localAddress === undefined ? {} : { localAddress }),
    })
    const client = new Client(socket)
    if (socket.connecting) await once(socket, 'connect')
    return client
  }

  /** What came, in clear and inside TLS; TLS itself is not in it. */
  get received(): Buffer {
    return Buffer.concat(this.heard)
  }

  get sent(): Buffer {
    return Buffer.concat(this.said)
  }

  /** Octets as latin1, in one write. */
  send(octets: string | Buffer): void {
    const bytes = typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets
    this.said.push(bytes)
    this.stream.write(bytes)
  }

  /** The next whole reply with its line ends. Rejects when the connection ends first. */
  async reply(): Promise<string> {
    while (this.replies.length === 0) {
      if (this.over !== undefined) throw this.over
      await new Promise<void>((resolve) => {
        this.wanting = resolve
      })
    }
    return this.replies.shift() ?? ''
  }

  /** The code of the reply to a command line. */
  async ask(line: string): Promise<number> {
    this.send(`${line}\r\n`)
    return Number((await this.reply()).slice(0, 3))
  }

  /** Starts TLS; `first` are octets of the handshake that have been sent already. */
  async startTls(options: ConnectionOptions = {}): Promise<TLSSocket> {
    this.unlisten()
    const tls = connectTls({ socket: this.socket, rejectUnauthorized: false, servername: 'mx.badmx.test', ...options })
    tls.setTimeout(DEADLINE_MS, () => tls.destroy(new Error(`silent for ${DEADLINE_MS} ms`)))
    tls.on('error', this.onError)
    tls.on('close', this.onClose)
    await once(tls, 'secureConnect')
    tls.off('error', this.onError)
    tls.off('close', this.onClose)
    this.stream = tls
    this.parser = new ReplyParser()
    this.listen()
    return tls
  }

  /** Banner, EHLO, STARTTLS, TLS. */
  async secure(options: ConnectionOptions = {}): Promise<TLSSocket> {
    await this.reply()
    await this.ask('EHLO client')
    await this.ask('STARTTLS')
    return this.startTls(options)
  }

  /** No more will be sent (FIN, or close_notify inside TLS). */
  finish(): void {
    this.stream.end()
  }

  reset(): void {
    this.socket.resetAndDestroy()
  }

  /** How the peer ended it, when both directions have ended. An RST right behind octets looks like a FIN to Node. */
  async ended(): Promise<'fin' | 'rst'> {
    await this.closed
    return this.broken ? 'rst' : 'fin'
  }

  private broken = false
  private close: () => void = () => {}
  private readonly closed = new Promise<void>((resolve) => {
    this.close = resolve
  })

  private readonly onError = (error: Error): void => {
    this.broken = true
    this.end(error.message)
  }

  private readonly onClose = (): void => {
    this.end('closed')
    this.close()
  }

  private readonly onData = (chunk: Buffer): void => {
    this.heard.push(chunk)
    for (const { bytes } of this.parser.push(chunk)) this.replies.push(bytes.toString('latin1'))
    this.wake()
  }

  private readonly onEnd = (): void => {
    this.end('the peer ended the connection')
    this.stream.end()
  }

  private listen(): void {
    this.stream.on('data', this.onData)
    this.stream.on('end', this.onEnd)
    this.stream.on('error', this.onError)
    this.stream.on('close', this.onClose)
  }

  private unlisten(): void {
    this.stream.off('data', this.onData)
    this.stream.off('end', this.onEnd)
    this.stream.off('close', this.onClose)
  }

  private end(reason: string): void {
    this.over ??= new Error(reason)
    this.wake()
  }

  private wake(): void {
    const wanting = this.wanting
    this.wanting = undefined
    wanting?.()
  }
}
