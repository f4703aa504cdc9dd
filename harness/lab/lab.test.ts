/** The lab as a whole, with real layers of the Debian archive: what runs in it, and that there is no way out. */
import t from 'tap'
import { SHARED_CACHE, sharedLayers, visit } from './testing/visit.ts'

const layers = await sharedLayers('postfix', 'postfix@trixie')
const skip = typeof layers === 'string' ? { skip: layers } : {}

t.test('two releases of Postfix in roots side by side', skip, async (t) => {
  if (typeof layers === 'string') return
  const { code, stdout, stderr } = await visit(t, t.testdir(), SHARED_CACHE, 'postfix,postfix@trixie', 'versions').ended
  t.equal(code, 0, stderr)
  const [bookworm = '', trixie = ''] = JSON.parse(stdout) as string[]
  t.match(bookworm, /^3\.7\./)
  t.match(trixie, /^3\.10\./)
  t.ok(layers[0]?.version.startsWith(bookworm), 'the version of the layer is the one that runs')
  t.ok(layers[1]?.version.startsWith(trixie))
})

t.test('the network: all of it is ours, and there is none beyond', skip, async (t) => {
  const { code, stdout, stderr } = await visit(t, t.testdir(), SHARED_CACHE, 'postfix', 'network').ended
  t.equal(code, 0, stderr)
  t.strictSame(JSON.parse(stdout), {
    hostname: 'client.lab.badmx.test',
    inRoot: 'client.lab.badmx.test',
    first: 'from 203.0.113.2',
    last: 'from 203.0.113.2',
    six: 'from 2001:db8:203::2',
    loopback: 'from 127.0.0.1',
    outside: 'ENETUNREACH',
    outside6: 'ENETUNREACH',
    beyond: 'ENETUNREACH',
  })
})
