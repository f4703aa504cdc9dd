/**
 * The settings of a host as proof: versions, suites, the request for a client certificate, the EHLO keywords. What a peer is
 * told to be is no behaviour, and is yet what some scenarios are about; each setting records by itself, as behaviours do,
 * that it was in place, that the client came to it, and that it decided what left.
 *
 * They are layers that let everything pass, nearest to the client, so that they see what really leaves. Pure.
 */
import type { HelloSeen } from '../../events.ts'
import { readClientHello } from '../../tls/client-hello.ts'
import { type ClearPart, HANDSHAKE, HandshakeReader, readServerHello, type ServerHello } from '../../tls/handshake.ts'
import { passUnits } from '../termination.ts'
import type { Layer, WireOutput } from '../units.ts'
import { type Proof, type Seen, TLS_SETTINGS } from './tls-settings.ts'

export type Setting = keyof typeof TLS_SETTINGS | 'extensions' | 'extensions:before-tls' | 'extensions:after-tls'

/** On which plane the setting can be seen. */
export function planeOf(setting: Setting): 'record' | 'smtp' {
  return setting in TLS_SETTINGS ? 'record' : 'smtp'
}

/** The layer that records the proof of one setting of one connection. */
export function watchSetting(setting: Setting): Layer {
  if (setting === 'extensions') return watchExtensions([false, true])
  if (setting === 'extensions:before-tls') return watchExtensions([false])
  if (setting === 'extensions:after-tls') return watchExtensions([true])
  return watchTls(TLS_SETTINGS[setting])
}

/** EHLO came, and its reply left with the keywords of the setting; inside TLS or in clear, or either. */
function watchExtensions(secured: readonly boolean[]): Layer {
  const asked = new Set<number>()
  const where = (event: { readonly secured: boolean }): string => (event.secured ? 'inside TLS' : 'in clear')
  return {
    on(event) {
      if (event.type === 'command' && event.verb === 'EHLO' && secured.includes(event.secured)) {
        asked.add(event.id)
        return [{ type: 'opportunity', detail: `EHLO ${where(event)}` }, event]
      }
      if (event.type === 'reply' && event.id !== null && event.code === 250 && asked.delete(event.id))
        return [{ type: 'fired', detail: `the reply to EHLO ${where(event)} has its keywords` }, event]
      return passUnits(event)
    },
  }
}

function watchTls(prove: (seen: Seen) => Proof): Layer {
  /** What the client has sent since the host last spoke: when a hello is announced, that hello. */
  let latest: Buffer = Buffer.alloc(0)
  let handshake: Handshake | undefined
  return {
    on(event) {
      if (event.type === 'tls' && event.end === 'client') {
        // The handshake goes on, and what proves the setting may still be to come.
        if (event.state === 'presented') return []
        const reading = event.state === 'hello' ? readClientHello(latest) : undefined
        handshake = reading?.state === 'hello' ? new Handshake(reading.hello, prove) : undefined
        return handshake?.proofs() ?? []
      }
      if (event.type === 'bytes') {
        if (event.from === 'server') latest = Buffer.alloc(0)
        else if (latest.length < LONGEST_HELLO) latest = Buffer.concat([latest, event.bytes])
        if (event.from === 'server' && handshake !== undefined) return [...handshake.left(event.bytes), event]
      }
      return passUnits(event)
    },
  }
}

/** One handshake, and what has been said of it. */
class Handshake {
  private readonly reader = new HandshakeReader()
  private readonly hello: HelloSeen
  private readonly prove: (seen: Seen) => Proof
  private readonly sent = new Map<number, Buffer>()
  private serverHello: ServerHello | undefined
  private alert: number | undefined
  private encrypted = false
  private readonly said = new Set<'opportunity' | 'fired'>()

  constructor(hello: HelloSeen, prove: (seen: Seen) => Proof) {
    this.hello = hello
    this.prove = prove
  }

  /** What these octets of the host prove. */
  left(octets: Buffer): WireOutput[] {
    if (this.said.has('fired')) return []
    return this.reader.push(octets).flatMap((part) => {
      this.note(part)
      return this.proofs()
    })
  }

  private note(part: ClearPart): void {
    if (part.kind === 'encrypted') this.encrypted = true
    else if (part.kind === 'alert' && part.level === FATAL) this.alert ??= part.description
    else if (part.kind === 'message') {
      this.sent.set(part.type, part.body)
      if (part.type === HANDSHAKE.serverHello) this.serverHello = readServerHello(part.body)
    }
  }

  proofs(): WireOutput[] {
    const { hello, serverHello, alert, sent, encrypted } = this
    const seen: Seen = {
      hello,
      sent,
      encrypted,
      ...(serverHello === undefined ? {} : { serverHello }),
      ...(alert === undefined ? {} : { alert }),
    }
    const proof = this.prove(seen)
    return (['opportunity', 'fired'] as const).flatMap((type) => {
      const detail = proof[type]
      if (detail === undefined || this.said.has(type)) return []
      this.said.add(type)
      return [{ type, detail }]
    })
  }
}

const FATAL = 2
/** Octets of the client that are kept: more than the longest ClientHello that is read. */
const LONGEST_HELLO = 128 * 1024
