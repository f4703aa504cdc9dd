/** Flaws in checking certificates: one check left out, taken too loosely, or made where none is due. */
import type { X509Certificate } from 'node:crypto'
import { distrust, nameMatches, type Presented } from '../certificate.ts'
import { CHAIN_CHECKS, type ChainCheck, doubt } from '../chain.ts'
import type { FlawTable } from '../flaws.ts'
import { alternativeNames, commonNames, dnsNames, matchesName } from '../names.ts'

/** What OpenSSL calls a refusal that Node has no word of its own for: INVALID_CA, name constraints, … */
const OTHER = 'UNSPECIFIED'
const NO_ISSUER = ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY']
const LARGE = 16 * 1024
/** Bits, RFC 9325 §4.5. */
const SOUND_RSA = 2048
/** DER of the object identifiers of RFC 7633 (TLS feature) and RFC 5280 §4.2.1.13 (CRL distribution points). */
const TLS_FEATURE = Buffer.from('06082b06010505070118', 'hex')
const CRL_DISTRIBUTION_POINTS = Buffer.from('0603551d1f', 'hex')

export const CERTIFICATE_FLAWS: FlawTable = {
  'skip-name-check': {
    meaning: 'does not check the name in the certificate',
    decide: { nameMatches: () => true },
  },
  'skip-chain-check': {
    meaning: 'trusts any chain whose dates are right',
    decide: { distrust: (presented) => doubt(presented, ['validity']) },
  },
  'skip-validity-check': {
    meaning: 'does not look at the dates of certificates',
    decide: { distrust: forgiving(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'], 'validity') },
  },
  'ignore-basic-constraints': {
    meaning: 'lets a certificate that is no CA issue others',
    decide: { distrust: forgiving([OTHER, 'INVALID_CA', ...NO_ISSUER], 'authority') },
  },
  'ignore-path-length': {
    meaning: 'lets a chain be longer than its CAs allow',
    decide: { distrust: forgiving(['PATH_LENGTH_EXCEEDED']) },
  },
  'ignore-name-constraints': {
    meaning: 'lets a CA issue for names that it is not allowed to',
    decide: { distrust: forgiving([OTHER]) },
  },
  'ignore-eku': {
    meaning: 'takes a certificate that is for clients only',
    decide: { distrust: forgiving(['INVALID_PURPOSE'], 'purpose') },
  },
  'accept-weak-signatures': {
    meaning: 'takes certificates that are signed with MD5 or SHA-1',
    decide: { distrust: forgiving([OTHER], 'signature') },
  },
  'refuse-short-rsa-keys': {
    meaning: 'refuses certificates with RSA keys under 2048 bits, under every policy',
    decide: {
      demand: ({ chain }) => {
        const bits = chain[0]?.publicKey.asymmetricKeyDetails?.modulusLength ?? SOUND_RSA
        return bits < SOUND_RSA ? `an RSA key of ${bits} bits` : undefined
      },
    },
  },
  'refuse-short-groups': {
    meaning: 'ends a handshake with a Diffie-Hellman group under 2048 bits',
    decide: { smallestGroup: 2048 },
  },
  'ignore-staple': {
    meaning: 'does not look at the stapled OCSP response',
    decide: { distrust: ({ refusal }) => refusal },
  },
  'partial-wildcards': {
    meaning: 'lets a wildcard stand for a part of a label: mx*.example',
    decide: { nameMatches: (leaf, name) => dnsNames(leaf).some((pattern) => matchesName(pattern, name, 'partial')) },
  },
  'deep-wildcards': {
    meaning: 'lets a wildcard stand for several labels: *.example for a.b.example',
    decide: { nameMatches: (leaf, name) => dnsNames(leaf).some((pattern) => matchesName(pattern, name, 'deep')) },
  },
  'match-cn': {
    meaning: 'takes the common name for a host name',
    decide: {
      nameMatches: (leaf, name) =>
        nameMatches(leaf, name) || commonNames(leaf).some((cn) => matchesName(cn, name, 'exact')),
    },
  },
  'nul-terminated-names': {
    meaning: 'reads a name, the common name too, up to its first NUL',
    decide: {
      nameMatches: (leaf, name) =>
        [...dnsNames(leaf), ...commonNames(leaf).filter((cn) => cn.includes('\0'))]
          .map((text) => text.split('\0')[0] ?? '')
          .some((text) => matchesName(text, name, 'exact')),
    },
  },
  'subject-string-matching': {
    meaning: 'prints the alternative names as one text and reads the names out of that',
    decide: {
      nameMatches: (leaf, name) =>
        alternativeNames(leaf)
          .map(({ type, value }) => `${type}:${value}`)
          .join(', ')
          .split(', ')
          .some((text) => text.startsWith('DNS:') && matchesName(text.slice(4), name, 'exact')),
    },
  },
  'match-any-san': {
    meaning: 'takes alternative names of any type: the host of a URI, the domain of a mail address, an IP address',
    decide: {
      nameMatches: (leaf, name, { address }) =>
        nameMatches(leaf, name) ||
        alternativeNames(leaf).some(({ value }) => value === address || value.split(/[/@:?#]+/).includes(name)),
    },
  },
  'case-sensitive-names': {
    meaning: 'takes the case of letters in names for a difference',
    decide: { nameMatches: (leaf, name) => nameMatches(leaf, name) && dnsNames(leaf).includes(name) },
  },
  'require-valid-certificate': {
    meaning: 'refuses certificates that are not valid under every policy that uses TLS',
    decide: { checksCertificate: () => true },
  },
  'cleartext-after-certificate-failure': {
    meaning: 'checks certificates under every policy that uses TLS, and connects again in clear when one is not valid',
    decide: {
      checksCertificate: () => true,
      afterFailure: ({ kind }) => (kind === 'certificate' ? 'reconnect-in-clear' : 'give-up'),
    },
  },
  'require-crl': {
    meaning: 'refuses a certificate that names a CRL which it cannot get, under every policy',
    decide: {
      demand: ({ chain }) =>
        contains(chain[0], CRL_DISTRIBUTION_POINTS) ? 'no CRL to check the certificate' : undefined,
    },
  },
  'require-staple': {
    meaning: 'refuses a certificate that wants a stapled response and comes without, under every policy',
    decide: {
      demand: ({ chain, staple }) =>
        staple === undefined && contains(chain[0], TLS_FEATURE) ? 'the certificate wants a staple' : undefined,
    },
  },
  'refuse-large-certificates': {
    meaning: `refuses chains of more than ${LARGE} octets, under every policy`,
    decide: {
      demand: ({ chain }) => {
        const size = chain.reduce((sum, { raw }) => sum + raw.length, 0)
        return size > LARGE ? `a chain of ${size} octets` : undefined
      },
    },
  },
  'memory-pins-first-certificate': {
    meaning: 'pins the first certificate of each host and refuses any other for ever',
    decide: {
      demand: ({ chain }, host, { pins }) => {
        const seen = chain[0]?.fingerprint256 ?? 'none'
        const pinned = pins.get(host) ?? seen
        pins.set(host, pinned)
        return pinned === seen ? undefined : 'the certificate is not the one of the first time'
      },
    },
  },
}

/**
 * Trusts what OpenSSL trusts, and what it refuses with one of `words` because of the check that is left out alone: by
 * our own reading of the chain that one fails and all others pass. Without `left`, it is one that we do not read.
 */
function forgiving(words: readonly string[], left?: ChainCheck) {
  return (presented: Presented): string | undefined => {
    const { refusal } = presented
    const rightly = left === undefined || doubt(presented, [left]) !== undefined
    if (refusal === undefined || !words.includes(refusal) || !rightly) return distrust(presented)
    return doubt(
      presented,
      CHAIN_CHECKS.filter((check) => check !== left),
    )
  }
}

function contains(certificate: X509Certificate | undefined, octets: Buffer): boolean {
  return certificate?.raw.includes(octets) ?? false
}
