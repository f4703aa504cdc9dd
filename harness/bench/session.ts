/**
 * One SMTP session as the load generator does it: one message, one command at a time (RFC 5321 §3.3), STARTTLS on demand
 * (RFC 3207, a full handshake each time). It does no more than it must, so that the server is what is measured.
 */
import { connect, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'

export interface SessionPlan {
  readonly port: number
  readonly starttls: false | ConnectionOptions
  /** Sent after the 354, in pieces of at most {@link PIECE} octets. */
  readonly message: Buffer
}

/** Octets that are handed to the socket at once. */
const PIECE = 64 * 1024

const BEFORE_TLS = ['EHLO bench.badmx.test\r\n', 'STARTTLS\r\n']
const TRANSACTION = [
  'EHLO bench.badmx.test\r\n',
  'MAIL FROM:<a@bench.badmx.test>\r\n',
  'RCPT TO:<b@bench.badmx.test>\r\n',
  'DATA\r\n',
]

/** A message of `octets` octets in lines of 64, ready to be sent: it ends with the dot line. */
export function messageOf(octets: number): Buffer {
  const line = `${'x'.repeat(62)}\r\n`
  const lines = Math.max(1, Math.ceil(octets / line.length))
  return Buffer.from(`Subject: bench\r\n\r\n${line.repeat(lines)}.\r\n`, 'latin1')
}

/** Resolves when the connection is closed. Rejects when a reply is not the expected one, or the connection breaks. */
export function runSession({ port, starttls, message }: SessionPlan): Promise<void> {
  return new Promise((resolve, reject) => {
    const raw = connect({ port, host: '127.0.0.1', noDelay: true })
    let stream: Socket = raw
    const lines = starttls !== false ? [...BEFORE_TLS, ...TRANSACTION] : [...TRANSACTION]
    /** What has been sent last; '' is the connection itself. */
    let sent = ''
    let reply = ''
    const fail = (error: Error): void => {
      reject(error)
      raw.destroy()
    }
    const send = (what: string): void => {
      sent = what
      stream.write(what, 'latin1')
    }
    let at = 0
    const sendMessage = (): void => {
      sent = '.'
      for (let more = true; more && at < message.length; at += PIECE)
        more = stream.write(message.subarray(at, at + PIECE))
      if (at < message.length) stream.once('drain', sendMessage)
    }
    const next = (code: string): void => {
      if (sent === 'QUIT\r\n') {
        stream.end()
        return
      }
      if (code !== (sent === '' || sent === 'STARTTLS\r\n' ? '220' : sent === 'DATA\r\n' ? '354' : '250')) {
        fail(new Error(`${sent.trim() || 'the connection'} was answered with ${code}`))
      } else if (sent === 'STARTTLS\r\n') startTls()
      else if (sent === 'DATA\r\n') sendMessage()
      else send(sent === '.' ? 'QUIT\r\n' : (lines.shift() ?? 'QUIT\r\n'))
    }
    const onData = (chunk: Buffer): void => {
      reply += chunk.toString('latin1')
      if (!reply.endsWith('\r\n')) return
      const last = reply.lastIndexOf('\r\n', reply.length - 3)
      const start = last === -1 ? 0 : last + 2
      if (reply[start + 3] === '-') return
      const code = reply.slice(start, start + 3)
      reply = ''
      next(code)
    }
    const startTls = (): void => {
      raw.off('data', onData)
      stream = connectTls(
        { socket: raw, rejectUnauthorized: false, servername: 'mx.bench.badmx.test', ...(starttls || {}) },
        () => {
          send(lines.shift() ?? '')
        },
      )
      stream.on('data', onData)
      stream.on('error', fail)
    }
    raw.on('data', onData)
    raw.on('error', fail)
    raw.on('close', () => (sent === 'QUIT\r\n' ? resolve() : fail(new Error(`closed after ${sent.trim()}`))))
  })
}
