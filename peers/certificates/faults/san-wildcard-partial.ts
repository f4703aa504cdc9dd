/** Wildcards that are only a part of a label: `mx*` matches with nothing, `m*` with one letter. */
import type { CertificateFault } from '../fault.ts'
import { dnsName, issueLeaf } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'san-wildcard-partial',
  title: 'SAN mx*.example',
  source: ['RFC 7817 §3', 'RFC 7672 §3.2.3', 'RFC 9525 §6.3'],
  async issue(given) {
    const [label = '', ...rest] = given.names.host.split('.')
    const names = [`${label}*`, `${label.slice(0, -1)}*`].map((first) => [first, ...rest].join('.'))
    const leaf = issueLeaf(given, { commonName: 'badmx test peer', alternativeNames: names.map(dnsName) })
    const chain = [leaf, given.intermediate.certificate]
    return { chain, keyPem: given.key.pem, detail: `the leaf is for ${names.join(' and ')}` }
  },
}
