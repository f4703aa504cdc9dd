import t from 'tap'
import { jsonSchemas } from './json-schema.ts'
import { COLUMNS } from './policy.ts'

interface Node {
  readonly properties: Record<string, Node>
  readonly items: Node
  readonly anyOf: Node[]
  readonly required?: string[]
  readonly enum?: string[]
  readonly additionalProperties?: unknown
  readonly description?: string
  readonly $schema?: string
}

const behaviours = new Map([['hide-starttls', {} as never]])
const known = { behaviours, certificates: ['good', 'expired'], asserts: ['no-hang'], flaws: ['skip-name-check'] }

t.test('a scenario', async (t) => {
  const schema = jsonSchemas().scenario as Node
  t.equal(schema.$schema, 'http://json-schema.org/draft-07/schema#')
  t.equal(schema.additionalProperties, false, 'a mistyped key is marked')
  t.same(schema.required, ['id', 'title', 'wire', 'source', 'severity', 'expect', 'flaw'])
  t.same(Object.keys(schema.properties.expect?.properties ?? {}), [...COLUMNS])
  t.match(schema.properties.wire?.description, /for a person/)
  t.equal(schema.properties.certificate?.enum, undefined, 'without known names it stays free text')
})

t.test('known names are offered wherever one can stand', async (t) => {
  const { scenario, matrix } = jsonSchemas(known) as { scenario: Node; matrix: Node }
  const entry = matrix.properties.scenarios?.items as Node
  for (const schema of [scenario, matrix.properties.common as Node, entry]) {
    t.same(schema.properties.certificate?.enum, ['good', 'expired'])
    t.same(schema.properties.assert?.items.enum, ['no-hang'])
    t.same(schema.properties.flaw?.properties.name?.enum, ['skip-name-check'])
    const host = schema.properties.hosts?.additionalProperties as Node
    for (const stack of [schema.properties.stack, host.properties.stack]) {
      t.same(stack?.items.anyOf[0]?.enum, ['hide-starttls'])
      t.same(stack?.items.anyOf[1]?.properties.use?.enum, ['hide-starttls'])
    }
  }
  t.equal(entry.properties.id?.enum, undefined)
})
