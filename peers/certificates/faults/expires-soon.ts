/** The leaf is sound, and ends seconds after it was issued: for what happens when a certificate expires between two connections. */
import type { CertificateFault } from '../fault.ts'
import { issueLeaf } from '../leaf.ts'

/** Long enough for a client to be started and make a connection on a busy machine. */
const LIFE_S = 10

export const fault: CertificateFault = {
  id: 'expires-soon',
  title: `Leaf that ends ${LIFE_S} seconds after it was issued`,
  source: ['RFC 5280 §4.1.2.5', 'RFC 8446 §4.6.1'],
  async issue(given) {
    const until = new Date((Math.floor(given.at.getTime() / 1000) + LIFE_S) * 1000)
    const leaf = issueLeaf(given, { until })
    return {
      chain: [leaf, given.intermediate.certificate],
      keyPem: given.key.pem,
      detail: `sound until ${until.toISOString()}`,
    }
  },
}
