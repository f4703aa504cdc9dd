import t from 'tap'
import { loadPersonas } from './personas.ts'
import { checkStack, loadBehaviours } from './registry.ts'

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
