/**
 * The client's side of the SASL mechanisms that it knows (RFC 4422, RFC 4954 §4): what it says first, and to each challenge.
 * No I/O; a mechanism that has nothing more to say answers undefined, and its caller cancels.
 */
import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto'
import type { Credentials } from '../../../scenarios/client.ts'

/** In the order in which the client takes them, of those that are offered. */
export const MECHANISMS = ['PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-256', 'XOAUTH2'] as const
export type Mechanism = (typeof MECHANISMS)[number]

export interface Exchange {
  /** Sent with the AUTH command (RFC 4954 §4). */
  readonly initial?: string
  /** The answer to a challenge; undefined where the mechanism foresees none. Text is octets as latin1. */
  respond(challenge: string): string | undefined
  /** Whether the server has proven itself as far as the mechanism asks for it. */
  complete(): boolean
}

/** `nonce`: printable, without a comma, never used before (RFC 5802 §5.1). */
export function exchangeOf(mechanism: Mechanism, credentials: Credentials, nonce: string): Exchange {
  const { user, password } = credentials
  switch (mechanism) {
    case 'PLAIN':
      return { initial: `\0${user}\0${password}`, ...answers([]) }
    case 'LOGIN':
      return answers([() => user, () => password])
    case 'CRAM-MD5':
      return answers([
        (challenge) => `${user} ${createHmac('md5', password).update(challenge, 'latin1').digest('hex')}`,
      ])
    case 'XOAUTH2':
      return { initial: `user=${user}\x01auth=Bearer ${password}\x01\x01`, ...answers([]) }
    case 'SCRAM-SHA-256':
      return scram(user, password, nonce)
  }
}

/** One answer after the other. */
function answers(steps: readonly ((challenge: string) => string | undefined)[]): Exchange {
  let step = 0
  return {
    respond: (challenge) => steps[step++]?.(challenge),
    complete: () => true,
  }
}

/** RFC 5802 §3, §5 with SHA-256 (RFC 7677), without channel binding. */
function scram(user: string, password: string, nonce: string): Exchange {
  const bare = `n=${user.replace(/=/g, '=3D').replace(/,/g, '=2C')},r=${nonce}`
  let signature: Buffer | undefined
  let proven = false

  const proof = (first: string): string | undefined => {
    const [, serverNonce, salt, count] = /^r=([^,]+),s=([^,]+),i=(\d{1,7})$/.exec(first) ?? []
    if (serverNonce === undefined || salt === undefined || !serverNonce.startsWith(nonce)) return undefined
    const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(count), 32, 'sha256')
    const final = `c=biws,r=${serverNonce}`
    const signed = `${bare},${first},${final}`
    const clientKey = hmac(salted, 'Client Key')
    const mask = hmac(createHash('sha256').update(clientKey).digest(), signed)
    signature = hmac(hmac(salted, 'Server Key'), signed)
    const shown = Buffer.from(clientKey.map((octet, at) => octet ^ (mask[at] ?? 0)))
    return `${final},p=${shown.toString('base64')}`
  }
  const check = (last: string): string | undefined => {
    const claimed = Buffer.from(/^v=(.+)$/.exec(last)?.[1] ?? '', 'base64')
    proven = signature !== undefined && claimed.length === signature.length && timingSafeEqual(claimed, signature)
    return proven ? '' : undefined
  }
  return { initial: `n,,${bare}`, ...answers([proof, check]), complete: () => proven }
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'latin1').digest()
}
