/** DNS messages as events of the log. */
import type { DnsCrossed } from '../events.ts'
import { decodeMessage, extendedErrors } from './message.ts'

type Crossing = Omit<DnsCrossed, 'type' | 'cell' | 'ad' | 'ede'> & { readonly cell: string | undefined }

/** The octets are copied: sockets and writers use theirs again. AD and extended errors are read out of answers. */
export function dnsEvent({ cell, data, ...crossing }: Crossing): DnsCrossed {
  return {
    type: 'dns',
    ...crossing,
    ...(cell === undefined ? {} : { cell }),
    data: Buffer.from(data),
    ...(crossing.direction === 'out' ? seen(data) : {}),
  }
}

function seen(data: Buffer): Pick<DnsCrossed, 'ad' | 'ede'> {
  const ad = data.length >= 4 && (data.readUInt8(3) & 0x20) !== 0
  // The option of an extended error is 15 in two octets; what has none need not be read whole.
  if (!data.includes(EDE_OPTION)) return { ad, ede: [] }
  try {
    return { ad, ede: extendedErrors(decodeMessage(data)) }
  } catch {
    // A fault's octets need not be a message.
    return { ad, ede: [] }
  }
}

const EDE_OPTION = Buffer.from([0, 15])
