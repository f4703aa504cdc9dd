/** A server of the legacy engine, of what its user says of it. */
import { X509Certificate } from 'node:crypto'
import { readCertificate } from '../certificates/presented.ts'
import type { TlsOptions } from '../tls-identity.ts'
import { type LegacyTlsInput, legacyTlsSchema } from './legacy/options.ts'
import { LegacyServer } from './legacy/server.ts'
import { LegacyEnd } from './legacy-end.ts'
import type { LegacyEnds } from './server-end.ts'

/** Makes the ends of its connections. @throws where the options are not sound, or no suite goes with the key. */
export function legacyEnds(tls: TlsOptions & { readonly legacy: LegacyTlsInput }): LegacyEnds {
  const { certificate, clientCertificate, authorities = [] } = tls
  const server = new LegacyServer({
    options: legacyTlsSchema.parse(tls.legacy),
    chain: certificate.chain,
    keyPem: certificate.keyPem,
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
    authorities: authorities.map((pem) => readCertificate(new X509Certificate(pem).raw).subject),
  })
  return (base, identity, recorder, ground, handlers) =>
    new LegacyEnd(base, identity, server, recorder, ground, handlers)
}
