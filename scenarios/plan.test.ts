import t from 'tap'
import { canonicalJson, type PlanClient, type PlanRequest, plan } from './plan.ts'
import { POLICIES, type Policy } from './policy.ts'
import { SAMPLE_CONTROLS, SAMPLE_HOST, sampleScenario } from './test/sample-scenario.ts'

function client(id: string, given: Partial<PlanClient> = {}, not: Partial<Record<Policy, string>> = {}): PlanClient {
  const policies = Object.fromEntries(
    POLICIES.map((policy) => {
      const reason = not[policy]
      return [policy, reason === undefined ? { options: `--${policy}` } : { unsupported: reason }]
    }),
  ) as PlanClient['policies']
  const documented = { policy: 'may', source: 'its manual' } as const
  return { id, kind: 'one-shot', policies, namesPeers: true, passwords: true, documented, ...given }
}

const scenarios = [
  ...SAMPLE_CONTROLS,
  sampleScenario('strip-omit', {
    severity: 'critical',
    hosts: {
      mx: {
        ...SAMPLE_HOST,
        stack: [
          { use: 'hide-starttls', with: {}, fires: 'must' },
          { use: 'refuse-starttls', with: { code: 502 }, fires: 'may' },
        ],
      },
    },
    expect: { none: 'C', may: 'C', encrypt: 'D', verify: 'D', dane: 'D', 'mta-sts': 'D' },
  }),
  sampleScenario('strip-587', { expect: { none: '-', may: 'D', encrypt: 'D' } }),
  sampleScenario('cert-expired', {
    hosts: { mx: { ...SAMPLE_HOST, certificate: 'expired' } },
    nameDependent: true,
    expect: { none: 'C', may: 'U', encrypt: 'U', verify: 'D' },
  }),
  sampleScenario('auth-clear', {
    job: { steps: [{ submit: 2 }, { settle: 'first' }, { submit: 1 }], password: true },
    noVerdict: ['may'],
  }),
]
const base: PlanRequest = {
  scenarios,
  clients: [client('one')],
  reference: client('reference'),
  policies: ['may', 'encrypt'],
  only: [],
  seed: 7,
  timeScale: 1,
  repeat: 1,
}
const make = (change: Partial<PlanRequest>) => plan({ ...base, ...change })
const ids = (change: Partial<PlanRequest>, role = 'scenario') =>
  make(change)
    .cells.filter((cell) => cell.role === role)
    .map((cell) => cell.id)

t.test('cells with an expectation are planned, in catalogue order; others are not', async (t) => {
  t.same(ids({ only: ['strip'], policies: ['encrypt', 'none', 'may'] }), [
    'strip/strip-omit/none/one',
    'strip/strip-omit/may/one',
    'strip/strip-omit/encrypt/one',
    'strip/strip-587/may/one',
    'strip/strip-587/encrypt/one',
  ])
  t.same(ids({ only: ['strip-587', 'strip-omit'], policies: ['dane'] }), ['strip/strip-omit/dane/one'])
})

t.test('a cell has all that its verdict is measured against', async (t) => {
  const cell = make({ only: ['strip-omit'], policies: ['may'] }).cells.find((each) => each.role === 'scenario')
  t.match(cell, {
    id: 'strip/strip-omit/may/one',
    policy: 'may',
    judgedAs: 'may',
    kind: 'one-shot',
    expected: 'C',
    clause: 'RFC 3207 §4; a field report',
    noVerdict: false,
    proof: [
      { behaviour: 'hide-starttls', host: 'mx', fires: 'must' },
      { behaviour: 'refuse-starttls', host: 'mx', fires: 'may' },
    ],
    domain: 's5343d001a.may.badmx.test',
    hostNames: { mx: 'mx.s5343d001a.may.badmx.test' },
    credentials: false,
    messages: 1,
  })
  t.same(
    cell?.canaries.map((canary) => canary.name),
    ['sender', 'recipient', 'subject', 'body'],
  )
})

t.test('a certificate fault has to be sent', async (t) => {
  const cell = make({ only: ['cert'], policies: ['may'] }).cells.find((each) => each.role === 'scenario')
  t.same(cell?.proof, [{ behaviour: 'certificate:expired', host: 'mx', fires: 'must' }])
})

t.test('what fires in a later phase is needed too', async (t) => {
  const later = { ...SAMPLE_HOST, stack: [{ use: 'hide-starttls', with: {}, fires: 'must' as const }] }
  const early = { ...SAMPLE_HOST, stack: [{ use: 'hide-starttls', with: {}, fires: 'may' as const }] }
  const phased = sampleScenario('strip-vanish', { hosts: { mx: early }, phases: { gone: { mx: later } } })
  const found = make({ scenarios: [...SAMPLE_CONTROLS, phased], only: ['strip'] })
  const cell = found.cells.find((each) => each.role === 'scenario')
  t.same(cell?.proof, [{ behaviour: 'hide-starttls', host: 'mx', fires: 'must' }])
})

t.test('passwords: canaries and credentials, or unsupported', async (t) => {
  const cells = (passwords: boolean) =>
    make({ only: ['auth'], clients: [client('one', { passwords })] }).cells.filter((cell) => cell.role === 'scenario')
  const [first] = cells(true)
  t.equal(first?.credentials, true)
  t.equal(first?.messages, 3)
  t.equal(first?.noVerdict, true)
  t.same(
    first?.canaries.slice(4).map((canary) => canary.name),
    ['user', 'password'],
  )
  const [without] = cells(false)
  t.equal(without?.credentials, false)
  t.match(without?.unsupported, /one does not authenticate/)
})

t.test('DANE that is switched off: for its own domain the cell is judged as may, for another it is not', async (t) => {
  const of = (withoutDane: string, policy: Policy, given: Partial<PlanClient> = { exceptions: true }) =>
    make({
      scenarios: [
        ...SAMPLE_CONTROLS,
        sampleScenario('dane-off', {
          family: 'dns',
          dns: { wildcard: false, zones: {}, tlsa: {}, prove: ['@ MX', '_25._tcp.mx TLSA'] },
          job: { steps: [{ submit: 1 }], password: false, withoutDane },
          expect: { may: 'V', dane: 'V|U', 'dane-only': 'D' },
        }),
      ],
      only: ['dane-off'],
      policies: [policy],
      clients: [client('one', given)],
    }).cells.find(({ scenario, role }) => scenario.id === 'dane-off' && role === 'scenario')
  const own = of('{domain}', 'dane')
  t.match(own, { policy: 'dane', judgedAs: 'may', expected: 'V|U', withoutDane: own?.domain, unsupported: undefined })
  t.same(
    own?.proof.map(({ behaviour }) => behaviour),
    ['record:@ MX'],
    'without DANE nobody asks for TLSA records',
  )
  const other = of('below.{domain}', 'dane-only')
  t.match(other, { judgedAs: 'dane-only', expected: 'D', withoutDane: `below.${other?.domain}` })
  t.match(
    other?.proof.map(({ behaviour }) => behaviour),
    ['record:@ MX', 'record:_25._tcp.mx TLSA'],
  )
  t.match(of('{domain}', 'may'), { judgedAs: 'may', withoutDane: undefined }, 'there is nothing to switch off')
  t.match(of('{domain}', 'dane', {})?.unsupported, /one cannot be told to go without DANE for one domain/)
  t.equal(of('{domain}', 'may', {})?.unsupported, undefined)
  t.match(of('{domain}', 'default', { exceptions: true, documented: { policy: 'dane', source: 'x' } }), {
    judgedAs: 'may',
    expected: 'V|U',
  })
})

t.test('a recipient below the domain of the cell', (t) => {
  const of = (recipientAt: object) =>
    make({
      scenarios: [
        ...SAMPLE_CONTROLS,
        sampleScenario('strip-a', { job: { steps: [{ submit: 1 }], password: false, ...recipientAt } }),
      ],
      only: ['strip-a'],
    }).cells.find(({ scenario, role }) => scenario.id === 'strip-a' && role === 'scenario')
  const below = of({ recipientAt: 'nowhere.{domain}' })
  t.equal(below?.recipientDomain, `nowhere.${below?.domain}`)
  const own = of({})
  t.equal(own?.recipientDomain, own?.domain)
  t.end()
})

t.test('unsupported cells stay in the plan with the reason', async (t) => {
  const one = client('one', { namesPeers: false }, { encrypt: 'it has no such option' })
  const reasons = Object.fromEntries(
    make({ clients: [one], policies: ['may', 'encrypt', 'mta-sts'], only: ['cert', 'strip-omit'] }).cells.map(
      (cell) => [cell.id, cell.unsupported],
    ),
  )
  t.equal(reasons['strip/strip-omit/encrypt/one'], 'it has no such option')
  t.equal(reasons['control/ctl-tls13-pkix/encrypt/one'], 'it has no such option')
  t.equal(reasons['strip/strip-omit/may/one'], undefined)
  t.match(reasons['cert/cert-expired/may/one'], /only be given an address/)
  t.match(reasons['strip/strip-omit/mta-sts/one'], /cannot run the policy mta-sts/)
})

t.test('default is judged as what the client documents', async (t) => {
  const strict = client('one', { documented: { policy: 'verify', source: 'x' } })
  const cell = make({ clients: [strict], policies: ['default'], only: ['strip-omit'] }).cells.at(-1)
  t.match(cell, { id: 'strip/strip-omit/default/one', policy: 'default', judgedAs: 'verify', expected: 'D' })
  t.equal(cell?.unsupported, undefined)
  const sts = client('one', { documented: { policy: 'mta-sts', source: 'x' } })
  const claimed = make({ clients: [sts], policies: ['default'], only: ['strip-omit'] }).cells.at(-1)
  t.match(claimed?.unsupported, /cannot run the policy mta-sts/)
})

t.test('implicit: the column of verify, families that are not about STARTTLS, its own controls', async (t) => {
  t.same(ids({ policies: ['implicit'] }), ['cert/cert-expired/implicit/one'])
  const cell = make({ policies: ['implicit'] }).cells.at(-1)
  t.match(cell, { judgedAs: 'implicit', expected: 'D' })
  t.same(ids({ policies: ['implicit'] }, 'client-control').sort(), [
    'control/ctl-implicit-tls/implicit/one',
    'control/ctl-tls12-pkix/implicit/one',
    'control/ctl-tls13-pkix/implicit/one',
  ])
  t.throws(() => ids({ policies: ['implicit'], only: ['strip'] }), { code: 'nothing-planned' })
  t.throws(() => ids({ policies: ['verify'], only: ['ctl-implicit-tls'] }), { code: 'nothing-planned' })
})

t.test('controls come with every client and policy, once, whatever was selected', async (t) => {
  const request = { only: ['strip-omit'], repeat: 2, clients: [client('one'), client('two')] }
  const controls = ids(request, 'client-control')
  t.equal(controls.length, 2 * 2 * 3)
  t.ok(controls.includes('control/ctl-no-tls-peer/encrypt/two'))
  t.same(ids(request, 'harness-control'), [
    'control/ctl-tls13-pkix/may/reference',
    'control/ctl-tls12-pkix/may/reference',
    'control/ctl-no-tls-peer/may/reference',
    'control/ctl-tls13-pkix/verify/reference',
    'control/ctl-tls12-pkix/verify/reference',
    'control/ctl-no-tls-peer/verify/reference',
  ])
  t.ok(ids({ policies: ['implicit'] }, 'harness-control').includes('control/ctl-implicit-tls/implicit/reference'))
  t.same(ids({ only: ['control'], policies: ['may'] }), [], 'a control that was selected is still a control')
  t.throws(
    () => make({ scenarios: scenarios.slice(SAMPLE_CONTROLS.length) }),
    /ctl-tls13-pkix is not among the scenarios/,
  )
})

t.test('no id twice, also for the reference client as client under test', async (t) => {
  const all = make({ clients: [base.reference], repeat: 3, policies: ['may', 'verify', 'implicit'] }).cells
  t.equal(new Set(all.map((cell) => cell.id)).size, all.length)
  t.equal(all.find((cell) => cell.id === 'control/ctl-tls13-pkix/may/reference')?.role, 'harness-control')
})

t.test('repetitions have their own ids, domains and canaries', async (t) => {
  const cells = make({ only: ['strip-omit'], policies: ['may'], repeat: 3 }).cells.filter((c) => c.role === 'scenario')
  t.same(
    cells.map((cell) => [cell.id, cell.hostNames.mx]),
    [
      ['strip/strip-omit/may/one', 'mx.s5343d001a.may.badmx.test'],
      ['strip/strip-omit/may/one#2', 'mx.again2.s5343d001a.may.badmx.test'],
      ['strip/strip-omit/may/one#3', 'mx.again3.s5343d001a.may.badmx.test'],
    ],
  )
})

t.test('canaries: long enough, all different, repeatable, of the seed and the cell alone', async (t) => {
  const all = (change: Partial<PlanRequest>) => make(change).cells.flatMap((cell) => cell.canaries)
  const values = all({ repeat: 20 }).map((canary) => canary.value)
  t.equal(new Set(values).size, values.length)
  t.ok(values.every((value) => /^[a-z0-9]{16,}$/.test(value)))
  t.same(all({}), all({}))
  t.notSame(all({ seed: 8 })[0], all({})[0])
  const cell = (change: Partial<PlanRequest>) =>
    make(change).cells.find((each) => each.id === 'strip/strip-omit/may/one')?.canaries
  t.same(cell({ only: ['strip-omit'] }), cell({}), 'a smaller run searches for the same texts')
})

t.test('the digest says whether two plans are the same', async (t) => {
  const { digest } = make({})
  t.match(digest, /^[0-9a-f]{64}$/)
  t.equal(make({}).digest, digest)
  t.equal(make({ shard: { index: 2, count: 3 } }).digest, digest, 'shards of one plan share it')
  const moved = scenarios.map((scenario) => ({ ...scenario, file: `/elsewhere/${scenario.id}.yaml` }))
  t.equal(make({ scenarios: moved }).digest, digest, 'where the files lie does not matter')
  const changed = scenarios.map((scenario) => ({ ...scenario, expect: { ...scenario.expect, may: 'D' } }))
  for (const other of [{ seed: 8 }, { timeScale: 2 }, { repeat: 2 }, { scenarios: changed }, { only: ['cert'] }])
    t.not(make(other).digest, digest, JSON.stringify(Object.keys(other)))
  t.equal(canonicalJson({ b: [{ d: 1, c: 2 }], a: 0 }), '{"a":0,"b":[{"c":2,"d":1}]}')
})

t.test('shards: each cell in one, controls in all', async (t) => {
  const parts = [1, 2, 3].map((index) => make({ repeat: 10, shard: { index, count: 3 } }))
  const whole = make({ repeat: 10 })
  const others = parts.flatMap((part) => part.cells).filter((cell) => cell.role === 'scenario')
  t.same(others.map((cell) => cell.id).sort(), ids({ repeat: 10 }).sort())
  for (const part of parts) {
    t.equal(part.cells.filter((cell) => cell.role !== 'scenario').length, 6 + 6)
    t.same(part.whole, whole.whole)
    t.ok(
      part.cells.some((cell) => cell.role === 'scenario'),
      'none is empty here',
    )
  }
})

t.test('only what failed last time', async (t) => {
  t.same(ids({ lastFailed: ['strip/strip-omit/may/one', 'gone/gone/may/one'] }), ['strip/strip-omit/may/one'])
  t.throws(() => ids({ lastFailed: [] }), { code: 'nothing-planned', message: /none is among the 0 cells/ })
})

t.test('long waits are marked', async (t) => {
  const slow = sampleScenario('strip-silent', { asserts: ['bounded-wait'] })
  const { cells } = make({ scenarios: [...scenarios, slow] })
  t.ok(cells.filter((cell) => cell.scenario.id === 'strip-silent').every((cell) => cell.slow))
  t.notOk(cells.filter((cell) => cell.scenario.id === 'strip-omit').some((cell) => cell.slow))
})

t.test('messages under another policy', async (t) => {
  const steps = [{ submit: 1, policy: 'may' as const }, { submit: 1 }]
  const extra = sampleScenario('resume-cross', { job: { steps, password: false } })
  const change = {
    scenarios: [...scenarios, extra],
    only: ['resume'],
    policies: ['verify', 'implicit'] as const satisfies readonly Policy[],
  }
  t.same(ids(change), ['resume/resume-cross/verify/one'], 'a host with TLS on connect has no STARTTLS')
  const one = client('one', {}, { may: 'it always verifies' })
  const cell = make({ ...change, clients: [one] }).cells.find(({ scenario }) => scenario === extra)
  t.match(cell, { messages: 2, unsupported: /another policy: it always verifies/ })
})
