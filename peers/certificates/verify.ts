/**
 * Reference verification: what a presented chain proves about a TLS server, by RFC 5280 §6 and RFC 9525. The judge uses
 * it, and never the client's own word.
 *
 * Pure and synchronous; never throws, whatever the octets are: what cannot be read is a reason. Revocation is not
 * looked at (RFC 8461 §4.2 leaves it open). The key is not proved here: that is the handshake's part (RFC 8446 §4.4.3).
 */
import { DerError } from './der-reader.ts'
import { checkName } from './names.ts'
import { findPaths, nameOf, type Path, pathProblems } from './path.ts'
import { type PresentedCertificate, readCertificate } from './presented.ts'

export interface VerificationInput {
  /** DER as sent, leaf first. */
  readonly chain: readonly Buffer[]
  /** DER of the trusted roots. */
  readonly roots: readonly Buffer[]
  /** The name that the peer must have: a DNS name, with or without a trailing dot. */
  readonly hostName: string
  readonly at: Date
}

export interface Verification {
  /** There is a path to a trusted root that is sound but for dates. */
  readonly chain: boolean
  /** Every certificate of that path is within its dates; where there is none, the leaf is. */
  readonly validity: boolean
  /** A dNSName of the leaf is the host's. */
  readonly name: boolean
  /** The leaf has no dNSName, and its common name is the host's: what RFC 7817 §3 lets a client accept. */
  readonly commonName: boolean
  /** chain, validity and name. */
  readonly ok: boolean
  /** One line for each thing that is wrong; empty when `ok`. */
  readonly reasons: readonly string[]
}

export function verifyPresented(input: VerificationInput): Verification {
  const [leafBytes, ...restBytes] = input.chain
  const unread: string[] = []
  const read = (bytes: Buffer, what: string): PresentedCertificate | undefined => {
    try {
      return readCertificate(bytes)
    } catch (error) {
      if (!(error instanceof DerError)) throw error
      unread.push(`${what} cannot be read: ${error.message}`)
      return undefined
    }
  }
  const readAll = (all: readonly Buffer[], what: string) =>
    all.map((bytes, index) => read(bytes, `${what} ${index + 1}`)).filter((certificate) => certificate !== undefined)
  const leaf = leafBytes === undefined ? undefined : read(leafBytes, 'the leaf')
  const sent = readAll(restBytes, 'chain certificate')
  const roots = readAll(input.roots, 'root')
  if (leaf === undefined) {
    const reasons = leafBytes === undefined ? ['no certificate was presented'] : unread
    return { chain: false, validity: false, name: false, commonName: false, ok: false, reasons }
  }
  const search = findPaths(leaf, sent, roots)
  const judged = search.paths.map((path) => ({
    path,
    problems: pathProblems(path),
    dates: dateProblems(path, input.at),
  }))
  const best = judged.sort((a, b) => a.problems.length - b.problems.length || a.dates.length - b.dates.length)[0]
  const problems = best?.problems ?? search.reasons
  const chain = best !== undefined && problems.length === 0
  const dates = chain ? best.dates : dateProblems([leaf], input.at)
  const named = checkName(leaf, input.hostName)
  const validity = dates.length === 0
  const ok = chain && validity && named.matches
  const reasons = ok ? [] : [...(chain ? [] : [...problems, ...unread]), ...dates, ...named.reasons]
  return { chain, validity, name: named.matches, commonName: named.byCommonName, ok, reasons: [...new Set(reasons)] }
}

function dateProblems(path: Path, at: Date): string[] {
  const now = at.getTime()
  return path.flatMap((certificate) => {
    const { notBefore, notAfter } = certificate
    if (now < notBefore) return [`${nameOf(certificate)} is not valid before ${new Date(notBefore).toISOString()}`]
    if (now > notAfter + 999) return [`${nameOf(certificate)} expired at ${new Date(notAfter).toISOString()}`]
    return []
  })
}
