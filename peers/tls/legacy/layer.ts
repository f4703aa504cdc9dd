/**
 * The plane `tls`: layers between the legacy engine and its records, which alter, add, keep back or break off what a sound
 * server would send, before it is encrypted. Pure, as all layers: a unit that is returned goes on, one that is not is dropped.
 *
 * What the engine puts into its own transcript is what left, so that an altered message is wrong in itself and not only at
 * Finished: a client that completes such a handshake has not looked at the message.
 */
import type { ClientHello } from './client-hello.ts'
import type { AlertName, MessageName } from './protocol.ts'

/** The ClientHello as the server will read it. */
export interface HelloUnit {
  readonly type: 'hello'
  readonly hello: ClientHello
}

/** The 32 octets of the ServerHello's random, before anything is signed. */
export interface RandomUnit {
  readonly type: 'server-random'
  readonly bytes: Buffer
}

/** A handshake message with its header, or ChangeCipherSpec (one octet), in clear. */
export interface MessageUnit {
  readonly type: 'message'
  readonly from: 'client' | 'server'
  readonly name: MessageName
  readonly bytes: Buffer
}

/** A record of the server as it goes out. */
export interface RecordUnit {
  readonly type: 'record'
  /** The content type, RFC 5246 §6.2.1. */
  readonly content: number
  /** Header and protected fragment; a layer may append what does not belong there. */
  readonly bytes: Buffer
  /** Octets of padding in it, length octet included; 0 where the cipher pads nothing. */
  readonly padding: number
  /** Block size of the cipher, 0 for none. */
  readonly block: number
}

/** There is no version or suite in common: the server is about to refuse with this alert. */
export interface RefusalUnit {
  readonly type: 'refusal'
  readonly alert: AlertName
  readonly reason: string
}

export type TlsUnit = HelloUnit | RandomUnit | MessageUnit | RecordUnit | RefusalUnit

/** Told after the fact: a message has left, or the server has read one; the (first) handshake is over. */
export interface PastEvent {
  readonly type: 'past'
  readonly from: 'client' | 'server'
  readonly name: MessageName
}
export interface UpEvent {
  readonly type: 'up'
}

export type TlsEvent = TlsUnit | PastEvent | UpEvent

export type TlsOutput =
  | TlsUnit
  /** As they are on the wire, in no record of ours. */
  | { readonly type: 'octets'; readonly bytes: Buffer }
  /** A record of any content, protected as it should be. */
  | { readonly type: 'content'; readonly content: number; readonly bytes: Buffer }
  | { readonly type: 'alert'; readonly level: 'warning' | 'fatal'; readonly alert: AlertName | number }
  /** Ask the client to begin again, RFC 5246 §7.4.1.1. */
  | { readonly type: 'hello-request' }
  /** Nothing more is sent, and nothing read. */
  | { readonly type: 'end'; readonly how: 'fin' | 'rst' | 'stall' }
  | { readonly type: 'opportunity' | 'fired'; readonly detail: string }

export interface TlsLayer {
  on(event: TlsEvent): readonly TlsOutput[]
}

/** Lets units pass; an event that does not travel is over. */
export function passTls(event: TlsEvent): readonly TlsOutput[] {
  return event.type === 'past' || event.type === 'up' ? [] : [event]
}
