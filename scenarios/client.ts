/**
 * What the runner needs from a client under test. Implemented in `harness/clients/`, one file per client; declared here
 * so that scenarios do not depend on the harness.
 *
 * A client is started once per run and policy where it can be, and is given deliveries. A one-shot client (a library, a
 * command) makes one attempt per delivery and reports to its caller; a queueing client (an MTA) accepts the message and
 * goes on by itself, and `retry`, `queue` and `settled` speak of that.
 */
import type { Policy } from './policy.ts'

/** What one policy means to one client. */
export type PolicySupport =
  /** The exact options, settings or calls, as a person would write them; shown in docs and reports. */
  | { readonly options: string }
  /** The client has no such policy, and why (its documentation's words where it has some). */
  | { readonly unsupported: string }

export interface Credentials {
  readonly user: string
  readonly password: string
}

/** One message to deliver. Addresses and texts hold canaries: they go out unaltered. */
export interface Delivery {
  /** `<family>/<id>/<policy>/<client>`: for diagnostics and file names. */
  readonly cell: string
  readonly policy: Policy
  /** The name that certificates are checked against and SNI is made from; never `localhost`. */
  readonly hostName: string
  /** Where {@link hostName} is to be found, without DNS. */
  readonly address: string
  readonly port: number
  /** Envelope sender and recipients. */
  readonly from: string
  readonly to: readonly string[]
  /** RFC 5322 message with CRLF line ends, header and body. */
  readonly message: Buffer
  readonly credentials?: Credentials
  /** PEM file with the only root that the client is to trust. */
  readonly caFile: string
  /** PEM files of a client certificate chain (leaf first) and its key. */
  readonly clientCertificate?: { readonly chainFile: string; readonly keyFile: string }
  /** The client's own words for cipher suites, where a scenario sets them. */
  readonly ciphers?: string
  /** An empty folder for this delivery's files; removed afterwards. */
  readonly folder: string
  /** Divide the client's own timeouts by it, where they can be set. At least 1. */
  readonly timeScale: number
  /** Milliseconds after which the harness ends the client as hung; adapters set the client's timeouts below it. */
  readonly deadlineMs: number
}

/**
 * What the client itself said of a delivery: the second witness. Never used to decide what crossed the wire.
 */
export interface ClientWord {
  /**
   * `delivered`: reported success to its caller. `failed`: reported failure. `queued`: still has it. `bounced`: gave it up
   * for good by itself. `crashed`: died by a signal or an internal error. `hung`: was ended at the deadline.
   * `unsupported`: said by itself that it cannot do this.
   */
  readonly state: 'delivered' | 'failed' | 'queued' | 'bounced' | 'crashed' | 'hung' | 'unsupported'
  /** Its own classification of a failure, where it makes one (an SMTP reply code, a sysexits code 75). */
  readonly kind?: 'temporary' | 'permanent'
  readonly exitCode?: number
  readonly signal?: string
  /** What it says of the channel, where it says anything: a log line "Trusted TLS connection", a property `secure`. */
  readonly claims?: { readonly encrypted?: boolean; readonly verified?: boolean }
  /** Its output and log, at most 64 KiB, oldest dropped. */
  readonly log: readonly string[]
  /** One line for a person: its error message, or what it reported. */
  readonly reason: string
}

/** Whether the client is on this machine. */
export type Probe =
  | { readonly found: true; readonly version: string }
  /** How to get it, as a command or a sentence. */
  | { readonly found: false; readonly install: string }

export interface ClientAdapter {
  /** Its name on the command line and in cell names: `nodemailer`, `curl`. */
  readonly id: string
  /** As its makers write it. */
  readonly name: string
  readonly kind: 'one-shot' | 'queue'
  /** Complete: one entry per policy. `default` says what the client does untouched. */
  readonly policies: Readonly<Record<Policy, PolicySupport>>
  /** The policy that its documentation claims for an untouched configuration, and where it says so. */
  readonly documented: { readonly policy: Exclude<Policy, 'default'>; readonly source: string }
  /** True when it authenticates, given {@link Delivery.credentials}. */
  readonly passwords: boolean
  /** False when it can only be given an address: name-dependent cells are then unsupported. */
  readonly namesPeers: boolean
  probe(): Promise<Probe>
  /** Makes it ready. Rejects with a lab error when it cannot be started. */
  start(): Promise<RunningClient>
}

/**
 * A client that has been started. Deliveries may overlap, those of one cell do not. What the client itself keeps from one to the
 * next (TLS sessions, what a host offered) is kept here; an adapter adds nothing to it and takes nothing away.
 */
export interface RunningClient {
  /**
   * Hands over one message and resolves when the client has made its (first) attempt. Never rejects for anything the
   * client does: crashes and hangs are words. `signal` ends the client and everything it started, at once.
   */
  deliver(delivery: Delivery, signal: AbortSignal): Promise<ClientWord>
  /** Queueing clients: try again now, and resolve after that attempt. */
  retry?(delivery: Delivery, signal: AbortSignal): Promise<ClientWord>
  /** Ends everything that was started; idempotent. */
  stop(): Promise<void>
}
