/**
 * TLS sessions that the client keeps from one connection to the next (RFC 8446 §2.2, RFC 5077), with what the server had
 * shown when they were made: a resumed handshake has no certificate, and whether its peer is to be trusted is decided by the
 * one of then, anew.
 *
 * What always holds for the correct client: a session goes only to the host, and under the policy, that it was made for
 * (RFC 8446 §4.6.1); one whose peer was refused is not kept; one that the server or the handshake refused is not offered again;
 * at TLS 1.3 each is offered once (RFC 8446 appendix C.4).
 */
import type { Presented } from './certificate.ts'
import type { Job } from './job.ts'

export interface KeptSession {
  /** As OpenSSL gives it. */
  readonly session: Buffer
  /** In the full handshake that the session comes from. */
  readonly presented: Presented
}

/** How TLS came up: by a handshake without a session, by one in which the server refused the session, by the session. */
export type Handshake = 'full' | 'refused' | 'resumed'

/** What a session may be offered to. */
export function sessionName({ policy, hostName }: Job): string {
  return `${policy} ${hostName}`
}
