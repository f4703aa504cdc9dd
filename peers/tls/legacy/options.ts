/** What a server of the legacy engine is like: old, but sound. What it does wrong are behaviours on the plane `tls`. */
import { z } from 'zod'
import { GROUPS, type GroupName } from './key-exchange.ts'
import { VERSION_NUMBERS, type VersionName } from './protocol.ts'
import { SUITES } from './suites.ts'

const version = z.enum(Object.keys(VERSION_NUMBERS) as [VersionName, ...VersionName[]])

const RECORD_LIMIT = 16384

export const legacyTlsSchema = z
  .strictObject({
    min: version.default('TLSv1').describe('The oldest version, `SSLv3` to `TLSv1.2`.'),
    max: version.default('TLSv1.2').describe('The newest version.'),
    suites: z
      .array(z.enum(SUITES.map(({ name }) => name)))
      .min(1)
      .optional()
      .describe(
        'Cipher suites by their names in OpenSSL, the preferred first; default: all but anonymous, export and NULL.',
      ),
    order: z.enum(['server', 'client']).default('server').describe('Whose order of suites decides.'),
    dhBits: z
      .union([z.literal(512), z.literal(768), z.literal(1024), z.literal(2048)])
      .default(2048)
      .describe('Size of the prime of DHE suites in bits.'),
    groups: z
      .array(z.enum(Object.keys(GROUPS) as [GroupName, ...GroupName[]]))
      .default(['x25519', 'p256'])
      .describe('Groups of ECDHE suites, the preferred first.'),
    secureRenegotiation: z.boolean().default(true).describe('`false`: knows nothing of RFC 5746.'),
    clientRenegotiation: z
      .enum(['allow', 'refuse'])
      .default('allow')
      .describe('A ClientHello inside TLS begins a new handshake, or gets the warning no_renegotiation.'),
    sessionIds: z
      .enum(['issue', 'forget', 'none'])
      .default('issue')
      .describe('Session ids (RFC 5246 §7.4.1.2): issued and kept, issued and not kept, or never issued.'),
    tickets: z
      .enum(['issue', 'forget', 'none'])
      .default('issue')
      .describe(
        'Session tickets (RFC 5077): issued, issued with a key that every connection has its own of, or never issued.',
      ),
    content: z
      .int()
      .min(1)
      .max(RECORD_LIMIT)
      .default(RECORD_LIMIT)
      .describe('Octets of content that a record has at most.'),
    packing: z
      .enum(['separate', 'shared'])
      .default('separate')
      .describe('A record for each handshake message, or messages that share records.'),
  })
  .refine(({ min, max }) => VERSION_NUMBERS[min] <= VERSION_NUMBERS[max], { error: 'min is above max', path: ['min'] })

export type LegacyTlsOptions = z.infer<typeof legacyTlsSchema>
/** As a file writes it: everything has a default. */
export type LegacyTlsInput = z.input<typeof legacyTlsSchema>
