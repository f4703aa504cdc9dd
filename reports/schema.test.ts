import t from 'tap'
import type { z } from 'zod'
import type { RunRecord } from '../scenarios/record.ts'
import { format } from './formats/json.ts'
import { runRecordJsonSchema, runRecordSchema } from './schema.ts'
import { HOSTILE_RECORD, SAMPLE } from './test/sample-record.ts'

/** True only when two types are the same, optional and readonly included. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Does not compile when the schema and the type of the record drift apart. */
const same: Same<z.infer<typeof runRecordSchema>, RunRecord> = true

t.test('the schema takes what the JSON format writes', async (t) => {
  t.ok(same)
  for (const record of [SAMPLE, HOSTILE_RECORD]) {
    t.strictSame(runRecordSchema.parse(JSON.parse(format.render(record))), record)
  }
})

t.test('and refuses what is no record', async (t) => {
  const [first] = SAMPLE.cells
  for (const [changes, path] of [
    [{ schema: 'badmx/run/2' }, 'schema'],
    [{ interrupted: undefined }, 'interrupted'],
    [{ cells: [{ ...first, verdict: 'fine' }] }, 'cells.0.verdict'],
    [{ cells: [{ ...first, judgedAs: 'default' }] }, 'cells.0.judgedAs'],
    [{ cells: [{ ...first, outcome: { first: 'deferred' } }] }, 'cells.0.outcome.final'],
  ] as const) {
    const result = runRecordSchema.safeParse({ ...SAMPLE, ...changes })
    t.strictSame(
      result.error?.issues.map((issue) => issue.path.join('.')),
      [path],
    )
  }
})

t.test('the JSON Schema is draft 7 and open to further fields', async (t) => {
  const schema = runRecordJsonSchema()
  t.match(schema, {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    required: ['schema', 'badmx', 'seed', 'timeScale', 'startedAt', 'finishedAt', 'interrupted', 'clients', 'cells'],
    properties: { schema: { const: 'badmx/run/1' } },
  })
  t.notMatch(JSON.stringify(schema), '"additionalProperties":false')
  t.equal(runRecordSchema.safeParse({ ...SAMPLE, later: 1 }).success, true)
})
