/** `badmx/peers`: broken mail servers and the man in the middle, for use in programs of your own. */
export type { Behaviour, BehaviourContext, Moment, StackItem } from './behaviour.ts'
export { defineBehaviour, MOMENTS } from './behaviour.ts'
export { FaultError } from './dns/armed-fault.ts'
export { defineFault, type Fault, type FaultItem } from './dns/fault.ts'
export { loadDnsFaults } from './dns/faults.ts'
export { Internet, type InternetOptions } from './dns/internet.ts'
export { masterFile, trustAnchor } from './dns/master-file.ts'
export { decodeMessage, encodeMessage, type Message, type ResourceRecord } from './dns/message.ts'
export { ZoneError } from './dns/name.ts'
export { type Dns, type DnsOptions, startDns } from './dns/start.ts'
export { associationOf, type TlsaParameters, tlsaRecord } from './dns/tlsa.ts'
export { anchorFile, bindAnchorFile } from './dns/trust-anchor.ts'
export { hintsFile, type UnboundOptions, unboundConfiguration } from './dns/unbound-configuration.ts'
export {
  type NameServer,
  record,
  recordFromLine,
  reverseZones,
  type Signing,
  type Zone,
  type ZoneOptions,
  zone,
} from './dns/zone.ts'
export { faultItemSchema, signingSchema, type ZoneData, zoneFromData, zoneSchema } from './dns/zone-data.ts'
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
