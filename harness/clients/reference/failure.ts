/**
 * How a delivery of the reference client ends when it does not succeed: one error type, whose kind decides what the
 * client may do next. Anything else that is thrown is a defect of the client itself and counts as a crash.
 */

/** The steps of a session, in order; each has a time limit of its own (RFC 5321 §4.5.3.2). */
export type Stage =
  | 'connect'
  | 'handshake'
  | 'banner'
  | 'ehlo'
  | 'starttls'
  | 'auth'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'block'
  | 'dot'
  | 'quit'

export type FailureKind =
  /** The peer answered in order, and said no. */
  | 'refused'
  /** TLS was required, and is not offered or was refused. */
  | 'no-tls'
  /** A password was configured, and there is no safe way to use it. */
  | 'no-auth'
  /** What arrived is not what RFC 5321 allows here. */
  | 'protocol'
  | 'handshake'
  | 'certificate'
  /** The peer ended TLS in order, and kept the TCP connection. */
  | 'close-notify'
  | 'lost'
  | 'timeout'
  /** The caller's signal. */
  | 'aborted'
  | 'unsupported'
  /** The resolver has failed, or found the answer bogus. */
  | 'dns'

/** Kinds after which the dialogue is still in step, so that QUIT makes sense (RFC 5321 §4.1.1.10). */
const IN_STEP: ReadonlySet<FailureKind> = new Set(['refused', 'no-tls', 'no-auth'])

export class Failure extends Error {
  readonly kind: FailureKind
  readonly stage: Stage
  /** The reply code that refused, where there was one. */
  readonly code: number | undefined

  constructor(kind: FailureKind, stage: Stage, message: string, code?: number) {
    super(message)
    this.name = 'Failure'
    this.kind = kind
    this.stage = stage
    this.code = code
  }

  get inStep(): boolean {
    return IN_STEP.has(this.kind)
  }

  /** A 5yz reply of the mail transaction itself; everything about TLS may be better tomorrow (RFC 5321 §4.2.1). */
  get permanent(): boolean {
    return this.kind === 'refused' && this.stage !== 'starttls' && this.code !== undefined && this.code >= 500
  }

  /** TLS was not offered, was refused, or did not come up as required. */
  get concernsTls(): boolean {
    if (this.kind === 'no-tls' || this.kind === 'handshake' || this.kind === 'certificate') return true
    return (this.stage === 'starttls' || this.stage === 'handshake') && this.kind !== 'aborted'
  }
}

/** A defect that a flaw pretends: no {@link Failure}, so that nobody handles it. */
export class Crash extends Error {}
