/**
 * How the resolver asks a name server: by octets, with a time limit, over TCP where the answer was truncated, without
 * EDNS where it is refused. The way to the server is {@link Send}: in process, or a socket.
 */
import type { SocketAddress } from '../../events.ts'
import { decodeMessage, encodeMessage, type Message } from '../message.ts'
import { canonical, DnsFormatError } from '../name.ts'
import { RCODE } from '../numbers.ts'
import type { Reply, Transport } from '../sockets.ts'

/** Takes a query for a name server's address; calls back at most once that matters, or never. */
export type Send = (query: Buffer, address: string, transport: Transport, reply: Reply) => void

export interface UpstreamOptions {
  readonly send: Send
  /** Milliseconds that a server has for one answer. */
  readonly patienceMs: number
  /** Told of every query that is sent and every answer that comes. */
  readonly seen: (direction: 'in' | 'out', server: SocketAddress, transport: Transport, data: Buffer) => void
}

export class Upstream {
  private readonly options: UpstreamOptions
  /** Ends each wait for a name server. */
  private readonly waits = new Set<() => void>()
  private lastId = 0
  private isOpen = true

  constructor(options: UpstreamOptions) {
    this.options = options
  }

  /** Ends every wait, and lets nothing more be asked. */
  close(): void {
    this.isOpen = false
    for (const end of this.waits) end()
  }

  /** The answer of one server, whatever its code; undefined where none came that can be read. */
  async ask(query: Message, address: string): Promise<Message | undefined> {
    this.lastId = (this.lastId + 1) & 0xffff
    const numbered = { ...query, id: this.lastId }
    const first = await this.exchange(numbered, address, 'udp')
    const { edns, ...plain } = numbered
    // RFC 6891 §7: a server that does not know EDNS is asked without.
    if (first?.rcode === RCODE.FORMERR && edns !== undefined) return this.exchange(plain, address, 'udp')
    return first?.tc === true ? this.exchange(numbered, address, 'tcp') : first
  }

  private async exchange(query: Message, address: string, transport: Transport): Promise<Message | undefined> {
    const { send, seen, patienceMs } = this.options
    if (!this.isOpen) return undefined
    const server = { address, port: 0 }
    const octets = await new Promise<Buffer | undefined>((resolve) => {
      const end = (data?: Buffer): void => {
        clearTimeout(timer)
        this.waits.delete(end)
        resolve(data)
      }
      const timer = setTimeout(end, patienceMs)
      this.waits.add(end)
      const data = encodeMessage(query)
      seen('out', server, transport, data)
      send(data, address, transport, (what) => end(what === 'close' ? undefined : what))
    })
    if (octets !== undefined) seen('in', server, transport, octets)
    return octets === undefined ? undefined : readResponse(octets, query)
  }
}

/** A response to this very query; anything else is noise. */
function readResponse(octets: Buffer, query: Message): Message | undefined {
  try {
    const response = decodeMessage(octets)
    const [asked, answered] = [query.questions[0], response.questions[0]]
    const isAnswer =
      response.qr &&
      response.id === query.id &&
      // A server that gives up early leaves the question away.
      (answered === undefined
        ? response.rcode !== RCODE.NOERROR
        : asked?.type === answered.type && canonical(asked.name) === canonical(answered.name))
    return isAnswer ? response : undefined
  } catch (error) {
    if (error instanceof DnsFormatError) return undefined
    throw error
  }
}
