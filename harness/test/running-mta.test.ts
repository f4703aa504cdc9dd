/** `--client smtp:ADDRESS:PORT`: a real Postfix that badmx has neither configured nor started, judged by the wire and its bounces. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { CellRecord, RunRecord } from '../../scenarios/record.ts'
import { sharedLayers, visit } from '../lab/testing/visit.ts'
import { badmx } from './program.ts'

const layers = await sharedLayers('postfix')
const skip = typeof layers === 'string' ? { skip: layers } : {}

const ALERT = 'tls/tls-alert-handshake-failure'
const REFUSED = 'strip/strip-reply-501'
const OMIT = 'strip/strip-ehlo-omit'
const SECOND = 'mx/mx-ipv6-broken'
const CLIENT = 'smtp:127.0.0.1:2525'

for (const network of ['lab', 'loopback'])
  t.test(`a Postfix that runs already, ${network}`, { ...skip, timeout: 180_000 }, async (t) => {
    const cwd = t.testdir({})
    const only = [ALERT, REFUSED, OMIT, SECOND].join(',')
    const words = ['run', '--client', CLIENT, '--only', only, '--policy', 'may,encrypt,verify', '--out', 'r']
    const done = await visit(t, { cwd }, 'postfix', 'beside-postfix', network, ...words).ended
    t.equal(done.stdout.trim().split('\n').at(-1), '1', done.stderr.slice(-500))
    const record = JSON.parse(readFileSync(join(cwd, 'r', 'run.json'), 'utf8')) as RunRecord
    const cell = (name: string): CellRecord | undefined => record.cells.find(({ id }) => id === `${name}/${CLIENT}`)
    const reason = (name: string): string => `${cell(name)?.verdict}: ${cell(name)?.reason}`

    for (const { id, role, policy, verdict, reason } of record.cells)
      if (role !== 'scenario' && policy !== 'verify') t.equal(verdict, 'pass', `${id}: ${reason}`)
    t.match(
      record.clients.find(({ id }) => id === CLIENT),
      { version: /ESMTP Postfix/, configuration: /badmx has seen no file of it/ },
    )

    t.match(cell(`${OMIT}/may`), { outcome: { first: 'delivered-cleartext' } }, reason(`${OMIT}/may`))
    // It comes back by itself; in clear where the message is then older than its minimal_backoff_time.
    const deferred = cell(`${ALERT}/may`)
    t.match(deferred, { verdict: 'pass', outcome: { first: 'deferred' } }, reason(`${ALERT}/may`))
    t.ok((deferred?.attempts[1]?.connections.length ?? 0) > 0, 'it came back')
    t.match(deferred?.outcome.final, /^(deferred|delivered-cleartext)$/)
    t.match(
      cell(`${ALERT}/encrypt`),
      { verdict: 'pass', outcome: { first: 'deferred', final: 'deferred' } },
      reason(`${ALERT}/encrypt`),
    )
    // It gives up at once, and the bounce says so.
    t.match(cell(`${REFUSED}/encrypt`), { outcome: { first: 'bounced' } }, reason(`${REFUSED}/encrypt`))
    // It was configured to no such thing, and badmx is told that it was.
    t.match(
      cell(`${OMIT}/verify`),
      { verdict: 'leak', outcome: { first: 'delivered-cleartext' } },
      reason(`${OMIT}/verify`),
    )
    if (network === 'loopback')
      t.match(cell(`${SECOND}/may`), { verdict: 'unsupported', reason: /one IPv6 address/ }, reason(`${SECOND}/may`))
    else t.match(cell(`${SECOND}/may`), { outcome: { first: 'delivered-verified' } }, reason(`${SECOND}/may`))
  })

t.test('what badmx cannot know has to be said', async (t) => {
  const cwd = t.testdir({})
  const run = (...words: string[]) => badmx(t, cwd, 'run', ...words)
  const untold = await run('--client', CLIENT)
  t.equal(untold.code, 2)
  t.match(untold.stderr, /is configured by you: --policy has to say to what/)
  const elsewhere = await run('--client', 'smtp:192.0.2.1:25', '--policy', 'may')
  t.equal(elsewhere.code, 2)
  t.match(elsewhere.stderr, /192\.0\.2\.1 is not an address of this machine/)
  const nobody = await run('--client', 'smtp:127.0.0.1:9', '--policy', 'may')
  t.equal(nobody.code, 2)
  t.match(nobody.stderr, /nothing sound answers at 127\.0\.0\.1 port 9/)
  const wrong = await run('--client', 'smtp:mail.example.test', '--policy', 'may')
  t.equal(wrong.code, 2)
  t.match(wrong.stderr, /want smtp:ADDRESS:PORT/)
})
