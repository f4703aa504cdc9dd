/**
 * One step at a time: a command goes out, its reply comes in, within its time limit. Commands are never sent while
 * something is pending that nobody asked for. Does no I/O: octets travel over a {@link Wire}.
 */
import type { Presented } from './certificate.ts'
import type { Decisions } from './decisions.ts'
import { Failure, type Stage } from './failure.ts'
import type { Job } from './job.ts'
import { type Reply, ReplyReader } from './replies.ts'

/** TLS is up. */
export interface Secured {
  /** The session that was offered goes on: nothing was presented. */
  readonly resumed: boolean
  readonly presented: Presented
}

/** The connection as a session sees it. Times are milliseconds from now; every promise may reject with a Failure. */
export interface Wire {
  readonly secured: boolean
  /** Resolves when the octets have been handed to the network. */
  send(octets: Buffer, stage: Stage, limitMs: number): Promise<void>
  /** What has arrived and was not read yet, without waiting. */
  arrived(): Buffer
  /** The next octets, at least one. */
  read(stage: Stage, limitMs: number): Promise<Buffer>
  /** Starts TLS and offers the session, where there is one. What arrives from now on belongs to TLS, behind `early`. */
  secure(early: Buffer, limitMs: number, session: Buffer | undefined): Promise<Secured>
  /** Hands over the sessions of this connection that a later one may resume, those that the server gave already at once. */
  keepSessions(keep: (session: Buffer) => void): void
  /** Leaves TLS and keeps the TCP connection. Returns what followed the last TLS record: only a flaw does this. */
  unsecure(): Buffer
  /** Milliseconds since some fixed moment. */
  now(): number
  /** Milliseconds that are left for the whole attempt; may be negative or Infinity. */
  remaining(): number
  note(line: string): void
}

const NOTHING = Buffer.alloc(0)

export class Dialogue {
  readonly #wire: Wire
  readonly #decide: Decisions
  readonly #job: Job
  readonly #reader: ReplyReader

  constructor(wire: Wire, decide: Decisions, job: Job) {
    this.#wire = wire
    this.#decide = decide
    this.#job = job
    this.#reader = new ReplyReader(decide)
  }

  get secured(): boolean {
    return this.#wire.secured
  }

  /** Sends a command and returns its reply. `shown` is what the log gets, where the line holds a secret. */
  async command(stage: Stage, line: string, shown = line): Promise<Reply> {
    await this.send(stage, Buffer.from(`${line}\r\n`, 'latin1'), shown)
    let reply = await this.reply(stage)
    if (stage === 'auth') return reply
    for (const answer of reply.code === 334 ? this.#decide.answerStrayChallenge(this.#job) : []) {
      await this.send(stage, Buffer.from(`${answer}\r\n`, 'latin1'), '(answers the challenge)')
      reply = await this.reply(stage)
    }
    return reply
  }

  /** Sends octets that a reply will answer. */
  async send(stage: Stage, octets: Buffer, shown: string): Promise<void> {
    this.#reader.push(this.#wire.arrived())
    const { pending } = this.#reader
    if (pending.length > 0 && this.#decide.unasked(stage) === 'fail') {
      throw new Failure(
        'protocol',
        stage,
        `nobody asked for ${JSON.stringify(pending.toString('latin1').slice(0, 80))}`,
      )
    }
    this.#wire.note(`C: ${shown}`)
    await this.#wire.send(octets, stage, this.#limit(stage))
  }

  async reply(stage: Stage): Promise<Reply> {
    const begun = this.#wire.now()
    for (;;) {
      const reply = this.#reader.next(stage)
      if (reply !== undefined) {
        this.#wire.note(`S: ${reply.code} ${reply.lines.join(' / ')}`)
        return reply
      }
      const spent = this.#decide.limits === 'reply' ? this.#wire.now() - begun : 0
      this.#reader.push(await this.#read(stage, Math.max(0, this.#limit(stage) - spent)))
    }
  }

  /** Goes over to TLS; what had been received in clear is dealt with first, nothing of it is read inside. */
  async secure(session: Buffer | undefined): Promise<Secured> {
    this.#reader.push(this.#wire.arrived())
    const kept = this.#decide.residue(this.#reader.pending)
    if (kept === 'fail') throw new Failure('protocol', 'handshake', 'octets in clear between the 220 and TLS')
    this.#reader.restart(kept.replies ?? NOTHING)
    return this.#wire.secure(kept.tls ?? NOTHING, this.#limit('handshake'), session)
  }

  /** See {@link Wire.keepSessions}. */
  keepSessions(keep: (session: Buffer) => void): void {
    this.#wire.keepSessions(keep)
  }

  /** Gives TLS up and goes on in clear: only a flaw does this. */
  unsecure(): void {
    this.#wire.unsecure()
    this.#reader.restart(NOTHING)
  }

  async #read(stage: Stage, limitMs: number): Promise<Buffer> {
    try {
      return await this.#wire.read(stage, limitMs)
    } catch (failure) {
      const ended = failure instanceof Failure && failure.kind === 'close-notify'
      if (!ended || this.#decide.afterCloseNotify === 'fail') throw failure
      const rest = this.#wire.unsecure()
      return rest.length > 0 ? rest : this.#wire.read(stage, limitMs)
    }
  }

  #limit(stage: Stage): number {
    return Math.max(0, Math.min(this.#decide.stageLimit(stage, this.#job.timeScale), this.#wire.remaining()))
  }
}
