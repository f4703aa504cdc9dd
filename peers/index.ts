/** `badmx/peers`: broken mail servers and the man in the middle, for use in programs of your own. */
export type { Behaviour, BehaviourContext, Moment, StackItem } from './behaviour.ts'
export { defineBehaviour, MOMENTS } from './behaviour.ts'
export type { PeerEvent } from './events.ts'
export { decodeEvent, encodeEvent } from './events.ts'
export { ListenError, Listener, type ListenOptions } from './listener.ts'
export {
  type Certificate,
  type Peer,
  type PeerOptions,
  type ProxyOptions,
  peer,
  proxy,
  StackError,
  type TlsOptions,
} from './peer.ts'
export { checkStack, loadBehaviours } from './registry.ts'
export type { Setting } from './wire/settings/settings.ts'
export * from './wire/units.ts'
