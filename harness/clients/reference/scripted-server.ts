/**
 * Test only: a mail server that follows a script, so that each flaw meets exactly the server that it is wrong about.
 * What a script does not say is answered as a sound server would; everything that the client sends is kept.
 */
import { createServer, type Socket } from 'node:net'
import { createSecureContext, createServer as createTlsServer, TLSSocket } from 'node:tls'
import type { Test as Tap } from 'tap'

/** What a script can do with a connection, in answer to a command or at its start. */
export interface Talk {
  /** 1 for the first connection of the server. */
  readonly visit: number
  readonly secured: boolean
  write(text: string): void
  /** Starts TLS and is silent; the caller has answered already. */
  startTls(): void
  /** Goes on in clear with `text` when the client's TLS arrives; TLS records are thrown away. */
  answerTlsWith(text: string): void
  end(): void
  reset(): void
}

type Answer = string | ((talk: Talk, line: string) => void)

export interface Script {
  /** By verb, `banner`, `dot` for the final dot, and `'*'` for any other line. A text is sent as it is. */
  readonly clear?: Readonly<Record<string, Answer>>
  readonly tls?: Readonly<Record<string, Answer>>
  readonly identity?: Identity
  readonly onConnect?: 'tls'
}

export interface Identity {
  readonly certPem: string
  readonly keyPem: string
  readonly ocspResponse?: Buffer
  /** OpenSSL presents it at security level 0 alone. */
  readonly weak?: true
}

export interface Seen {
  readonly port: number
  /** `<visit> <clear|tls> <line>`, with `(message)` for a message and `(too early)` for what follows STARTTLS at once. */
  readonly lines: string[]
  readonly messages: Buffer[]
  /** All connections are over. */
  quiet(): Promise<void>
}

const SOUND: Readonly<Record<string, Answer>> = {
  banner: '220 mx.badmx.test ESMTP\r\n',
  EHLO: (talk) => talk.write(`250-mx.badmx.test\r\n${talk.secured ? '' : '250-STARTTLS\r\n'}250 SIZE 1000000\r\n`),
  HELO: '250 mx.badmx.test\r\n',
  MAIL: '250 ok\r\n',
  RCPT: '250 ok\r\n',
  DATA: '354 go\r\n',
  dot: '250 queued\r\n',
  NOOP: '250 ok\r\n',
  QUIT: (talk) => {
    talk.write('221 bye\r\n')
    talk.end()
  },
  STARTTLS: (talk) => {
    if (talk.secured) return talk.write('503 already\r\n')
    talk.write('220 go\r\n')
    talk.startTls()
  },
  '*': '500 what?\r\n',
}

export async function scriptedServer(t: Tap, script: Script): Promise<Seen> {
  const lines: string[] = []
  const messages: Buffer[] = []
  const open = new Set<Socket>()
  let visits = 0
  let notify = () => {}
  const server = createServer((socket) => {
    visits += 1
    open.add(socket)
    socket.on('close', () => {
      open.delete(socket)
      if (open.size === 0) notify()
    })
    follow(socket, script, visits, (line) => lines.push(line), messages)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  t.teardown(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('no port')
  return {
    port: address.port,
    lines,
    messages,
    quiet: () =>
      open.size === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            notify = resolve
          }),
  }
}

function follow(raw: Socket, script: Script, visit: number, see: (line: string) => void, messages: Buffer[]): void {
  let stream: Socket = raw
  let buffer = ''
  let content: string | undefined
  let instead: string | undefined
  raw.on('error', () => {})

  const talk: Talk = {
    visit,
    get secured() {
      return stream !== raw
    },
    write: (text) => stream.write(text, 'latin1'),
    end: () => stream.end(),
    reset: () => raw.resetAndDestroy(),
    startTls: () => {
      raw.removeListener('data', onData)
      if (buffer !== '') see(`${visit} clear (too early) ${buffer}`)
      buffer = ''
      stream = secure(raw, script.identity)
      stream.on('data', onData)
    },
    answerTlsWith: (text) => {
      instead = text
    },
  }
  const answer = (verb: string, line: string): void => {
    const table = talk.secured ? script.tls : script.clear
    const found = table?.[verb] ?? SOUND[verb] ?? table?.['*'] ?? SOUND['*']
    if (typeof found === 'function') found(talk, line)
    else if (found !== undefined) talk.write(found)
  }
  const where = () => (talk.secured ? 'tls' : 'clear')
  const takeLine = (line: string): void => {
    if (content !== undefined && line !== '.') {
      content += `${line.replace(/^\./, '')}\r\n`
      return
    }
    if (content !== undefined) {
      messages.push(Buffer.from(content, 'latin1'))
      content = undefined
      see(`${visit} ${where()} (message)`)
      answer('dot', line)
      return
    }
    see(`${visit} ${where()} ${line}`)
    const verb = line.split(' ')[0]?.toUpperCase() ?? ''
    if (verb === 'DATA') content = ''
    answer(verb, line)
  }
  function onData(octets: Buffer): void {
    buffer += octets.toString('latin1')
    for (let line = nextLine(); line !== undefined; line = nextLine()) takeLine(line)
  }
  function nextLine(): string | undefined {
    buffer = withoutRecords(buffer, () => {
      if (instead !== undefined) talk.write(instead)
      instead = undefined
    })
    const end = buffer.indexOf('\r\n')
    if (end < 0) return undefined
    const line = buffer.slice(0, end)
    buffer = buffer.slice(end + 2)
    return line
  }
  raw.on('data', onData)
  if (script.onConnect === 'tls') {
    talk.startTls()
    stream.once('secure', () => answer('banner', ''))
  } else answer('banner', '')
}

/** Throws TLS records away that stand where a line should begin. */
function withoutRecords(text: string, found: () => void): string {
  const [type, version] = [text.charCodeAt(0), text.charCodeAt(1)]
  if (text.length < 5 || type < 20 || type > 23 || version !== 3) return text
  found()
  return withoutRecords(text.slice(5 + text.charCodeAt(3) * 256 + text.charCodeAt(4)), found)
}

function secure(raw: Socket, identity: Identity | undefined): TLSSocket {
  if (identity === undefined) throw new TypeError('the script starts TLS and has no identity')
  const { certPem, keyPem, ocspResponse, weak } = identity
  // Never listens: Node asks a server object for the staple.
  const stapler = createTlsServer()
  if (ocspResponse !== undefined) stapler.on('OCSPRequest', (_certificate, _issuer, done) => done(null, ocspResponse))
  const level0 = weak === undefined ? {} : { ciphers: 'DEFAULT@SECLEVEL=0' }
  const context = createSecureContext({ cert: certPem, key: keyPem, ...level0 })
  const socket = new TLSSocket(raw, { isServer: true, server: stapler, secureContext: context })
  socket.on('error', () => {})
  return socket
}
