import { pathToFileURL } from 'node:url'
import t from 'tap'
import { z } from 'zod'
import { type Behaviour, defineBehaviour, MOMENTS, type Moment } from './behaviour.ts'
import { checkStack, loadBehaviours, parametersOf } from './registry.ts'

function sample(id: string, shapes: readonly Moment[], hides: readonly Moment[] = []): Behaviour {
  const behaviour = defineBehaviour({
    id,
    title: id,
    source: ['RFC 3207 §4'],
    plane: 'smtp',
    parameters: z.object({
      code: z.int().min(200).max(599).default(454).describe('Reply code.'),
      close: z.enum(['none', 'fin']).default('none').describe('What becomes of the connection.'),
    }),
    shapes,
    hides,
    create: () => ({ on: () => [] }),
  })
  return behaviour as Behaviour
}

const known = new Map(
  [
    sample('hide-starttls', ['ehlo-reply']),
    sample('pad-ehlo-reply', ['ehlo-reply']),
    sample('refuse-starttls', ['starttls-reply'], ['after-220', 'handshake']),
    sample('inject-after-220', ['after-220']),
    sample('withhold-ehlo-reply', ['ehlo-in-tls']),
  ].map((behaviour) => [behaviour.id, behaviour]),
)
const messages = (items: Parameters<typeof checkStack>[0]) =>
  checkStack(items, known).map((problem) => `${problem.index} ${problem.path.join('.')}: ${problem.message}`)

const file = (id: string) =>
  `export const behaviour = { id: '${id}', parameters: { safeParse: () => ({ success: true }) } }\n`

t.test('behaviours are found by listing, tests and modules without one are passed over', async (t) => {
  const folder = t.testdir({
    'package.json': '{"type":"module"}',
    'b-two.js': file('b-two'),
    'a-one.js': file('a-one'),
    'a-one.test.js': 'throw new Error("a test was loaded")',
    'a-one.d.ts': '',
    'playbook.js': 'export const play = 1',
  })
  const found = await loadBehaviours(pathToFileURL(`${folder}/`))
  t.same([...found.keys()], ['a-one', 'b-two'])
})

t.test('an id that is not the name of the file is an error', async (t) => {
  const folder = t.testdir({ 'package.json': '{"type":"module"}', 'a-one.js': file('a-two') })
  await t.rejects(loadBehaviours(pathToFileURL(`${folder}/`)), { code: 'behaviour-file', message: /got id "a-two"/ })
})

t.test('a module that cannot be loaded is named', async (t) => {
  const folder = t.testdir({ 'package.json': '{"type":"module"}', 'a-one.js': 'throw new Error("broken")' })
  await t.rejects(loadBehaviours(pathToFileURL(`${folder}/`)), { message: /peers.behaviours.a-one: .*broken/ })
})

t.test('every shipped behaviour says what it is', async (t) => {
  for (const behaviour of (await loadBehaviours()).values()) {
    t.match(behaviour.id, /^[a-z0-9]+(-[a-z0-9]+)*$/)
    t.ok(behaviour.title.length > 0 && !behaviour.title.includes('\n'), `${behaviour.id} has a title of one line`)
    t.ok(behaviour.source.length > 0, `${behaviour.id} has a source`)
    t.ok(behaviour.shapes.length > 0, `${behaviour.id} shapes a moment`)
    t.same(
      [...behaviour.shapes, ...behaviour.hides].filter((moment) => !MOMENTS.includes(moment)),
      [],
    )
    for (const { name, description } of parametersOf(behaviour))
      t.ok(description !== '', `${behaviour.id}: ${name} has a description`)
  }
})

t.test('sound stacks have no problems', async (t) => {
  t.same(messages([]), [])
  t.same(messages([{ use: 'hide-starttls' }, { use: 'refuse-starttls', with: { code: 502 }, fires: 'may' }]), [])
  t.same(messages([{ use: 'inject-after-220' }, { use: 'withhold-ehlo-reply' }]), [])
  t.same(
    messages([{ use: 'refuse-starttls' }, { use: 'inject-after-220', fires: 'may' }]),
    [],
    'a companion may be hidden',
  )
  t.same(
    messages([{ use: 'refuse-starttls', fires: 'must-not' }, { use: 'inject-after-220' }]),
    [],
    'a member that must stay silent hides nothing',
  )
})

t.test('unknown behaviours and parameters', async (t) => {
  t.match(checkStack([{ use: 'hide-startls' }], known), [{ index: 0, path: ['use'], nearest: 'hide-starttls' }])
  t.match(checkStack([{ use: 'refuse-starttls', with: { cod: 454 } }], known), [
    { index: 0, path: ['with', 'cod'], nearest: 'code', expected: 'code, close' },
  ])
  t.match(checkStack([{ use: 'hide-starttls' }, { use: 'refuse-starttls', with: { code: 99 } }], known), [
    { index: 1, path: ['with', 'code'], message: /refuse-starttls: .*200/ },
  ])
})

t.test('members that would hide each other are refused, in both orders', async (t) => {
  const both = (a: string, b: string) => [messages([{ use: a }, { use: b }]), messages([{ use: b }, { use: a }])]
  for (const found of both('hide-starttls', 'pad-ehlo-reply')) t.match(found, [/^1 : .*both shape ehlo-reply/])
  for (const found of both('refuse-starttls', 'inject-after-220'))
    t.match(found, [/^1 : "refuse-starttls" hides after-220/])
  t.match(
    messages([{ use: 'refuse-starttls' }, { use: 'inject-after-220', fires: 'must-not' }]),
    [/hides after-220/],
    'silence that was forced proves nothing',
  )
  t.match(messages([{ use: 'hide-starttls' }, { use: 'hide-starttls', fires: 'may' }]), [/1 use: .*stands twice/])
})

t.test('parameters for documentation', async (t) => {
  t.same(parametersOf(sample('x', ['mail'])), [
    { name: 'code', type: 'integer', default: '454', description: 'Reply code.' },
    { name: 'close', type: '"none" or "fin"', default: '"none"', description: 'What becomes of the connection.' },
  ])
})
