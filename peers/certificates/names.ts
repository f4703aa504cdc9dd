/**
 * Names of servers in certificates: which match a host (RFC 9525 §6, RFC 7817 §3), and which an authority may give out
 * (RFC 5280 §4.2.1.10).
 *
 * Octets that no host name can have (NUL among them) make a name match nothing.
 */
import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import type { GeneralName, NameConstraints, PresentedCertificate } from './presented.ts'

const DNS_NAME = 2
const DIRECTORY_NAME = 4
const IP_ADDRESS = 7

export interface NameCheck {
  /** A dNSName of subjectAltName matches. */
  readonly matches: boolean
  /** There is no dNSName, and the common name would match where a client still looks at it (RFC 7817 §3 allows it). */
  readonly byCommonName: boolean
  /** Why it does not match; empty when it does. */
  readonly reasons: readonly string[]
}

/** Whether the certificate is for `hostName`, a DNS name; a trailing dot does not count. */
export function checkName(certificate: PresentedCertificate, hostName: string): NameCheck {
  const host = referenceName(hostName)
  if (host === undefined) {
    return { matches: false, byCommonName: false, reasons: [`${printable(hostName)} is no DNS name (RFC 9525 §6)`] }
  }
  const names = certificate.alternativeNames ?? []
  const dnsNames = names.filter(({ kind }) => kind === DNS_NAME).map(({ value }) => value.toString('latin1'))
  if (dnsNames.some((name) => matchesHost(name, host))) return { matches: true, byCommonName: false, reasons: [] }
  const byCommonName = dnsNames.length === 0 && certificate.commonNames.some((name) => matchesHost(name, host))
  return { matches: false, byCommonName, reasons: explain(certificate, names, dnsNames, host, byCommonName) }
}

function explain(
  certificate: PresentedCertificate,
  names: readonly GeneralName[],
  dnsNames: readonly string[],
  host: string,
  byCommonName: boolean,
): string[] {
  const commonName = certificate.commonNames.map(printable).join(', ')
  if (byCommonName)
    return [`only the common name ${commonName} matches, which is not looked at (RFC 9525 §2, RFC 8461 §4.2)`]
  if (certificate.alternativeNames === undefined)
    return [`no subjectAltName; common name ${commonName || 'absent'} (RFC 9525 §2)`]
  if (dnsNames.length === 0)
    return [`subjectAltName has no dNSName, only other kinds of names (${kinds(names)}) (RFC 9525 §6.3)`]
  const shown = dnsNames.slice(0, 3).map(printable).join(', ')
  const more = dnsNames.length > 3 ? ` and ${dnsNames.length - 3} more` : ''
  const strange = dnsNames.some((name) => !LABELS.test(name.replace(/^\*\./, '')))
  return [
    `the certificate is for ${shown}${more}, not for ${host} (RFC 9525 §6.3)`,
    ...(strange ? ['a dNSName is no host name and matches nothing (RFC 5280 §4.2.1.6)'] : []),
  ]
}

function kinds(names: readonly GeneralName[]): string {
  const words = [
    'otherName',
    'rfc822Name',
    'dNSName',
    'x400Address',
    'directoryName',
    'ediPartyName',
    'URI',
    'iPAddress',
  ]
  return [...new Set(names.map(({ kind }) => words[kind] ?? `kind ${kind}`))].join(', ')
}

/** Letters, digits, hyphens and underscores in labels of 1 to 63 octets. */
const LABELS = /^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/i

/** In lower case and A-labels, without the trailing dot; undefined for an address and for what is no DNS name. */
function referenceName(hostName: string): string | undefined {
  const name = hostName.replace(/\.$/, '')
  const ascii = [...name].some((char) => char > '\x7f') ? domainToASCII(name) : name
  return isIP(ascii) !== 0 || !LABELS.test(ascii) ? undefined : ascii.toLowerCase()
}

/** `host` in lower case. A wildcard is the whole left-most label and stands for one label (RFC 9525 §6.3). */
function matchesHost(presented: string, host: string): boolean {
  const name = presented.toLowerCase()
  if (name.startsWith('*.')) {
    const rest = name.slice(2)
    const dot = host.indexOf('.')
    return LABELS.test(rest) && dot > 0 && host.slice(dot + 1) === rest
  }
  return LABELS.test(name) && name === host
}

/** What a set of constraints finds wrong with a certificate below it; nothing when it permits all its names. */
export function constraintProblems(constraints: NameConstraints, certificate: PresentedCertificate): string[] {
  const names = [...(certificate.alternativeNames ?? []), ...directoryName(certificate)]
  return names.flatMap((name) => {
    const permitted = constraints.permitted.filter(({ kind }) => kind === name.kind || sharesKind(kind, name.kind))
    const excluded = constraints.excluded.filter(({ kind }) => kind === name.kind || sharesKind(kind, name.kind))
    if (permitted.length === 0 && excluded.length === 0) return []
    const within = name.kind === DNS_NAME ? dnsWithin : name.kind === IP_ADDRESS ? addressWithin : undefined
    if (within === undefined) return ['a constrained kind of name that cannot be checked (RFC 5280 §6.1)']
    if (excluded.some((base) => within(name.value, base.value) || standsFor(name, base))) {
      return [`${show(name)} is excluded (RFC 5280 §4.2.1.10)`]
    }
    if (permitted.length === 0 || permitted.some((base) => within(name.value, base.value))) return []
    return [`${show(name)} is outside the permitted names (RFC 5280 §4.2.1.10)`]
  })
}

/** The internationalized mail addresses of otherName are under the constraints on rfc822Name too (RFC 9598 §6). */
function sharesKind(constraint: number, name: number): boolean {
  return constraint === 1 && name === 0
}

function directoryName(certificate: PresentedCertificate): GeneralName[] {
  return certificate.subject.length <= 2 ? [] : [{ kind: DIRECTORY_NAME, value: certificate.subject }]
}

/** The base itself and everything below it, a wildcard's parent in place of the wildcard. */
function dnsWithin(name: Buffer, base: Buffer): boolean {
  const inner = name.toString('latin1').toLowerCase().replace(/^\*\./, '')
  const outer = base.toString('latin1').toLowerCase()
  return outer === '' || inner === outer || inner.endsWith(outer.startsWith('.') ? outer : `.${outer}`)
}

/** A wildcard name that covers the base, one label below it. */
function standsFor(name: GeneralName, base: GeneralName): boolean {
  return (
    name.kind === DNS_NAME && matchesHost(name.value.toString('latin1'), base.value.toString('latin1').toLowerCase())
  )
}

/** The base is an address followed by a mask of the same length. */
function addressWithin(name: Buffer, base: Buffer): boolean {
  if (base.length !== name.length * 2) return false
  return name.every((octet, index) => {
    const mask = base[name.length + index] ?? 0
    return (octet & mask) === ((base[index] ?? 0) & mask)
  })
}

function show(name: GeneralName): string {
  return name.kind === IP_ADDRESS ? `address ${name.value.toString('hex')}` : printable(name.value.toString('latin1'))
}

/** Text from a stranger, for a line of a report: at most 80 characters, everything but visible ASCII escaped. */
export function printable(text: string): string {
  const escaped = text
    .slice(0, 80)
    .replace(/[^\x20-\x7e]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
  return text.length > 80 ? `${escaped}…` : escaped
}
