/**
 * The certificate authority of one run: a root that clients are told to trust, an intermediate, and the chains that
 * peers present, sound or faulty.
 *
 * Keys are made for each run; nothing is read from or written to disk. Dates are relative to the run's clock. Serial
 * numbers follow from the seed and from what the certificate is for, and so not from the order of issuing.
 */
import { createHash } from 'node:crypto'
import { pem } from './der.ts'
import type { CertificateRequest, FaultContext, FaultyChain, Key, PeerNames } from './fault.ts'
import { loadClientChain, loadFault } from './faults.ts'
import { DAY, issueAuthority } from './leaf.ts'
import { mintCertificate, mintKey, mintRsaKey } from './mint.ts'

/** A chain to be presented. */
export interface IssuedChain {
  /** The id of the fault. */
  readonly id: string
  /** Leaf and chain as sent, PEM. */
  readonly certPem: string
  readonly keyPem: string
  /** DER as sent, leaf first. */
  readonly chain: readonly Buffer[]
  /** One line: what is wrong. */
  readonly detail: string
  /**
   * An OCSP response, DER, to be stapled when the client asks for one (RFC 6066 §8). Where it is set the fault is the
   * staple: its opportunity is the client's status_request, and it has fired when the response was handed out.
   */
  readonly ocspResponse?: Buffer
  /** The CRL at the leaf's distribution point, DER. */
  readonly crl?: Buffer
  /** OpenSSL presents it at security level 0 alone. */
  readonly weak?: true
  /** The key is an attacker's: the host publishes nothing of it in DNS. */
  readonly impostor?: true
}

/** A client's certificate, for jobs that have one. */
export interface ClientChain {
  readonly id: string
  /** Leaf and chain, PEM. */
  readonly certPem: string
  readonly keyPem: string
  /** DER, leaf first. */
  readonly chain: readonly Buffer[]
}

export interface Authority {
  readonly rootPem: string
  readonly rootDer: Buffer
  /**
   * The chain of `fault` for a peer; the same promise for the same fault and names. `at` is the present, by default the run's
   * clock. Rejects on an unknown fault.
   */
  issue(fault: string, names: PeerNames, at?: Date): Promise<IssuedChain>
  /** A chain for clients to present. Rejects on an unknown id. */
  clientChain(id: string): Promise<ClientChain>
  /** So many self-signed authorities with names of their own, PEM, that sign nothing. */
  namedAuthorities(count: number): readonly string[]
}

/** `now` is the run's clock; `seed` an integer. */
export function createAuthority(options: { readonly now: Date; readonly seed: number }): Authority {
  const { seed } = options
  const now = new Date(Math.floor(options.now.getTime() / 1000) * 1000)
  const rsaKeys = new Map<string, Promise<Key>>()
  const rsaKey: FaultContext['rsaKey'] = (bits, use) => remember(rsaKeys, `${bits} ${use}`, () => mintRsaKey(bits))
  const run = minting(seed, 'run')
  const until = new Date(now.getTime() + 3650 * DAY)
  const root = issueAuthority({ now, ...run }, { commonName: `badmx test root ${seed}`, until })
  const intermediate = issueAuthority(
    { now, ...run },
    { commonName: `badmx test intermediate ${seed}`, issuer: root, pathLength: 0 },
  )
  const keys = new Map<string, Key>()
  const chains = new Map<string, Promise<IssuedChain>>()
  const clients = new Map<string, Promise<ClientChain>>()
  const named = new Map<string, readonly string[]>()

  const issue = async (id: string, names: PeerNames, at: Date): Promise<IssuedChain> => {
    const fault = await loadFault(id)
    const key = remember(keys, names.host, mintKey)
    const context: FaultContext = {
      names,
      now,
      at,
      root,
      intermediate,
      key,
      rsaKey,
      ...minting(seed, id, names.host, names.domain),
    }
    return issued(id, await fault.issue(context))
  }
  const issueClient = async (id: string): Promise<ClientChain> => {
    const fault = await loadClientChain(id)
    const key = mintKey()
    const names = { host: 'client.badmx.test', domain: 'badmx.test' }
    const context: FaultContext = {
      ...{ names, now, at: now, root, intermediate, key, rsaKey },
      ...minting(seed, 'client', id),
    }
    const { chain, keyPem } = await fault.issue(context)
    return { id, certPem: chainPem(chain), keyPem, chain }
  }
  const nameAuthorities = (count: number): readonly string[] => {
    const given = { now, ...minting(seed, 'named', String(count)) }
    const key = given.newKey()
    const commonNames = Array.from({ length: count }, (_, index) => `Certification Authority ${index + 1} of ${count}`)
    return commonNames.map((commonName) => pem('CERTIFICATE', issueAuthority(given, { commonName, key }).certificate))
  }
  return {
    rootPem: pem('CERTIFICATE', root.certificate),
    rootDer: root.certificate,
    issue: (fault, names, at = now) =>
      remember(chains, JSON.stringify([fault, names.host, names.domain]), () => issue(fault, names, at)),
    clientChain: (id) => remember(clients, id, () => issueClient(id)),
    namedAuthorities: (count) => remember(named, String(count), () => nameAuthorities(count)),
  }
}

/** Keys and certificates whose serial numbers follow from the labels and from the order within them. */
function minting(seed: number, ...labels: readonly string[]): Pick<FaultContext, 'newKey' | 'certify'> {
  let made = 0
  return {
    newKey: mintKey,
    certify: (request: CertificateRequest) => {
      const digest = createHash('sha256')
        .update(JSON.stringify([seed, labels, made++]))
        .digest('hex')
      return mintCertificate(request, Buffer.from(`4${digest.slice(0, 31)}`, 'hex'))
    },
  }
}

function issued(id: string, { chain, keyPem, detail, ocspResponse, crl, weak, impostor }: FaultyChain): IssuedChain {
  return {
    id,
    certPem: chainPem(chain),
    keyPem,
    chain,
    detail,
    ...(ocspResponse === undefined ? {} : { ocspResponse }),
    ...(crl === undefined ? {} : { crl }),
    ...(weak === undefined ? {} : { weak }),
    ...(impostor === undefined ? {} : { impostor }),
  }
}

function chainPem(chain: readonly Buffer[]): string {
  return chain.map((certificate) => pem('CERTIFICATE', certificate)).join('')
}

function remember<Value>(made: Map<string, Value>, name: string, make: () => Value): Value {
  const known = made.get(name)
  if (known !== undefined) return known
  const value = make()
  made.set(name, value)
  return value
}
