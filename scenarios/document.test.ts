import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { z } from 'zod'
import { type Behaviour, defineBehaviour } from '../peers/behaviour.ts'
import { loadDnsFaults } from '../peers/dns/faults.ts'
import { packageRoot } from '../peers/package-root.ts'
import { loadBehaviours } from '../peers/registry.ts'
import { behavioursMarkdown, catalogueMarkdown, dnsFaultsMarkdown } from './document.ts'
import { loadCatalogue } from './load.ts'
import { sampleScenario } from './test/sample-scenario.ts'
import { loadWaiting } from './waiting.ts'

t.test('the catalogue: families, cells, what waits', async (t) => {
  const scenarios = [
    sampleScenario('ctl-a'),
    sampleScenario('strip-a', {
      title: 'A | B',
      wire: 'two\nlines with <b> and `code`',
      expect: { may: 'D>C|C', encrypt: 'D' },
      asserts: ['no-hang', 'no-crash'],
    }),
  ]
  const markdown = catalogueMarkdown(scenarios, [
    { id: 'dane-b', reason: 'no zones', needs: 'dns', cases: [], file: 'x' },
    { id: 'strip-c', reason: 'no ports', needs: 'a-port', cases: [], file: 'x' },
  ])
  t.match(markdown, '2 scenarios (0 critical, 2 high, 0 medium, 0 low); 2 more wait.')
  t.match(markdown, /## `control`: .* \(1\)[\s\S]*## `strip`: .* \(1\)[\s\S]*## Waiting \(2\)/)
  t.match(
    markdown,
    '| `strip-a`<br>A \\| B | two lines with &lt;b> and \\`code\\` | `-` | `D>C\\|C` | `D` | ' +
      '`-` | `-` | `-` | `-` | high | `no-hang`<br>`no-crash` | `no-second-ehlo` under may | RFC 3207 §4; a field report |',
  )
  t.match(markdown, /\| `strip-c` \| a-port \| no ports \|\n\| `dane-b` \| dns \| no zones \|\n$/)
  t.notMatch(catalogueMarkdown(scenarios, []), /Waiting/)
})

t.test('the behaviours: facts and parameters', async (t) => {
  const behaviour = defineBehaviour({
    id: 'refuse-starttls',
    title: 'Refuses STARTTLS',
    source: ['RFC 3207 §4'],
    plane: 'smtp',
    parameters: z.object({ close: z.enum(['none', 'fin']).default('none').describe('What then?') }),
    shapes: ['starttls-reply'],
    hides: ['handshake'],
    create: () => ({ on: () => [] }),
  }) as Behaviour
  const markdown = behavioursMarkdown(new Map([[behaviour.id, behaviour]]))
  t.match(
    markdown,
    '## `refuse-starttls`\n\nRefuses STARTTLS\n\n- shapes: starttls-reply\n- hides, once fired: handshake\n',
  )
  t.match(markdown, '| `close` | "none" or "fin" | `"none"` | What then? |')
  t.notMatch(markdown, 'under TLS')
})

t.test('DNS faults: title, side, source, parameters', async (t) => {
  const markdown = dnsFaultsMarkdown(await loadDnsFaults())
  t.match(markdown, '## `omit-denial`\n\nDenies without a proof, but signed\n\n- source: danefail/list; ')
  t.match(markdown, '| `of` | "no-data" or "no-name" or "every" | `"no-data"` | Which denials have no proof. |')
  t.match(markdown, '## `mismatch-ds`\n\nHas a DS above for another key\n\n- the zone above answers wrongly')
})

t.test('the committed pages are up to date', async (t) => {
  const root = packageRoot()
  const [catalogue, { waiting }, behaviours] = await Promise.all([loadCatalogue(), loadWaiting(), loadBehaviours()])
  const pages = [
    [join(root, 'scenarios', 'CATALOGUE.md'), catalogueMarkdown(catalogue.scenarios, waiting)],
    [join(root, 'peers', 'BEHAVIOURS.md'), behavioursMarkdown(behaviours)],
    [join(root, 'peers', 'dns', 'FAULTS.md'), dnsFaultsMarkdown(await loadDnsFaults())],
  ] as const
  for (const [file, want] of pages)
    if (existsSync(file)) t.equal(await readFile(file, 'utf8'), want, 'generate it again')
    else t.pass(`${file} is not there`)
})
