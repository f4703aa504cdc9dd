/**
 * What the runner needs from a client under test. Implemented in `harness/clients/`, one file per client; declared here
 * so that scenarios do not depend on the harness.
 *
 * A client is started once per run and policy where it can be, and is given deliveries. A one-shot client (a library, a
 * command) makes one attempt per delivery and reports to its caller; a queueing client (an MTA) accepts the message and
 * keeps it in a queue, and `retry` and `forget` speak of that.
 */
import type { Policy } from './policy.ts'
import type { Wire } from './wire.ts'

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

/** What a validating resolver answered. */
export interface DnsAnswer {
  /** RFC 1035 §4.1.1: 0 no error, 2 the resolver has failed or found it bogus, 3 there is no such name. */
  readonly rcode: number
  /** The AD bit (RFC 4035 §3.2.3). */
  readonly secure: boolean
  /** The answer section, aliases first; data in presentation form. */
  readonly records: readonly { readonly name: string; readonly type: string; readonly data: string }[]
}

export type Ask = (name: string, type: 'A' | 'AAAA' | 'CNAME' | 'MX' | 'TLSA') => Promise<DnsAnswer>

/** A mail host of the recipient's domain, as DNS tells it. */
export interface MailHost {
  readonly name: string
  /** Of its MX record; absent where the domain has none and the host is its address record (RFC 5321 §5.1). */
  readonly preference?: number
  readonly address: string
  readonly port: number
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
  /** All hosts of the domain as they are now, in no order; the three fields above are the first of them as the cell began. For clients without a resolver. */
  readonly hosts: readonly MailHost[]
  /** The resolver of the run, for clients in this process; absent where the run has no DNS. */
  readonly ask?: Ask
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
  /** The domain, the recipient's or another, for which it is to go without DANE, as under `may`. */
  readonly withoutDane?: string
  /** An empty folder for this delivery's files; removed afterwards. */
  readonly folder: string
  /** Divide the client's own timeouts by it, where they can be set. At least 1. */
  readonly timeScale: number
  /** Milliseconds after which the harness ends the client as hung; adapters set the client's timeouts below it. */
  readonly deadlineMs: number
}

/** What a client may be waiting for (RFC 5321 §4.5.3.2): a reply to a command is `command`, unless named. */
export type WaitPhase = 'connect' | 'banner' | 'command' | 'handshake' | 'data' | 'block' | 'dot'

/** Limits of a client that nobody can set. */
export interface OwnLimits {
  /** By wait, in seconds of the machine's time; `none` where it waits for ever. Waits whose limit was set are not in it. */
  readonly seconds: Readonly<Partial<Record<WaitPhase, number | 'none'>>>
  /** Where its source says so. */
  readonly source: string
}

/**
 * What the client itself said of a delivery: the second witness. Never used to decide what crossed the wire.
 */
export interface ClientWord {
  /**
   * `delivered`: reported success to its caller. `failed`: reported failure. `queued`: still has it. `bounced`: gave it up
   * for good by itself. `crashed`: died by a signal or an internal error. `hung`: was ended at the deadline.
   * `unsupported`: said by itself that it cannot do this. `unknown`: it cannot be asked, and the wire does not tell.
   */
  readonly state: 'delivered' | 'failed' | 'queued' | 'bounced' | 'crashed' | 'hung' | 'unsupported' | 'unknown'
  /** Its own classification of a failure, where it makes one (an SMTP reply code, a sysexits code 75). */
  readonly kind?: 'temporary' | 'permanent'
  readonly exitCode?: number
  readonly signal?: string
  /** What it says of the channel, where it says anything: a log line "Trusted TLS connection", a property `secure`. */
  readonly claims?: { readonly encrypted?: boolean; readonly verified?: boolean }
  /** Clients with a queue: the age of the message in seconds at this attempt, on the client's clock, where it is known. */
  readonly ageSeconds?: number
  /** A fast clock was moved past looks of the client at its queue: it may have come up to so many seconds earlier, and more often. */
  readonly coarseSeconds?: number
  /** Of one that was ended at the deadline, where its limits could not be made shorter than that. */
  readonly limits?: OwnLimits
  /** Its output and log, at most 64 KiB, oldest dropped. */
  readonly log: readonly string[]
  /** When badmx had read each line of {@link log}, `performance.now()`; in the event log it stands beside the word (`logAt`). */
  readonly heard?: readonly number[]
  /** One line for a person: its error message, or what it reported. */
  readonly reason: string
}

/** What a client will be given, known before it starts: MTAs keep their settings by domain. */
export interface Foreseen
  extends Pick<Delivery, 'cell' | 'policy' | 'credentials' | 'clientCertificate' | 'ciphers' | 'withoutDane'> {
  /** The recipient's domain. */
  readonly domain: string
  /** It will be left to its own schedule for so many seconds of its clock: nothing of its retries may be configured. */
  readonly horizonSeconds?: number
}

/** What a client is started for. */
export interface ClientStage {
  readonly foreseen: readonly Foreseen[]
  readonly caFile: string
  readonly timeScale: number
  readonly deadlineMs: number
  /** An empty folder of its own, removed after the run. */
  readonly folder: string
  /** Clients of a lab: a `make install DESTDIR=…` tree of the user's own build, laid over what the distribution has. */
  readonly overlay?: string
  /** Clients of a lab: what the user adds to the client's own configuration, in its language. */
  readonly settings?: string
  /** For clients that say nothing themselves. */
  readonly wire?: Wire
}

/**
 * The client has ended, or stood still, with deliveries of several cells in its hands: which of them did it, nobody knows, and
 * nothing more can be said of this one. A try of the cell alone ({@link RunningClient.alone}) tells.
 */
export class SpoiltError extends Error {
  override readonly name = 'SpoiltError'
}

/** How a queueing client is made to try again: at once, or when the message is so old that the client may go clear. */
export type RetryCause = 'forced' | 'aged'

/** Whether the client is on this machine. */
export type Probe =
  | {
      readonly found: true
      readonly version: string
      /** Of a client of the lab: the distribution's release. */
      readonly release?: string
    }
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
  /** It can be told to go without DANE for one domain, by {@link Delivery.withoutDane}. */
  readonly exceptions?: true
  /** False when it can only be given an address: name-dependent cells are then unsupported. */
  readonly namesPeers: boolean
  probe(): Promise<Probe>
  /** It runs in a lab, and only there: an MTA, whose DNS, clock and port 25 are the lab's. */
  readonly inLab?: boolean
  /** It runs already, and finds its hosts by DNS: it needs a resolver that it can ask, and hosts on the well-known port. */
  readonly resolves?: boolean
  /** Makes it ready, for what is foreseen. Rejects with a lab error when it cannot be started. */
  start(stage?: ClientStage): Promise<RunningClient>
}

/**
 * A client that has been started. Deliveries may overlap, those of one cell do not. What the client itself keeps from one to the
 * next (TLS sessions, what a host offered) is kept here; an adapter adds nothing to it and takes nothing away.
 */
export interface RunningClient {
  /**
   * Hands over one message and resolves when the client has made its (first) attempt. Never rejects for anything the
   * client does: crashes and hangs are words. `signal` ends the client and everything it started, at once.
   *
   * @throws {SpoiltError} here and where else a message is waited for
   */
  deliver(delivery: Delivery, signal: AbortSignal): Promise<ClientWord>
  /** Queueing clients: milliseconds until a message is so old that the client may take another way with it. */
  agesInMs?(delivery: Delivery): number
  /** Queueing clients: try a message again that is still in the queue, and resolve after that attempt. */
  retry?(delivery: Delivery, signal: AbortSignal): Promise<ClientWord>
  /**
   * Queueing clients whose clock can be made fast: the message is left to the client's own schedule. Moves the clock on to
   * the next attempt that the client makes of itself and resolves with what it says after it, or when the message is
   * `horizonSeconds` old. The word has `ageSeconds` in any case.
   */
  wait?(delivery: Delivery, horizonSeconds: number, signal: AbortSignal): Promise<ClientWord>
  /** Queueing clients: the cell is over, the message is taken out of the queue. */
  forget?(delivery: Delivery): Promise<void>
  /**
   * Starts another of itself that has this cell only: nothing is in its queue, and nothing is known to it of what the first
   * has done. Present where deliveries can spoil each other.
   */
  alone?(foreseen: Foreseen): Promise<RunningClient>
  /** As the program itself says it, where that is known only when it runs. */
  readonly version?: string
  /** The settings that it runs with, as a person would read them in its files; for the report. */
  readonly configuration?: string
  /** Ends everything that was started; idempotent. */
  stop(): Promise<void>
}
