import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { run } from '../testing/programs.ts'
import { Internet } from './internet.ts'
import { lacks } from './testing/unbound.ts'
import { anchorFile, bindAnchorFile } from './trust-anchor.ts'
import { hintsFile, unboundConfiguration } from './unbound-configuration.ts'
import { zone } from './zone.ts'

const BOXED = [{ name: 'ns.badmx.test', address: '198.18.0.9', middlebox: '198.18.0.10' }]

t.test('anchor and hints', async (t) => {
  const internet = await Internet.create()
  t.match(anchorFile(internet), /^\. 300 IN DS \d+ 13 2 [0-9a-f]{64}\n$/)
  t.match(bindAnchorFile(internet), /^trust-anchors \{ \. static-ds \d+ 13 2 "[0-9a-f]{64}"; \};\n$/)
  t.equal(hintsFile(internet), '. 3600 IN NS ns.test.\nns.test. 300 IN A 198.18.0.1\n')
  const bare = await Internet.create([zone('.', [], { signing: 'none' })])
  t.throws(() => anchorFile(bare), /the root is not signed/)
})

t.test('every variant is one that unbound takes', { skip: lacks('unbound-checkconf', '-h') }, async (t) => {
  const internet = await Internet.create([zone('badmx.test', [], { servers: BOXED })])
  const folder = t.testdir({ anchor: anchorFile(internet), hints: hintsFile(internet) })
  const common = { internet, anchor: join(folder, 'anchor'), hints: join(folder, 'hints') }
  const listen = [
    { address: '127.0.0.1', port: 5300 },
    { address: '::1', port: 5300 },
  ]
  for (const profile of ['classic', 'modern'] as const)
    for (const timing of ['fast', 'realistic'] as const)
      for (const port of [{}, { port: 5353 }, { forward: { address: '::1', port: 5400 } }]) {
        const text = unboundConfiguration({ ...common, listen, profile, timing, ...port })
        writeFileSync(join(folder, 'conf'), text)
        const { code, stderr } = await run('unbound-checkconf', [join(folder, 'conf')])
        t.equal(code, 0, `${profile} ${timing} ${JSON.stringify(port)}: ${stderr}`)
        t.equal(text.includes('stub-addr: 198.18.0.10@5353'), 'port' in port, 'the box is what the world knows')
        t.equal(text.includes('forward-addr: ::1@5400'), 'forward' in port)
        t.equal(text.includes('infra-cache-max-rtt'), timing === 'fast')
        t.match(text, `qname-minimisation: ${profile === 'modern' ? 'yes' : 'no'}`)
      }
})
