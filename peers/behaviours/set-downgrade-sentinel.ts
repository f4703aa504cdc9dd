/**
 * Ends the random of the ServerHello with the sentinel by which a server of TLS 1.3 tells that it was made to speak an older
 * version (RFC 8446 §4.1.3). The random is signed with the key exchange: a man in the middle who takes TLS 1.3 out of the hello
 * cannot take the sentinel out, and a client that has TLS 1.3 must stop at it with illegal_parameter.
 */
import { z } from 'zod'
import { defineTlsBehaviour } from '../behaviour.ts'
import { passTls } from '../tls/legacy/layer.ts'

const parameters = z.strictObject({
  version: z
    .enum(['TLSv1.2', 'TLSv1.1'])
    .default('TLSv1.2')
    .describe('The sentinel for a session of TLS 1.2, or for one of TLS 1.1 and older.'),
})

/** supported_versions, RFC 8446 §4.2.1. */
const SUPPORTED_VERSIONS = 43
const TLS13: Buffer = Buffer.from([3, 4])

export const behaviour = defineTlsBehaviour<z.infer<typeof parameters>>({
  id: 'set-downgrade-sentinel',
  title: 'Marks the random of the ServerHello as that of a server with TLS 1.3',
  source: ['RFC 8446 §4.1.3'],
  plane: 'tls',
  parameters,
  shapes: ['handshake'],
  hides: [],
  create({ version }) {
    const sentinel = Buffer.from(`DOWNGRD${version === 'TLSv1.2' ? '\x01' : '\0'}`, 'latin1')
    let offered = false
    return {
      on(event) {
        if (event.type === 'hello') {
          const versions = event.hello.extensions.get(SUPPORTED_VERSIONS)?.subarray(1)
          offered = versions !== undefined && pairs(versions).some((pair) => pair.equals(TLS13))
        }
        if (event.type !== 'server-random' || !offered) return passTls(event)
        return [
          { type: 'opportunity', detail: 'the client offers TLS 1.3' },
          { type: 'fired', detail: `the sentinel of ${version} in the random of the ServerHello` },
          { ...event, bytes: Buffer.concat([event.bytes.subarray(0, -sentinel.length), sentinel]) },
        ]
      },
    }
  },
})

function pairs(octets: Buffer): Buffer[] {
  return Array.from({ length: octets.length >> 1 }, (_, index) => octets.subarray(2 * index, 2 * index + 2))
}
