/**
 * What a certificate fault is: one way in which the chain that a peer presents is wrong.
 *
 * One file per fault, `peers/certificates/faults/<id>.ts`, found by listing the folder; it exports `fault`, and the id
 * is the file's name. A fault makes certificates and says in one line what is wrong with them; it opens no connection.
 * Unless it says otherwise the key is the host's genuine one, so that only the certificate is at fault.
 */
import type { KeyObject } from 'node:crypto'

/** The names of the peer that a chain is issued for. */
export interface PeerNames {
  /** The mail host's name, which clients check: `mx.example.badmx.test`. */
  readonly host: string
  /** The recipient domain. */
  readonly domain: string
}

/** A key pair in the forms in which it is needed: ECDSA on P-256, or RSA. */
export interface Key {
  readonly signing: KeyObject
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Buffer
  /** PKCS #8, PEM. */
  readonly pem: string
}

/** Who signs: a subject, its key, and its own certificate as DER. */
export interface Issuer {
  /** Name, DER. */
  readonly subject: Buffer
  readonly key: Key
  readonly certificate: Buffer
}

/** A certificate to be made. Key identifiers and a serial number are added. */
export interface CertificateRequest {
  /** Name, DER. */
  readonly subject: Buffer
  /** SubjectPublicKeyInfo, DER, of the certified key. */
  readonly spki: Buffer
  readonly issuer: { readonly subject: Buffer; readonly key: Key }
  readonly from: Date
  readonly until: Date
  /** DER of each Extension. */
  readonly extensions: readonly Buffer[]
  /** The hash of the signature, where it is not SHA-256; the issuer's key is then RSA. */
  readonly digest?: WeakDigest
}

/** Hashes that RFC 9325 §4.5 forbids in certificates. */
export type WeakDigest = 'md5' | 'sha1'

/** What an RSA key of a run is for: each has one of each length, whatever host or authority asks. */
export type RsaUse = 'leaf' | 'authority'

/** What a fault has to work with. */
export interface FaultContext {
  readonly names: PeerNames
  /** The run's clock. */
  readonly now: Date
  /** The moment of issuing, some time after the run's clock. */
  readonly at: Date
  /** The root that clients are told to trust. */
  readonly root: Issuer
  /** Issues server certificates in the run; signed by the root, path length 0. */
  readonly intermediate: Issuer
  /** The host's genuine key, the same for every fault of one host. */
  readonly key: Key
  newKey(): Key
  /** The run's RSA key of so many bits for this use, made when first asked for: 2048 bits take a quarter of a second. */
  rsaKey(bits: 1024 | 2048, use: RsaUse): Promise<Key>
  certify(request: CertificateRequest): Buffer
}

/** What is presented, and what is wrong with it. */
export interface FaultyChain {
  /** DER as sent, leaf first. */
  readonly chain: readonly Buffer[]
  readonly keyPem: string
  /** One line: what is wrong. */
  readonly detail: string
  readonly ocspResponse?: Buffer
  readonly crl?: Buffer
  /** OpenSSL presents it at security level 0 alone (SSL_CTX_set_security_level(3)). */
  readonly weak?: true
  /** The key is not the host's: no TLSA record of the host is for it. */
  readonly impostor?: true
}

export interface CertificateFault {
  /** Kebab-case, equal to the file's name: `expired`. */
  readonly id: string
  /** One line: what is wrong with the chain. */
  readonly title: string
  /** RFC sections, CVEs. */
  readonly source: readonly string[]
  issue(context: FaultContext): Promise<FaultyChain>
}
