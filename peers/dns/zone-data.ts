/**
 * A zone as a file writes it: the form of zones, signing and faults for whoever reads scenarios (zod, with descriptions
 * for editors), and the zone made of it. The parameters of a fault are checked where it is armed.
 */
import { z } from 'zod'
import { type Zone, type ZoneOptions, zone } from './zone.ts'

export const faultItemSchema = z.strictObject({
  use: z.string().describe('The id of a DNS fault.'),
  with: z.record(z.string(), z.unknown()).optional().describe('Its parameters.'),
  name: z
    .string()
    .optional()
    .describe(
      'The query name that is its own, relative to the zone, `@` for the apex, `*.x` for all below x; default any.',
    ),
  types: z.array(z.string()).optional().describe('The query types that are its own; default any.'),
  servers: z.array(z.string()).optional().describe('The name servers that do it, by name; default all.'),
  transport: z.enum(['udp', 'tcp']).optional().describe('Default both.'),
  at: z
    .enum(['server', 'middlebox'])
    .optional()
    .describe('At the name server (default), or at the box in front of it.'),
  delayMs: z.int().min(0).optional().describe('Milliseconds until what it gives back leaves, before the time scale.'),
  fires: z
    .enum(['must', 'may', 'must-not'])
    .optional()
    .describe('Whether a verdict needs its firing: `must` (default), `may`, `must-not` (its point is an absence).'),
})

export const signingSchema = z.union([
  z.literal('none').describe('Not signed.'),
  z.strictObject({
    algorithm: z
      .enum(['ECDSAP256SHA256', 'ED25519', 'RSASHA256', 'UNKNOWN'])
      .optional()
      .describe('Default ECDSAP256SHA256; UNKNOWN is one that no validator knows.'),
    nsec3: z
      .strictObject({
        iterations: z.int().min(0).max(65_535).optional().describe('Hash rounds more than the first; default 0.'),
        salt: z
          .string()
          .regex(/^([0-9a-f]{2}){0,255}$/i)
          .optional()
          .describe('Hex; default none.'),
        optOut: z.boolean().optional().describe('Whether delegations without DS are left out of the chain.'),
      })
      .optional()
      .describe('Denies by NSEC3; default by NSEC.'),
    ds: z.boolean().optional().describe('Whether the zone above has a DS for it; default true.'),
  }),
])

export const zoneSchema = z.strictObject({
  origin: z.string().describe('The name of the zone.'),
  records: z
    .array(z.string())
    .default([])
    .describe('Lines of a master file, relative to the origin: `@ MX 10 mx`, `mx A 198.18.0.25`.'),
  ttl: z.int().min(0).max(0x7fffffff).optional().describe('Seconds, of records that name none; default 300.'),
  signing: signingSchema.optional().describe('Default: signed.'),
  servers: z
    .array(
      z.strictObject({
        name: z.string().describe('Absolute.'),
        address: z.string().describe('Its own address.'),
        middlebox: z.string().optional().describe('The address of a box in front of it, which is then the one known.'),
      }),
    )
    .optional()
    .describe('Default: the name server of the internet.'),
  faults: z.array(faultItemSchema).default([]).describe('What its name servers do wrong.'),
  prove: z
    .array(z.string())
    .optional()
    .describe('Record sets that prove themselves, a name and a type: `mx TLSA`; default none.'),
})

export type ZoneData = z.infer<typeof zoneSchema>

/** @throws {ZoneError} as {@link zone}. */
export function zoneFromData({ origin, records, ...options }: ZoneData, cell?: string): Zone {
  // An absent field and one that is undefined are the same to zod, and two things to ZoneOptions.
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as ZoneOptions
  return zone(origin, records, cell === undefined ? given : { ...given, cell })
}
