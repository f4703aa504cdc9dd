/**
 * Reads a certificate that somebody presented (X.509 v3 as in RFC 5280 §4) into the fields that verifying needs.
 *
 * It shares no code with the library that issues certificates, so that a mistake in one does not hide in the other.
 * The only error that leaves it is {@link DerError}.
 */
import {
  DerError,
  type Element,
  expect,
  readBoolean,
  readChildren,
  readElement,
  readInside,
  readOid,
  readSmallInteger,
  readTime,
} from './der-reader.ts'

/** A GeneralName, RFC 5280 §4.2.1.6. */
export interface GeneralName {
  /** The number of its context tag: 1 rfc822Name, 2 dNSName, 4 directoryName, 6 URI, 7 iPAddress. */
  readonly kind: number
  /** The octets of the value, not of the tag and length. */
  readonly value: Buffer
}

export interface NameConstraints {
  readonly permitted: readonly GeneralName[]
  readonly excluded: readonly GeneralName[]
}

export interface PresentedCertificate {
  readonly bytes: Buffer
  /** 1, 2 or 3. */
  readonly version: number
  /** DER of the names, which are compared octet by octet. */
  readonly issuer: Buffer
  readonly subject: Buffer
  /** The subject's common names, latin1 of their octets (BMPString apart, which nobody uses for host names). */
  readonly commonNames: readonly string[]
  /** Milliseconds since 1970. */
  readonly notBefore: number
  readonly notAfter: number
  /** The signature algorithm's object identifier, the same inside and outside. */
  readonly signatureAlgorithm: string
  /** False for an EC key with explicit parameters, which RFC 5480 §2.1.1 forbids. */
  readonly namedCurve: boolean
  readonly basicConstraints?: { readonly authority: boolean; readonly pathLength?: number }
  /** Bits of keyUsage, RFC 5280 §4.2.1.3: bit 0 is digitalSignature. */
  readonly keyUsage?: ReadonlySet<number>
  readonly extendedKeyUsage?: readonly string[]
  readonly alternativeNames?: readonly GeneralName[]
  readonly nameConstraints?: NameConstraints
  /** Object identifiers of critical extensions that are not among the above. */
  readonly unknownCritical: readonly string[]
}

const COMMON_NAME = '2.5.4.3'
const EC_PUBLIC_KEY = '1.2.840.10045.2.1'
const EXTENSION = {
  keyUsage: '2.5.29.15',
  alternativeNames: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  /** Without constraints on policies, which would be other extensions, policies forbid nothing (RFC 5280 §6.1.1). */
  policies: '2.5.29.32',
  extendedKeyUsage: '2.5.29.37',
} as const
const KNOWN: ReadonlySet<string> = new Set(Object.values(EXTENSION))

interface ExtensionSeen {
  readonly critical: boolean
  readonly value: Buffer
}

/** Throws {@link DerError} when the octets are no certificate. */
export function readCertificate(bytes: Buffer): PresentedCertificate {
  const [tbsElement, outerAlgorithm, signature] = readInside(readElement(bytes), 0x30, 'certificate')
  expect(signature, 0x03, 'signatureValue')
  const tbs = readInside(tbsElement, 0x30, 'tbsCertificate')
  const versionElement = tbs[0]?.tag === 0xa0 ? tbs.shift() : undefined
  const version = versionElement === undefined ? 1 : readSmallInteger(readChildren(versionElement)[0], 'version') + 1
  if (version > 3) throw new DerError(`version ${version}`)
  const [serial, innerAlgorithm, issuer, validity, subject, spki, ...optional] = tbs
  expect(serial, 0x02, 'serialNumber')
  const algorithm = expect(innerAlgorithm, 0x30, 'signature')
  if (!algorithm.bytes.equals(expect(outerAlgorithm, 0x30, 'signatureAlgorithm').bytes)) {
    throw new DerError('the two signature algorithms differ')
  }
  const [notBefore, notAfter] = readInside(validity, 0x30, 'validity')
  const extensions = readExtensions(optional.find(({ tag }) => tag === 0xa3))
  if (extensions.size > 0 && version !== 3) throw new DerError(`extensions in version ${version}`)
  return {
    bytes,
    version,
    issuer: expect(issuer, 0x30, 'issuer').bytes,
    subject: expect(subject, 0x30, 'subject').bytes,
    commonNames: readCommonNames(subject),
    notBefore: readTime(notBefore, 'notBefore'),
    notAfter: readTime(notAfter, 'notAfter'),
    signatureAlgorithm: readOid(readChildren(algorithm)[0], 'signature algorithm'),
    namedCurve: readNamedCurve(spki),
    ...readKnown(extensions),
    unknownCritical: [...extensions].filter(([id, { critical }]) => critical && !KNOWN.has(id)).map(([id]) => id),
  }
}

function readCommonNames(subject: Element | undefined): string[] {
  const attributes = readInside(subject, 0x30, 'subject').flatMap((rdn) =>
    readInside(rdn, 0x31, 'a part of the subject'),
  )
  return attributes.flatMap((attribute) => {
    const [type, value] = readInside(attribute, 0x30, 'an attribute of the subject')
    if (value === undefined) throw new DerError('an attribute of the subject has no value')
    return readOid(type, 'an attribute type') === COMMON_NAME ? [value.content.toString('latin1')] : []
  })
}

function readNamedCurve(spki: Element | undefined): boolean {
  const [algorithm, key] = readInside(spki, 0x30, 'subjectPublicKeyInfo')
  expect(key, 0x03, 'subjectPublicKey')
  const [id, parameters] = readInside(algorithm, 0x30, 'the key algorithm')
  return readOid(id, 'the key algorithm') !== EC_PUBLIC_KEY || parameters?.tag === 0x06
}

function readExtensions(element: Element | undefined): Map<string, ExtensionSeen> {
  const seen = new Map<string, ExtensionSeen>()
  if (element === undefined) return seen
  for (const extension of readInside(readChildren(element)[0], 0x30, 'extensions')) {
    const [type, ...rest] = readInside(extension, 0x30, 'an extension')
    const id = readOid(type, 'an extension')
    const critical = rest[0]?.tag === 0x01 ? readBoolean(rest.shift(), `critical of ${id}`) : false
    const value = expect(rest[0], 0x04, `the value of ${id}`).content
    if (seen.has(id)) throw new DerError(`the extension ${id} stands twice`)
    seen.set(id, { critical, value })
  }
  return seen
}

type Known = Pick<
  PresentedCertificate,
  'basicConstraints' | 'keyUsage' | 'extendedKeyUsage' | 'alternativeNames' | 'nameConstraints'
>

function readKnown(extensions: ReadonlyMap<string, ExtensionSeen>): Known {
  const part = <Name extends keyof Known>(name: Name, read: (element: Element) => Exclude<Known[Name], undefined>) => {
    const extension = extensions.get(EXTENSION[name])
    return extension === undefined ? {} : { [name]: read(readElement(extension.value)) }
  }
  return {
    ...part('basicConstraints', readBasicConstraints),
    ...part('keyUsage', readKeyUsage),
    ...part('extendedKeyUsage', (element) =>
      readInside(element, 0x30, 'extKeyUsage').map((id) => readOid(id, 'a key usage')),
    ),
    ...part('alternativeNames', (element) => readInside(element, 0x30, 'subjectAltName').map(readGeneralName)),
    ...part('nameConstraints', readNameConstraints),
  }
}

function readBasicConstraints(element: Element): { authority: boolean; pathLength?: number } {
  const parts = readInside(element, 0x30, 'basicConstraints')
  const authority = parts[0]?.tag === 0x01 ? readBoolean(parts.shift(), 'cA') : false
  return parts[0] === undefined
    ? { authority }
    : { authority, pathLength: readSmallInteger(parts[0], 'pathLenConstraint') }
}

function readKeyUsage(element: Element): ReadonlySet<number> {
  const { content } = expect(element, 0x03, 'keyUsage')
  const octets = content.subarray(1)
  const bits = Array.from({ length: octets.length * 8 }, (_, bit) => bit)
  return new Set(bits.filter((bit) => ((octets[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0))
}

function readGeneralName(element: Element): GeneralName {
  if ((element.tag & 0xc0) !== 0x80) throw new DerError('a general name without a context tag')
  return { kind: element.tag & 0x1f, value: element.content }
}

function readNameConstraints(element: Element): NameConstraints {
  const parts = readInside(element, 0x30, 'nameConstraints')
  const subtrees = (tag: number) => {
    const part = parts.find((candidate) => candidate.tag === tag)
    return part === undefined ? [] : readChildren(part).map(readSubtree)
  }
  return { permitted: subtrees(0xa0), excluded: subtrees(0xa1) }
}

/** The base of a GeneralSubtree; RFC 5280 §4.2.1.10 wants minimum 0 and no maximum, which DER leaves out. */
function readSubtree(element: Element): GeneralName {
  const [base, ...distances] = readInside(element, 0x30, 'a subtree')
  if (base === undefined || distances.length > 0) throw new DerError('a subtree that is not its base alone')
  return readGeneralName(base)
}
