import t from 'tap'
import { scenarioJsonSchema } from './json-schema.ts'
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
  readonly if: Node
  readonly then: Node
  readonly else: Node
}

const behaviours = new Map([['hide-starttls', {} as never]])
const known = { behaviours, certificates: ['good', 'expired'], asserts: ['no-hang'], flaws: ['skip-name-check'] }

t.test('a scenario', async (t) => {
  const whole = scenarioJsonSchema() as Node
  t.equal(whole.$schema, 'http://json-schema.org/draft-07/schema#')
  t.same(whole.if.required, ['scenarios'], 'what makes a file a matrix')
  t.same(whole.then.required, ['common', 'scenarios'])
  const schema = whole.else
  t.equal(schema.additionalProperties, false, 'a mistyped key is marked')
  t.same(schema.required, ['id', 'title', 'wire', 'source', 'severity', 'expect', 'flaw'])
  t.same(Object.keys(schema.properties.expect?.properties ?? {}), [...COLUMNS])
  t.match(schema.properties.wire?.description, /for a person/)
  t.equal(schema.properties.certificate?.enum, undefined, 'without known names it stays free text')
})

t.test('known names are offered wherever one can stand', async (t) => {
  const { else: scenario, then: matrix } = scenarioJsonSchema(known) as Node
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
