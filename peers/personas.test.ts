import t from 'tap'
import { checkedPersonas } from './persona-file.ts'
import { loadPersonas } from './personas.ts'
import { checkStack, loadBehaviours } from './registry.ts'

t.test('the build has kept every persona as its file says it', async (t) => {
  const checked = new Map(checkedPersonas().map((persona) => [persona.id, persona]))
  t.ok(checked.size > 0)
  t.strictSame(await loadPersonas(), checked)
})

t.test('every persona is made of behaviours that there are and that prove themselves together', async (t) => {
  const behaviours = await loadBehaviours()
  const personas = await loadPersonas()
  t.ok(personas.has('sound') && personas.has('cisco-pix'))
  for (const { id, stack } of personas.values()) t.strictSame(checkStack(stack, behaviours), [], id)
})

t.test('a persona without faults has an empty stack, one that masks STARTTLS has not', async (t) => {
  const personas = await loadPersonas()
  t.strictSame(personas.get('sound')?.stack, [])
  t.ok(personas.get('cisco-pix')?.stack.some(({ use }) => use === 'rewrite-starttls-line'))
})

t.test('an option changes what it says, and nothing else', async (t) => {
  const plain = (await loadPersonas()).get('exchange-2003')
  const patched = plain?.options['kb948963']
  const suites = plain?.tls.legacy?.suites ?? []
  t.strictSame(patched?.tls.legacy?.suites, ['AES256-SHA', 'AES128-SHA', ...suites])
  t.strictSame({ ...patched?.tls.legacy, suites }, plain?.tls.legacy)
  t.strictSame([patched?.stack, patched?.certificate], [plain?.stack, plain?.certificate])
  t.match(patched, { id: 'exchange-2003:kb948963=true', options: {} })
  t.match(patched?.title, /^Exchange 2003, .*, with hotfix KB948963/)
})
