/** Small event logs of one cell, for the tests of ladders. */
import type { PeerEvent } from '../../peers/events.ts'
import type { CellBegun, LogEvent } from '../../scenarios/events.ts'

/** `Omit` that keeps the members of a union apart. */
type Distribute<Event, Keys extends PropertyKey> = Event extends unknown ? Omit<Event, Keys> : never

/** Builds a log: `at` sets the time of what follows, in milliseconds since the cell began (the cell begins at 5000). */
export class LogBuilder {
  readonly events: LogEvent[] = []
  private readonly cell: string
  private now = 5000

  constructor(cell: string, changes: Partial<CellBegun> = {}) {
    this.cell = cell
    this.add({
      type: 'cell',
      scenario: 'strip/strip-ehlo-omit',
      title: 'EHLO reply without STARTTLS',
      severity: 'critical',
      policy: 'verify',
      judgedAs: 'verify',
      client: 'nodemailer',
      kind: 'one-shot',
      role: 'scenario',
      expected: 'D',
      clause: 'RFC 3207 §4.1',
      asserts: [],
      verbMayWork: false,
      noVerdict: false,
      proof: [],
      domain: 'strip-ehlo-omit.verify.badmx.test',
      hostNames: { mx: 'mx.strip-ehlo-omit.verify.badmx.test' },
      hosts: { mx: { preference: 10, tls: 'starttls' } },
      clock: '2026-01-02T03:04:05.678Z',
      roots: [],
      canaries: [
        { name: 'sender', value: 'sendercanary0001' },
        { name: 'password', value: 'passwordcanary01' },
        { name: 'body', value: 'bodycanary000001' },
      ],
      credentials: true,
      messages: 1,
      timeScale: 1,
      deadlineMs: 60_000,
      reproduce: 'badmx run',
      ...changes,
    })
  }

  at(ms: number): this {
    this.now = 5000 + ms
    return this
  }

  add(event: Distribute<LogEvent, 't' | 'cell'>): this {
    this.events.push({ t: this.now, cell: this.cell, ...event } as LogEvent)
    return this
  }

  open(conn: string, changes: Partial<Extract<PeerEvent, { type: 'conn' }>> = {}): this {
    const local = { address: '127.0.0.1', port: 2525 }
    return this.add({
      ...{ type: 'conn', state: 'open', conn, host: 'mx', local, remote: local, tlsOnConnect: false, ...changes },
    } as Distribute<LogEvent, 't' | 'cell'>)
  }

  close(conn: string): this {
    return this.add({ type: 'conn', state: 'closed', conn, by: 'client', how: 'fin' })
  }

  /** Octets from the client under test; latin1. */
  client(conn: string, text: string, layer: 'tcp' | 'tls' = 'tcp'): this {
    return this.bytes(conn, 'client', 'in', layer, text)
  }

  /** Octets to the client under test; latin1. */
  peer(conn: string, text: string, layer: 'tcp' | 'tls' = 'tcp'): this {
    return this.bytes(conn, 'client', 'out', layer, text)
  }

  bytes(conn: string, side: 'client' | 'upstream', direction: 'in' | 'out', layer: 'tcp' | 'tls', text: string): this {
    return this.add({ type: 'bytes', conn, side, direction, layer, data: Buffer.from(text, 'latin1') })
  }
}
