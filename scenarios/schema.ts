/**
 * The form of a scenario file. One source for the types, the check of a file, and the JSON Schema for editors.
 *
 * A file holds one scenario, `scenarios/catalogue/<family>/<id>.yaml`, or is a matrix: common fields, and one entry per
 * scenario that overrides them (`scenarios/catalogue/<family>/<name>.matrix.yaml`).
 */
import { z } from 'zod'
import { faultItemSchema, signingSchema } from '../peers/dns/zone-data.ts'
import { legacyTlsSchema } from '../peers/tls/legacy/options.ts'
import { DANE_CASES } from './dane-cases.ts'
import { COLUMNS } from './policy.ts'

export const FAMILIES = [
  'control',
  'strip',
  'smtp',
  'inject',
  'tls',
  'legacy',
  'cert',
  'client-cert',
  'resume',
  'dns',
  'mta-sts',
  'tlsrpt',
  'requiretls',
  'mx',
  'time',
  'post',
  'auth',
  'dos',
] as const

export const SEVERITIES = ['critical', 'high', 'medium', 'low'] as const

const stackItem = z.union([
  z.string().describe('The id of a behaviour, with its default parameters.'),
  z.strictObject({
    use: z.string().describe('The id of a behaviour.'),
    with: z.record(z.string(), z.unknown()).optional().describe('Its parameters; see `badmx list --behaviours`.'),
    fires: z
      .enum(['must', 'may', 'must-not'])
      .default('must')
      .describe('Whether a verdict needs its firing; `may` is a companion, `must-not` a scenario about an absence.'),
  }),
])

const tlsVersion = z.enum(['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'])

const host = z.strictObject({
  preference: z
    .union([z.int().min(0).max(65535), z.literal('none')])
    .default(10)
    .describe('MX preference; `none` for a host that no MX record names.'),
  name: z
    .string()
    .optional()
    .describe(
      'Its name, in which {domain} is the domain of the recipient; default: <id>.{domain}. Several hosts may share one.',
    ),
  address: z.enum(['ipv4', 'ipv6']).default('ipv4').describe('The kind of address that it has.'),
  stack: z.array(stackItem).default([]).describe('Behaviours, the one nearest to the client first.'),
  certificate: z.string().default('good').describe('A chain of the test CA: `good`, or the id of a certificate fault.'),
  tls: z
    .strictObject({
      on: z
        .enum(['starttls', 'connect', 'none'])
        .default('starttls')
        .describe('When TLS starts. Under the policy `implicit`, `starttls` hosts speak TLS on connect.'),
      min: tlsVersion.default('TLSv1.2'),
      max: tlsVersion.default('TLSv1.3'),
      ciphers: z.string().optional().describe('OpenSSL cipher list for TLS 1.2 and below.'),
      extendedMasterSecret: z.boolean().optional().describe('`false`: not agreed to, at TLS 1.2 and below (RFC 7627).'),
      clientCertificate: z
        .enum(['request', 'require'])
        .optional()
        .describe('Ask for a client certificate of any issuer; `require` refuses a client that sends none.'),
      authorities: z
        .int()
        .min(1)
        .max(1000)
        .optional()
        .describe('With clientCertificate: the request names so many certification authorities; default none.'),
      diffieHellman: z
        .literal(1024)
        .optional()
        .describe('Bits of the group of ephemeral Diffie-Hellman; without it there is none. Wants an RSA certificate.'),
      sharedTickets: z
        .literal(true)
        .optional()
        .describe(
          'The hosts of the scenario that say so share their ticket keys, in all phases, as behind a load balancer.',
        ),
      withoutServerName: z
        .string()
        .optional()
        .describe('The chain that a client gets whose ClientHello names no server (RFC 6066 §3).'),
      legacy: legacyTlsSchema
        .optional()
        .describe(
          'The server is of the legacy engine, with versions and suites of its own; `min` to `ciphers` are not its.',
        ),
    })
    .prefault({})
    .describe('What the peer speaks.'),
  extensions: z
    .strictObject({
      beforeTls: z
        .array(z.string())
        .optional()
        .describe('EHLO keywords in clear, STARTTLS apart; replaces the default.'),
      afterTls: z.array(z.string()).optional().describe('EHLO keywords inside TLS; replaces the default.'),
    })
    .prefault({})
    .describe(
      'Default: PIPELINING, 8BITMIME, SIZE, ENHANCEDSTATUSCODES, SMTPUTF8, and AUTH PLAIN LOGIN where the job has a password.',
    ),
})

const tlsaParameters = z
  .string()
  .regex(/^\d{1,3} \d{1,3} \d{1,3}$/)
  .describe('Usage, selector and matching type: `3 1 1`. Short for `{ is: … }`.')

const tlsa = z.union([
  tlsaParameters,
  z.strictObject({
    is: tlsaParameters.describe('Usage, selector and matching type: `3 1 1`.'),
    of: z
      .enum(['leaf', 'issuer', 'root'])
      .default('leaf')
      .describe('Of which certificate: the first or the second of the chain, or the root, which is never sent.'),
    certificate: z.string().optional().describe('Of another chain than the one that the host presents.'),
    data: z
      .string()
      .regex(/^([0-9a-f]{2})*$/)
      .optional()
      .describe('The association data itself, hex.'),
    base: z.string().optional().describe("Published for this name instead of the host's, {domain} in it."),
    alias: z.string().optional().describe('Found by a CNAME to this name, {domain} in it.'),
  }),
])

const zone = z.strictObject({
  signing: signingSchema.optional().describe('Default: signed.'),
  records: z
    .array(z.string())
    .default([])
    .describe('Lines of a master file, relative to the zone, {domain} in them: `alias CNAME mx`.'),
  faults: z.array(faultItemSchema).default([]).describe('What its name servers do wrong.'),
})

const dns = z.strictObject({
  ...zone.shape,
  wildcard: z
    .boolean()
    .default(false)
    .describe('The addresses of the hosts stand at the wildcard of the domain, and not at their own names.'),
  zones: z
    .record(z.string(), zone)
    .default({})
    .describe('Further zones by name, {domain} in it: `plain.{domain}`. Hosts and records belong to the nearest.'),
  tlsa: z
    .record(z.string(), z.array(tlsa))
    .default({})
    .describe("TLSA records by host id, [] for none. Default: one, 3 1 1 of the host's genuine key."),
  prove: z
    .array(z.string())
    .default([])
    .describe(
      'What the scenario is about, of data at which no fault fires: names and types, `alias CNAME`, relative to {domain} unless they end in a dot. A verdict needs each to have been asked for and told, or told that there is none; of TLSA records under DANE only.',
    ),
})

/** A cell of the catalogue: see {@link ./judge/expectation.ts}. */
const expectation = z.string().min(1)

const step = z.union([
  z.strictObject({
    submit: z.int().min(1).describe('Hand the client this many messages.'),
    policy: z
      .enum(['none', 'may', 'encrypt', 'verify'])
      .optional()
      .describe(
        "Under this policy instead of the cell's: they prepare for what is judged, and are not judged themselves.",
      ),
  }),
  z.strictObject({ settle: z.enum(['first', 'forced', 'aged']).describe('Wait until this attempt is over.') }),
  z.strictObject({ phase: z.string().describe('Change the world to a named phase.') }),
  z.strictObject({
    until: z.literal('expired').describe('Wait until the certificates of the world have expired: `expires-soon`.'),
  }),
])

/** Numbers of {@link DANE_CASES}. */
const daneCase = z.int().min(1).max(DANE_CASES.length)
export const casesSchema = z
  .union([daneCase, z.array(daneCase).min(1)])
  .describe('Which of the 72 cases of a DANE sender it covers, by number: `6`, `[18, 19]`.')

const fields = {
  title: z.string().min(1),
  wire: z.string().min(1).describe('What happens on the wire, for a person.'),
  source: z.array(z.string().min(1)).min(1).describe('RFC sections, CVEs, product documents, field reports.'),
  case: casesSchema.optional(),
  severity: z.enum(SEVERITIES).describe('Of a security or delivery failure.'),
  hosts: z.record(z.string(), host).optional().describe('Mail hosts by id. Default: `mx`, made of the short forms.'),
  stack: z.array(stackItem).optional().describe('Short for hosts.mx.stack.'),
  certificate: z.string().optional().describe('Short for hosts.mx.certificate.'),
  // Without the default that it has in a host: who writes `hosts` leaves the short forms out.
  tls: host.shape.tls.unwrap().optional(),
  extensions: host.shape.extensions.unwrap().optional(),
  dns: dns.prefault({}).describe("The zone of the recipient's domain, where it is not just signed and sound."),
  phases: z
    .record(z.string(), z.record(z.string(), host.partial()))
    .optional()
    .describe('Named changes of the world: host id to what is different.'),
  expect: z
    .strictObject(Object.fromEntries(COLUMNS.map((column) => [column, expectation.optional()])))
    .describe(
      'Allowed outcomes per policy: V U C D B, `|` any of, `a>b` first then later, `w:` tolerated but flagged, `-` not planned.',
    ),
  assert: z.array(z.string()).default([]).describe('Predicates that must hold too; see `badmx list --asserts`.'),
  verbMayWork: z
    .boolean()
    .default(false)
    .describe('A client that sends STARTTLS unasked may reach TLS: stronger passes.'),
  noVerdict: z
    .array(z.enum(COLUMNS))
    .default([])
    .describe('Policies under which the behaviour is recorded without a verdict.'),
  needsQueue: z
    .boolean()
    .default(false)
    .describe('About what a client does with a message that it keeps: unsupported for clients without a queue.'),
  nameDependent: z.boolean().default(false).describe('Unsupported for clients that can only be given an address.'),
  job: z
    .strictObject({
      steps: z.array(step).optional().describe('Default: submit one message, settle the first attempt.'),
      schedule: z
        .strictObject({
          horizon: z
            .int()
            .min(60)
            .max(2_592_000)
            .describe('How old the message may become, in seconds of the client; a minute to 30 days.'),
        })
        .optional()
        .describe(
          'After the steps the last message is left to the schedule of an untouched configuration, with a fast clock, until it is out of the queue or so old.',
        ),
      password: z.boolean().default(false).describe('The client has a password.'),
      clientCertificate: z.string().optional().describe('Id of a client certificate chain.'),
      ciphers: z.string().optional(),
      withoutDane: z
        .string()
        .optional()
        .describe(
          'The operator has switched DANE off for this domain, {domain} in it: mail for it, and for no other, goes as under `may`.',
        ),
      recipientAt: z
        .string()
        .regex(/^([^\s@{}]+\.)?\{domain\}$/)
        .optional()
        .describe('The domain of the recipient, where it is one below {domain}: `nowhere.{domain}`.'),
      octets: z
        .int()
        .min(1)
        .max(64 * 1024 * 1024)
        .optional()
        .describe('Length of the message, at least; default: a few hundred octets.'),
    })
    .prefault({}),
  flaw: z
    .strictObject({
      name: z.string().describe('A flaw of the reference client that this scenario catches.'),
      with: z.array(z.string()).optional().describe('Flaws that are switched on together with it.'),
      policy: z.enum([...COLUMNS, 'implicit']).describe('The policy under which it does.'),
    })
    .describe('Proof that the scenario can fail.'),
} as const

export const scenarioSchema = z.strictObject({ id: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/), ...fields })

const partialFields = Object.fromEntries(
  Object.entries(fields).map(([name, schema]) => [name, (schema as z.ZodType).optional()]),
)

export const matrixSchema = z.strictObject({
  common: z.strictObject(partialFields).describe('Fields of every scenario that does not set its own.'),
  scenarios: z.array(z.strictObject({ id: scenarioSchema.shape.id, ...partialFields })).min(1),
})

/** A scenario as its file says it, defaults filled in. */
export type ScenarioFile = z.infer<typeof scenarioSchema>
export type HostSpec = z.infer<typeof host>
export type DnsSpec = z.infer<typeof dns>
