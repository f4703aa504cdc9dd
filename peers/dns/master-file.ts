/**
 * A zone as a master file (RFC 1035 §5), signed as it is served: for other name servers, and for independent checks.
 */

import type { ResourceRecord } from './message.ts'
import { ROOT } from './name.ts'
import { TYPE, typeText } from './numbers.ts'
import { rdataText } from './rdata-text.ts'
import type { ServedZone } from './served-zone.ts'

/** One record a line, all names absolute, the SOA first. */
export function masterFile(zone: ServedZone): string {
  const records = [...zone.records()].sort((a, b) => Number(b.type === TYPE.SOA) - Number(a.type === TYPE.SOA))
  return `${records.map(recordLine).join('\n')}\n`
}

/** The trust anchor of the zone, as resolvers read it from a file: its DS record. Undefined for an unsigned zone. */
export function trustAnchor({ apex, zone, signer }: ServedZone): string | undefined {
  if (signer === undefined) return undefined
  return recordLine({ name: apex, type: TYPE.DS, class: 1, ttl: zone.ttl, data: signer.ds })
}

/** A record as a line of a master file, its name absolute. */
export function recordLine({ name, type, ttl, data }: ResourceRecord): string {
  return `${name === ROOT ? name : `${name}.`} ${ttl} IN ${typeText(type)} ${rdataText(type, data)}`
}
