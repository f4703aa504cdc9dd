/** Names of authorities for a CertificateRequest (RFC 5246 §7.4.4), as many as wanted, each different. Pure. */

function tlv(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content)
  if (body.length > 127) throw new RangeError(`a DER value of ${body.length} octets, want at most 127`)
  return Buffer.concat([Buffer.from([tag, body.length]), body])
}

/** id-at-commonName, id-at-organizationName (RFC 5280 appendix A). */
const COMMON_NAME: Buffer = Buffer.from('0603550403', 'hex')
const ORGANIZATION: Buffer = Buffer.from('060355040a', 'hex')

function attribute(type: Buffer, text: string): Buffer {
  const [SET, SEQUENCE, UTF8_STRING] = [0x31, 0x30, 0x0c]
  return tlv(SET, tlv(SEQUENCE, type, tlv(UTF8_STRING, Buffer.from(text, 'utf8'))))
}

/** DER of `count` distinguished names. */
export function authorityNames(count: number): readonly Buffer[] {
  return Array.from({ length: count }, (_, index) =>
    tlv(0x30, attribute(ORGANIZATION, 'badmx trust list'), attribute(COMMON_NAME, `Authority ${index + 1}`)),
  )
}
