/** A hundred certificates, a megabyte in all, each certifying the one before it (RFC 5246 §7.4.2). */
import { der } from '../der.ts'
import { extension } from '../extensions.ts'
import type { CertificateFault, Issuer } from '../fault.ts'
import { issueAuthority, issueLeaf } from '../leaf.ts'

const CERTIFICATES = 100
/** Octets of comment in each authority's certificate. */
const PADDING = 10_240
/** netscape-comment: text that no verifier looks at. */
const COMMENT = '2.16.840.1.113730.1.13'

export const fault: CertificateFault = {
  id: 'huge-chain',
  title: '100-certificate, 1 MB chain',
  source: ['RFC 5280 §6.1'],
  async issue(given) {
    const more = [extension(COMMENT, false, der(0x16, Buffer.alloc(PADDING, 'badmx ')))]
    const authorities: Issuer[] = []
    for (let number = 1; number < CERTIFICATES; number++) {
      const issuer = authorities.at(-1) ?? given.root
      authorities.push(issueAuthority(given, { commonName: `badmx test CA ${number}`, issuer, more }))
    }
    const leaf = issueLeaf(given, { issuer: authorities.at(-1) ?? given.root })
    const chain = [leaf, ...authorities.reverse().map(({ certificate }) => certificate)]
    return { chain, keyPem: given.key.pem, detail: `nothing is wrong; the chain has ${CERTIFICATES} certificates` }
  },
}
