/**
 * The world of a run in a lab, or on loopback for a client that runs already: an address of its own for each mail host; DNS with a zone for the domain of each cell; and the
 * host of the envelope senders' domain, to which bounces come home.
 *
 * Each host listens by itself. One listener for all of them would do, but accepts one connection each time round the event
 * loop (libuv since 1.46), so that on a busy machine clients waited ten seconds for a banner.
 */
import type { Socket } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { Internet as Zones } from '../../peers/dns/internet.ts'
import { type Dns, startDns } from '../../peers/dns/start.ts'
import { type Zone, zone } from '../../peers/dns/zone.ts'
import { type Host, Listener } from '../../peers/listener.ts'
import type { Ask } from '../../scenarios/client.ts'
import type { LogEvent } from '../../scenarios/events.ts'
import { type Internet, NoPlaceError, type Place } from '../../scenarios/internet.ts'
import type { Issuer } from '../../scenarios/run.ts'
import { askOf } from '../local-internet.ts'
import { listen } from '../wire-tap.ts'
import { type AddressPlan, LAB_NETWORK } from './network.ts'
import { type LabResolver, RESOLVERS, type ResolverName, startUnbound } from './resolver.ts'

/** The domain of envelope senders ({@link envelopeOf}). */
const NOTICE_DOMAIN = 'dsn.badmx.test'
const NOTICE_HOST = `mx.${NOTICE_DOMAIN}`

const NO_IPV6 = 'loopback has one IPv6 address, which is not enough for a mail host of its own; a lab has them'

/** Octets that are kept of a notice. */
const KEPT_NOTICE = 64 * 1024

/** The name server of the zones above those of the cells, so that these are referred to. */
const ABOVE = { name: 'ns.test', address: '198.18.0.1' }
/**
 * The name server of all cells. A resolver keeps what it knows of a server's silence by address and zone: at the address of
 * the root too, where no referral is needed, the silence of one cell's zone would be that of all.
 */
const OF_CELLS = { name: 'ns.badmx.test', address: '198.18.0.2' }

export interface LabInternetOptions {
  readonly addresses: AddressPlan
  readonly log: (event: LogEvent) => void
  /** Milliseconds since the run began, monotonic. */
  readonly now: () => number
  readonly timeScale: number
  readonly issuer: Issuer
  /** Of the run: the keys of the zones are made of it. */
  readonly seed: number
  /** The run's date: signatures are dated relative to it. */
  readonly clock: Date
  /** Whom clients ask; default badmx's own. */
  readonly resolver?: ResolverName
}

export class LabInternet implements Internet {
  private readonly addresses: AddressPlan
  private readonly noticeHost: Listener
  private readonly zones: Zones
  private readonly dns: Dns
  private readonly notices: Notices
  private readonly resolver: LabResolver | undefined
  private hosts = 0

  private constructor(
    addresses: AddressPlan,
    noticeHost: Listener,
    zones: Zones,
    dns: Dns,
    notices: Notices,
    resolver: LabResolver | undefined,
  ) {
    this.addresses = addresses
    this.resolver = resolver
    this.noticeHost = noticeHost
    this.zones = zones
    this.dns = dns
    this.notices = notices
  }

  /**
   * @throws {ListenError} when something else listens there, or this user may not; {UserError} when the resolver does not
   *   start.
   */
  static async open(options: LabInternetOptions): Promise<LabInternet> {
    const { addresses, log, now, timeScale, issuer, seed, clock, resolver = 'embedded' } = options
    const { allowRemote } = addresses
    const settings = RESOLVERS[resolver]
    const { cert, key } = await noticeCertificate(issuer)
    const notices = new Notices(cert, key)
    const address = addresses.host('ipv4', 0) ?? ''
    const noticeHost = await Listener.open({ address, port: 25, allowRemote })
    noticeHost.serve(notices)
    // The domains of cells come and go below it: of NSEC records a resolver would make denials of those to come (RFC 8198).
    const servers = [ABOVE]
    const own = [
      `client.lab A ${LAB_NETWORK.client4}`,
      `client.lab AAAA ${LAB_NETWORK.client6}`,
      `dsn MX 10 ${NOTICE_HOST}.`,
      `mx.dsn A ${address}`,
      `ns A ${OF_CELLS.address}`,
    ]
    const zones = await Zones.create(
      [
        zone('.', [], { servers }),
        zone('test', [], { servers }),
        zone('badmx.test', own, { servers, signing: { nsec3: {} } }),
        zone('113.0.203.in-addr.arpa', [`2 PTR ${LAB_NETWORK.hostname}.`]),
      ],
      { seed, clock, nameServer: OF_CELLS },
    )
    let dns: Dns | undefined
    try {
      dns = await startDns({
        internet: zones,
        ...(settings === undefined
          ? { resolver: [{ address: addresses.resolver, port: 53 }] }
          : { resolver: [], authority: { port: 53 } }),
        allowRemote,
        ...{ log, now, timeScale },
      })
      const unbound = settings === undefined ? undefined : await startUnbound({ internet: zones, settings, log, now })
      return new LabInternet(addresses, noticeHost, zones, dns, notices, unbound)
    } catch (error) {
      await dns?.close()
      await noticeHost.close()
      throw error
    }
  }

  place(family: 'ipv4' | 'ipv6', port: 25 | 465): Place {
    const { addresses } = this
    this.hosts += 1
    const address = addresses.host(family, this.hosts)
    if (address === undefined) throw new NoPlaceError(NO_IPV6)
    return { address, port, allowRemote: addresses.allowRemote }
  }

  publish(zones: readonly Zone[]): void {
    for (const each of zones) this.zones.put(each)
  }

  readonly ask: Ask = (name, type) => askOf(this.dns, name, type)

  notice(sender: string, limitMs: number, signal: AbortSignal): Promise<Buffer | undefined> {
    return this.notices.take(sender, limitMs, signal)
  }

  onNotice(sender: string, hear: (notice: Buffer) => void): () => void {
    return this.notices.watch(sender, hear)
  }

  async close(): Promise<void> {
    await this.resolver?.close()
    await this.dns.close()
    await this.noticeHost.close()
  }
}

async function noticeCertificate(issuer: Issuer): Promise<{ readonly cert: string; readonly key: string }> {
  const { certPem, keyPem } = await issuer.issue('good', { host: NOTICE_HOST, domain: NOTICE_DOMAIN })
  return { cert: certPem, key: keyPem }
}

/**
 * The sound mail host of the senders' domain. It is no part of any scenario: what comes here is what clients send back to
 * the senders of messages, and it is kept until it is asked for.
 */
class Notices implements Host {
  private readonly server: SMTPServer
  private readonly kept = new Map<string, Buffer>()
  private readonly waiting = new Map<string, (notice: Buffer) => void>()
  private readonly watching = new Map<string, Set<(notice: Buffer) => void>>()

  constructor(cert: string, key: string) {
    this.server = new SMTPServer({
      ...{ name: NOTICE_HOST, cert, key, disableReverseLookup: true, authOptional: true, logger: false },
      onData: (stream, session, done) => {
        const chunks: Buffer[] = []
        let size = 0
        stream.on('data', (chunk: Buffer) => {
          if (size < KEPT_NOTICE) chunks.push(chunk)
          size += chunk.length
        })
        stream.on('end', () => {
          const notice = Buffer.concat(chunks).subarray(0, KEPT_NOTICE)
          for (const { address } of session.envelope.rcptTo) this.came(address.toLowerCase(), notice)
          done(null)
        })
      },
    })
    this.server.on('error', () => {})
  }

  accept(socket: Socket): void {
    // smtp-server does not answer a client's FIN by itself.
    socket.allowHalfOpen = false
    this.server.server.emit('connection', socket)
  }

  close(): void {
    for (const connection of this.server.connections) connection.close()
  }

  private came(recipient: string, notice: Buffer): void {
    const waiting = this.waiting.get(recipient)
    if (waiting === undefined) this.kept.set(recipient, notice)
    else waiting(notice)
    for (const hear of this.watching.get(recipient) ?? []) hear(notice)
  }

  watch(recipient: string, hear: (notice: Buffer) => void): () => void {
    const key = recipient.toLowerCase()
    const kept = this.kept.get(key)
    if (kept !== undefined) hear(kept)
    return listen(this.watching, key, hear)
  }

  take(recipient: string, limitMs: number, signal: AbortSignal): Promise<Buffer | undefined> {
    const key = recipient.toLowerCase()
    const kept = this.kept.get(key)
    this.kept.delete(key)
    if (kept !== undefined || signal.aborted) return Promise.resolve(kept)
    return new Promise((resolve) => {
      const end = (notice?: Buffer): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        this.waiting.delete(key)
        resolve(notice)
      }
      const onAbort = (): void => end()
      const timer = setTimeout(end, limitMs)
      signal.addEventListener('abort', onAbort)
      this.waiting.set(key, end)
    })
  }
}
