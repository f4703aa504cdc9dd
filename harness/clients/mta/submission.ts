/**
 * How messages get into the queue of an MTA: by SMTP, over a few connections that are kept (RFC 5321), in clear on the
 * lab's own loopback. This side of the MTA is not under test.
 */
import { createTransport } from 'nodemailer'

/** Connections kept; each carries one message after the other. */
const CONNECTIONS = 10
/** Milliseconds for any answer of the MTA to its own submitter. */
const LIMIT_MS = 20_000

export interface Envelope {
  readonly from: string
  readonly to: readonly string[]
}

export class Submission {
  private readonly transport: ReturnType<typeof pool>

  constructor(address: string, port: number) {
    this.transport = pool(address, port)
  }

  /** Hands a message over; resolves with the text of the reply to the final dot, in which most MTAs tell the queue's id. */
  async send(envelope: Envelope, message: Buffer): Promise<string> {
    const { response } = await this.transport.sendMail({
      envelope: { from: envelope.from, to: [...envelope.to] },
      raw: message,
    })
    return response
  }

  close(): void {
    this.transport.close()
  }
}

function pool(host: string, port: number) {
  return createTransport({
    pool: true,
    ...{ host, port, name: 'submitter.lab.badmx.test', ignoreTLS: true },
    maxConnections: CONNECTIONS,
    maxMessages: Number.POSITIVE_INFINITY,
    connectionTimeout: LIMIT_MS,
    greetingTimeout: LIMIT_MS,
    socketTimeout: LIMIT_MS,
  })
}
