/**
 * The published schema of the run record, `badmx/run/1`: from one zod schema the check of a file and its JSON Schema.
 *
 * What always holds: the schema says exactly what `RunRecord` says (a test of types compares them); objects may carry
 * further fields, because later releases of the same schema add some.
 */
import { z } from 'zod'
import { POLICIES } from '../scenarios/policy.ts'
import { OUTCOMES, RECORD_SCHEMA, VERDICTS } from '../scenarios/record.ts'

const judgedAs = z.enum(POLICIES).exclude(['default'])
const outcome = z.enum(OUTCOMES)
const finalOutcome = z.enum([...OUTCOMES, 'unknown'])
const milliseconds = z.number().min(0)
const flag = z.string().describe('A word of the catalogue: leak.credentials-clear.')
const connection = z.string().describe('Id of a connection in the event log.')

const finding = z
  .object({
    flag,
    weight: z.enum(['leak', 'fail', 'flagged', 'info']).describe("What the flag table says for the cell's policy."),
    detail: z.string().describe('What was seen, where.'),
    conn: connection.exactOptional(),
    atMs: milliseconds.exactOptional(),
    offset: z.int().min(0).exactOptional().describe('Octets into the direction and layer of the connection.'),
  })
  .readonly()

const attempt = z
  .object({
    atMs: milliseconds,
    cause: z.enum(['first', 'forced', 'aged', 'own']),
    policy: z.enum(POLICIES).exactOptional().describe("Where it is not the cell's: it prepares for what is judged."),
    outcome,
    connections: z.array(connection).readonly(),
    hosts: z
      .array(z.string())
      .readonly()
      .exactOptional()
      .describe('Ids of the hosts that the client came to, each once, in order.'),
    endedAtMs: milliseconds.exactOptional(),
    ageSeconds: z.number().min(0).exactOptional().describe("Of the message, on the client's clock."),
  })
  .readonly()

const proof = z
  .object({
    behaviour: z.string(),
    state: z.enum(['armed', 'opportunity', 'fired']),
    atMs: milliseconds,
    detail: z.string(),
    host: z.string().describe('Id of the peer in its world.'),
    conn: connection.exactOptional(),
  })
  .readonly()

const assertion = z
  .object({
    assert: z.string().describe('Id of the predicate.'),
    held: z.union([z.boolean(), z.literal('not-applicable')]),
    detail: z.string(),
  })
  .readonly()

const clientWord = z
  .object({
    state: z.string(),
    kind: z.string().exactOptional(),
    exitCode: z.number().exactOptional(),
    reason: z.string(),
  })
  .readonly()

const presented = z
  .object({
    chain: z.boolean(),
    validity: z.boolean(),
    name: z.boolean(),
    reasons: z.array(z.string()).readonly(),
  })
  .readonly()

const hello = z.object({ ja3: z.string().exactOptional(), ja4: z.string() }).readonly()

const cell = z
  .object({
    id: z.string().describe('<family>/<id>/<policy>/<client>, and #n for the nth repetition.'),
    scenario: z.string().describe('<family>/<id>'),
    title: z.string(),
    severity: z.enum(['critical', 'high', 'medium', 'low']),
    policy: z.enum(POLICIES).describe('What the client was told to require.'),
    judgedAs: judgedAs.describe(
      'The same, or for default the policy that its documentation claims; `may` where DANE is switched off for the domain.',
    ),
    client: z.string(),
    role: z.enum(['scenario', 'harness-control', 'client-control']),
    verdict: z.enum(VERDICTS),
    reason: z.string().describe('One sentence: what happened and why that is the verdict.'),
    outcome: z.object({ first: finalOutcome, final: finalOutcome }).readonly(),
    flags: z.array(flag).readonly().describe('Sorted, each once.'),
    findings: z.array(finding).readonly(),
    asserts: z.array(assertion).readonly(),
    attempts: z.array(attempt).readonly(),
    proof: z.array(proof).readonly().describe('In the order in which it happened.'),
    expected: z.string().describe('The cell of the catalogue, in its letters.'),
    clause: z.string().exactOptional().describe('Where the expectation comes from.'),
    clientWord: clientWord.exactOptional().describe('What the client said of itself, last attempt.'),
    presented: presented.exactOptional().describe("What the credential proved, by badmx's own check."),
    hellos: z
      .array(hello)
      .readonly()
      .exactOptional()
      .describe('Fingerprints of the ClientHellos that the client sent, each once, in order.'),
    durationMs: milliseconds,
    reproduce: z.string().describe('The command that runs this cell again.'),
    again: z
      .object({ spoilt: z.string(), counts: z.enum(['first', 'second']) })
      .readonly()
      .exactOptional()
      .describe('It was tried twice, as the first try was spoilt (why): which of them the record is of.'),
    known: z
      .object({ reason: z.string(), unexpectedPass: z.boolean() })
      .readonly()
      .exactOptional()
      .describe('The deviation was listed as known; unexpectedPass: it did not come.'),
  })
  .readonly()

const client = z
  .object({
    id: z.string(),
    name: z.string(),
    version: z.string(),
    release: z.string().exactOptional(),
    configuration: z.string().exactOptional().describe('The settings that it ran with, as its files say them.'),
  })
  .readonly()

const unexpected = z
  .object({ cell: z.string().exactOptional(), conn: z.string(), atMs: milliseconds, detail: z.string() })
  .readonly()

/** Checks a run record. Times are milliseconds since the run began, except ISO 8601 texts and where it is said. */
export const runRecordSchema = z
  .object({
    schema: z.literal(RECORD_SCHEMA),
    badmx: z.string().describe('Version of badmx.'),
    seed: z.number(),
    timeScale: z.number().min(1).describe('Delays and deadlines were divided by it.'),
    startedAt: z.string().describe('ISO 8601.'),
    finishedAt: z.string().describe('ISO 8601.'),
    interrupted: z.boolean(),
    clients: z.array(client).readonly(),
    resolver: z
      .object({ profile: z.string(), version: z.string() })
      .readonly()
      .exactOptional()
      .describe("The resolver that clients asked, where it was not badmx's own."),
    cells: z.array(cell).readonly(),
    unexpected: z
      .array(unexpected)
      .readonly()
      .exactOptional()
      .describe('Connections that nobody asked for; absent where there was none.'),
  })
  .readonly()

/** The JSON Schema (draft 7) of run.json. */
export function runRecordJsonSchema(): Record<string, unknown> {
  return {
    ...z.toJSONSchema(runRecordSchema, { target: 'draft-7', io: 'input' }),
    title: `Run record, ${RECORD_SCHEMA}`,
  }
}
