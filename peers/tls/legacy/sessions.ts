/**
 * What a server remembers of sessions: by id in a store (RFC 5246 §7.4.1.2), or sealed in a ticket (RFC 5077 §4). One store
 * and one ticket key belong to one server; tickets that another process sealed cannot be opened.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { Cursor, uint16, vector } from './cursor.ts'
import type { RandomOctets } from './protection.ts'

export interface SessionState {
  readonly version: number
  readonly suite: number
  readonly master: Buffer
}

/** Sessions that are kept; the oldest goes first. */
const MOST = 1000
const NONCE = 12
const TAG = 16

export class SessionStore {
  private readonly byId = new Map<string, SessionState>()
  private key: Buffer | undefined

  keep(id: Buffer, state: SessionState): void {
    this.byId.set(id.toString('hex'), state)
    for (const oldest of this.byId.keys()) {
      if (this.byId.size <= MOST) break
      this.byId.delete(oldest)
    }
  }

  find(id: Buffer): SessionState | undefined {
    return this.byId.get(id.toString('hex'))
  }

  /** The ticket for a session. `random` makes the key of this store when it is needed first. */
  sealTicket(state: SessionState, random: RandomOctets): Buffer {
    this.key ??= random(32)
    const nonce = random(NONCE)
    const cipher = createCipheriv('aes-256-gcm', this.key, nonce)
    const plain = Buffer.concat([uint16(state.version, state.suite), vector(1, state.master)])
    return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
  }

  /** Undefined for a ticket that this store has not sealed. */
  openTicket(ticket: Buffer): SessionState | undefined {
    if (this.key === undefined || ticket.length <= NONCE + TAG) return undefined
    const decipher = createDecipheriv('aes-256-gcm', this.key, ticket.subarray(0, NONCE))
    decipher.setAuthTag(ticket.subarray(ticket.length - TAG))
    try {
      const plain = Buffer.concat([decipher.update(ticket.subarray(NONCE, ticket.length - TAG)), decipher.final()])
      const cursor = new Cursor(plain, 'ticket')
      return { version: cursor.number(2), suite: cursor.number(2), master: cursor.vector(1) }
    } catch {
      return undefined
    }
  }
}
