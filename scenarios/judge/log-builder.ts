/** Builds small event logs for tests: a cell, its attempts, and dialogues told line by line. */
import type { PeerEvent } from '../../peers/events.ts'
import type { ClientWord } from '../client.ts'
import type { CellBegun, CellEnded, LogEvent } from '../events.ts'
import type { Policy } from '../policy.ts'
import type { CellRecord } from '../record.ts'
import { judgeCell } from './cell.ts'

export const CANARIES = {
  sender: 'sendcanary0000aa',
  recipient: 'rcptcanary0000bb',
  subject: 'subjcanary0000cc',
  body: 'bodycanary0000dd',
  user: 'usercanary0000ee',
  password: 'passcanary0000ff',
} as const

export const HOST_NAME = 'mx.cell.may.badmx.test'

/** A message with every canary of its content, dot line included. */
export const MESSAGE = `Subject: ${CANARIES.subject}\r\n\r\n${CANARIES.body}\r\n.\r\n`
export const MAIL = `MAIL FROM:<${CANARIES.sender}@client.badmx.test>\r\n`
export const RCPT = `RCPT TO:<${CANARIES.recipient}@cell.badmx.test>\r\n`

type Distribute<Event, Keys extends PropertyKey> = Event extends unknown ? Omit<Event, Keys> : never
export type Bare = Distribute<PeerEvent, 't' | 'cell'>

export class LogBuilder {
  readonly cell: CellBegun
  readonly events: LogEvent[] = []
  private t = 0

  constructor(given: Partial<CellBegun> = {}) {
    const judgedAs = given.judgedAs ?? 'may'
    this.cell = {
      type: 'cell',
      t: 0,
      cell: given.cell ?? `strip/x/${judgedAs}/client`,
      scenario: 'strip/x',
      title: 'x',
      severity: 'critical',
      policy: given.policy ?? judgedAs,
      judgedAs,
      client: 'client',
      kind: 'one-shot',
      role: 'scenario',
      expected: 'C',
      clause: 'RFC 3207 §6',
      asserts: [],
      verbMayWork: false,
      noVerdict: false,
      proof: [],
      domain: 'cell.badmx.test',
      hostNames: { mx: HOST_NAME },
      hosts: { mx: { preference: 10, tls: 'starttls' } },
      clock: '2026-01-15T12:00:00.000Z',
      roots: [],
      canaries: Object.entries(CANARIES).map(([name, value]) => ({ name, value })),
      credentials: false,
      messages: 1,
      timeScale: 10,
      deadlineMs: 64_000,
      reproduce: 'npx badmx run',
      ...given,
    }
    this.events.push(this.cell)
  }

  /** Lets time pass, in milliseconds. */
  wait(ms: number): this {
    this.t += ms
    return this
  }

  attempt(attempt = 1, cause: 'first' | 'forced' | 'aged' | 'own' = 'first', policy?: Policy): this {
    const under = policy === undefined ? {} : { policy }
    return this.push({ type: 'attempt', state: 'begun', cell: this.cell.cell, attempt, cause, ...under })
  }

  says(state: ClientWord['state'], more: Partial<ClientWord> = {}, attempt = 1): this {
    const word: ClientWord = { state, log: [], reason: state, ...more }
    return this.push({ type: 'client', cell: this.cell.cell, attempt, word })
  }

  /** The harness was late by so many milliseconds. */
  late(ms: number): this {
    return this.push({ type: 'late', ms })
  }

  proof(type: 'armed' | 'opportunity' | 'fired', behaviour: string, detail = '', conn?: string): this {
    return this.push({ type, behaviour, host: 'mx', detail, ...(conn === undefined ? {} : { conn }) })
  }

  conn(conn = 'c1', given: { readonly host?: string; readonly tlsOnConnect?: boolean } = {}): Dialogue {
    const { host = 'mx', tlsOnConnect = false } = given
    const local = { address: '127.0.0.1', port: 25 }
    this.push({ type: 'conn', state: 'open', conn, host, local, remote: { ...local, port: 40_000 }, tlsOnConnect })
    return new Dialogue(this, conn)
  }

  /** The cell is over. */
  done(status: CellEnded['status'] = 'done', reason?: string): this {
    return this.push({ type: 'cell-end', cell: this.cell.cell, status, ...(reason === undefined ? {} : { reason }) })
  }

  push(event: Distribute<LogEvent, 't'>): this {
    this.t += 1
    this.events.push({ cell: this.cell.cell, t: this.t, ...event } as LogEvent)
    return this
  }

  judge(): CellRecord {
    return judgeCell(this.cell, this.events)
  }
}

/** One connection; octets are latin1. In clear until {@link Dialogue.tls}. */
export class Dialogue {
  private readonly log: LogBuilder
  readonly conn: string
  private layer: 'tcp' | 'tls' = 'tcp'

  constructor(log: LogBuilder, conn: string) {
    this.log = log
    this.conn = conn
  }

  /** From the client. */
  c(...texts: readonly string[]): this {
    for (const text of texts) this.bytes('in', text)
    return this
  }

  /** To the client. */
  s(...texts: readonly string[]): this {
    for (const text of texts) this.bytes('out', text)
    return this
  }

  /** Banner, EHLO and its reply with these keywords. */
  greet(...keywords: readonly string[]): this {
    return this.s('220 mx ESMTP\r\n').ehlo(...keywords)
  }

  ehlo(...keywords: readonly string[]): this {
    const lines = ['mx', ...keywords]
    const text = lines.map((line, at) => `250${at < lines.length - 1 ? '-' : ' '}${line}\r\n`).join('')
    return this.c('EHLO client.badmx.test\r\n').s(text)
  }

  starttls(reply = '220 go\r\n'): this {
    return this.c('STARTTLS\r\n').s(reply)
  }

  /** A handshake that succeeds. */
  tls(
    chain: readonly Buffer[] = [],
    given: {
      readonly version?: string
      readonly cipher?: string
      readonly resumed?: boolean
      readonly serverName?: string | undefined
    } = {},
  ): this {
    this.hello('serverName' in given ? { serverName: given.serverName } : {})
    if (chain.length > 0) this.event({ type: 'tls', state: 'presented', conn: this.conn, side: 'client', chain })
    const { version = 'TLSv1.3', cipher = 'TLS_AES_256_GCM_SHA384', resumed = false } = given
    this.event({ type: 'tls', state: 'up', conn: this.conn, side: 'client', version, cipher, resumed, clientChain: [] })
    this.layer = 'tls'
    return this
  }

  /** A handshake that the client refuses. */
  refused(chain: readonly Buffer[], alert?: string): this {
    this.hello()
    this.event({ type: 'tls', state: 'presented', conn: this.conn, side: 'client', chain })
    return this.failed(alert)
  }

  failed(alert?: string): this {
    const reason = alert === undefined ? 'the client closed the connection in the handshake' : `alert ${alert}`
    return this.event({
      type: 'tls',
      state: 'failed',
      conn: this.conn,
      side: 'client',
      reason,
      ...(alert === undefined ? {} : { alert }),
    })
  }

  hello(
    given: {
      readonly format?: 'tls' | 'sslv2'
      readonly serverName?: string | undefined
      readonly versions?: readonly number[]
      readonly extensions?: readonly number[]
    } = {},
  ): this {
    const serverName = 'serverName' in given ? given.serverName : HOST_NAME
    return this.event({
      type: 'tls',
      state: 'hello',
      conn: this.conn,
      side: 'client',
      data: Buffer.from('hello'),
      hello: {
        format: given.format ?? 'tls',
        recordVersion: 0x0301,
        legacyVersion: 0x0303,
        versions: given.versions ?? [0x0304, 0x0303],
        cipherSuites: [],
        ...(serverName === undefined ? {} : { serverName }),
        alpn: [],
        groups: [],
        signatureAlgorithms: [],
        extensions: given.extensions ?? [],
      },
    })
  }

  /** TLS ends, the connection goes on in clear. */
  closeTls(): this {
    this.layer = 'tcp'
    return this.event({ type: 'tls', state: 'closed', conn: this.conn, side: 'client', by: 'peer' })
  }

  /** MAIL to the reply to the final dot, one command at a time. */
  deliver(): this {
    return this.c(MAIL)
      .s('250 ok\r\n')
      .c(RCPT)
      .s('250 ok\r\n')
      .c('DATA\r\n')
      .s('354 go\r\n')
      .c(MESSAGE)
      .s('250 queued\r\n')
  }

  quit(): this {
    return this.c('QUIT\r\n').s('221 bye\r\n').close()
  }

  close(by: 'client' | 'peer' | 'harness' = 'client', how: 'fin' | 'rst' = 'fin'): this {
    return this.event({ type: 'conn', state: 'closed', conn: this.conn, by, how })
  }

  fired(behaviour: string, detail = ''): this {
    this.log.proof('fired', behaviour, detail, this.conn)
    return this
  }

  event(event: Bare): this {
    this.log.push(event as Distribute<LogEvent, 't'>)
    return this
  }

  /** Octets as they come, in the layer of now or another. */
  bytes(direction: 'in' | 'out', text: string | Buffer, layer: 'tcp' | 'tls' = this.layer): this {
    const data = typeof text === 'string' ? Buffer.from(text, 'latin1') : text
    return this.event({ type: 'bytes', conn: this.conn, side: 'client', direction, layer, data })
  }
}
