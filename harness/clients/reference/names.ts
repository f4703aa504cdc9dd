/** Names out of a certificate, raw, for flaws that match them wrongly. The correct client lets OpenSSL match. */
import type { X509Certificate } from 'node:crypto'

export interface AlternativeName {
  /** As OpenSSL prints it: `DNS`, `URI`, `IP Address`, `email`. */
  readonly type: string
  readonly value: string
}

/** Subject alternative names; Node prints one with odd octets as a JSON string. */
export function alternativeNames(leaf: X509Certificate): AlternativeName[] {
  const entry = /([A-Za-z][A-Za-z ]*):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g
  return [...(leaf.subjectAltName ?? '').matchAll(entry)].map(([, type = '', value = '']) => ({
    type,
    value: value.startsWith('"') ? String(JSON.parse(value)) : value,
  }))
}

export function dnsNames(leaf: X509Certificate): string[] {
  return alternativeNames(leaf).flatMap(({ type, value }) => (type === 'DNS' ? [value] : []))
}

/** Common names of the subject, which OpenSSL prints with `\00` for a NUL. */
export function commonNames(leaf: X509Certificate): string[] {
  return leaf.subject
    .split('\n')
    .flatMap((part) => (part.startsWith('CN=') ? [part.slice(3).replaceAll('\\00', '\0')] : []))
}

/** How far a wildcard reaches: `partial` also within a label, `deep` over several labels. */
export function matchesName(pattern: string, name: string, wildcard: 'exact' | 'partial' | 'deep'): boolean {
  if (wildcard !== 'partial' && !pattern.startsWith('*.')) return pattern.toLowerCase() === name.toLowerCase()
  const reach = wildcard === 'deep' ? '.+' : wildcard === 'partial' ? '[^.]*' : '[^.]+'
  const expression = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', reach)
  return new RegExp(`^${expression}$`, 'i').test(name)
}
