/** A certificate of the log, read once however often it is shown. */
import { X509Certificate } from 'node:crypto'

const read = new WeakMap<Buffer, X509Certificate | null>()

/** Undefined for octets that Node cannot read as a certificate. */
export function readCertificate(der: Buffer): X509Certificate | undefined {
  const before = read.get(der)
  if (before !== undefined) return before ?? undefined
  try {
    const certificate = new X509Certificate(der)
    read.set(der, certificate)
    return certificate
  } catch {
    read.set(der, null)
    return undefined
  }
}
