/**
 * JA3, the older fingerprint of a ClientHello, by which most published lists of TLS clients go: Salesforce's "JA3 - A new way to
 * profile SSL Clients" (github.com/salesforce/ja3). Pure.
 */
import { createHash } from 'node:crypto'
import type { HelloSeen } from '../events.ts'
import { isGrease } from './grease.ts'

const list = (values: readonly number[]): string => values.filter((value) => !isGrease(value)).join('-')

/** What is hashed: `769,47-53-5-10,0-10-11,23-24-25,0`. Undefined where the log has no point formats. */
export function ja3Text(hello: HelloSeen): string | undefined {
  const { legacyVersion, cipherSuites, extensions, groups, pointFormats } = hello
  if (pointFormats === undefined) return undefined
  // Point formats have one octet, and no values of RFC 8701.
  return [legacyVersion, list(cipherSuites), list(extensions), list(groups), pointFormats.join('-')].join(',')
}

/** MD5 in hexadecimal, of a hello in TLS records; undefined as {@link ja3Text}. */
export function ja3(hello: HelloSeen): string | undefined {
  const text = ja3Text(hello)
  return text === undefined ? undefined : createHash('md5').update(text).digest('hex')
}
