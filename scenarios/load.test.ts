import t from 'tap'
import { z } from 'zod'
import { type Behaviour, defineBehaviour, type Moment } from '../peers/behaviour.ts'
import { loadDnsFaults } from '../peers/dns/faults.ts'
import type { KnownNames } from './check.ts'
import { loadCatalogue, loadScenarioFile, merge } from './load.ts'
import { problemText } from './problem.ts'

function sample(id: string, shapes: readonly Moment[]): [string, Behaviour] {
  const parameters = z.object({ code: z.int().default(454).describe('Reply code.') })
  const behaviour = { id, title: id, source: ['x'], plane: 'smtp', parameters, shapes, hides: [] } as const
  return [id, defineBehaviour({ ...behaviour, create: () => ({ on: () => [] }) }) as Behaviour]
}

const known: KnownNames = {
  behaviours: new Map([
    sample('hide-starttls', ['ehlo-reply']),
    sample('pad-ehlo-reply', ['ehlo-reply']),
    sample('refuse-starttls', ['starttls-reply']),
  ]),
  certificates: ['good', 'expired'],
  clientCertificates: ['good'],
  asserts: ['starttls-once'],
  flaws: ['ignore-missing-starttls'],
  checkExpectation: (text) => (/^[VUCDB|>w:~-]+$/.test(text) ? undefined : `cannot read "${text}"`),
}

const FILE = 'scenarios/catalogue/strip/strip-omit.yaml'
const GOOD = `id: strip-omit
title: STARTTLS line removed
wire: The line is gone
source: [RFC 3207 §6]
severity: critical
stack:
  - hide-starttls
  - use: refuse-starttls
    with: { code: 502 }
    fires: may
expect: { none: C, may: C, encrypt: D, verify: D, dane: '-' }
assert: [starttls-once]
flaw: { name: ignore-missing-starttls, policy: encrypt }
`
const problems = (text: string, file = FILE) => loadScenarioFile(file, text, known).problems.map(problemText)
const edited = (from: string | RegExp, to: string) => {
  const text = GOOD.replace(from, to)
  if (text === GOOD) throw new Error(`the sample has no ${from}`)
  return text
}

t.test('a sound file is spelt out', async (t) => {
  const { scenarios, problems } = loadScenarioFile(FILE, GOOD, known)
  t.same(problems, [])
  t.same(scenarios, [
    {
      id: 'strip-omit',
      family: 'strip',
      name: 'strip/strip-omit',
      file: FILE,
      title: 'STARTTLS line removed',
      wire: 'The line is gone',
      source: ['RFC 3207 §6'],
      cases: [],
      severity: 'critical',
      hosts: {
        mx: {
          preference: 10,
          address: 'ipv4',
          stack: [
            { use: 'hide-starttls', with: {}, fires: 'must' },
            { use: 'refuse-starttls', with: { code: 502 }, fires: 'may' },
          ],
          certificate: 'good',
          tls: { on: 'starttls', min: 'TLSv1.2', max: 'TLSv1.3' },
          extensions: {},
        },
      },
      dns: { wildcard: false, zones: { '{domain}': { records: [], faults: [] } }, tlsa: {}, prove: [] },
      phases: {},
      expect: { none: 'C', may: 'C', encrypt: 'D', verify: 'D', dane: '-' },
      asserts: ['starttls-once'],
      verbMayWork: false,
      noVerdict: [],
      needsQueue: false,
      nameDependent: false,
      job: { steps: [{ submit: 1 }, { settle: 'first' }], password: false },
      flaw: { name: 'ignore-missing-starttls', with: [], policy: 'encrypt' },
    },
  ])
})

t.test('a phase changes what its author wrote and nothing else', async (t) => {
  const text = `${edited('stack:\n', 'certificate: expired\ntls: { min: TLSv1.3 }\nstack:\n')}phases:
  gone: { mx: { stack: [], tls: { on: none } } }
job: { steps: [submit: 1, phase: gone, settle: first] }
`
  const { scenarios, problems } = loadScenarioFile(FILE, text, known)
  t.same(problems, [])
  const gone = scenarios[0]?.phases.gone?.mx
  t.same(gone?.stack, [])
  t.equal(gone?.certificate, 'expired', 'the default of a field that was not written does not undo the base')
  t.same(gone?.tls, { on: 'none', min: 'TLSv1.3', max: 'TLSv1.3' })
})

t.test('a matrix: common fields, and each entry its own', async (t) => {
  const text = `common:
  title: A title for all
  wire: w
  source: [s]
  severity: high
  expect: { may: C }
  flaw: { name: ignore-missing-starttls, policy: may }
scenarios:
  - { id: strip-b, stack: [refuse-starttls] }
  - { id: strip-a, title: Its own, expect: { may: V } }
`
  const file = 'scenarios/catalogue/strip/replies.matrix.yaml'
  const { scenarios, problems: none } = loadScenarioFile(file, text, known)
  t.same(none, [])
  t.same(
    scenarios.map(({ id, title, expect, hosts }) => [id, title, expect.may, hosts.mx?.stack.length]),
    [
      ['strip-a', 'Its own', 'V', 0],
      ['strip-b', 'A title for all', 'C', 1],
    ],
  )
  t.match(problems(text.replace('may: C', 'may: X'), file), [`${file}:6:18: common.expect.may: cannot read "X"`])
  t.match(problems(text.replace('may: V', 'may: X'), file), [/:10:51: scenarios\.1\.expect\.may: cannot read "X"/])
  t.match(problems(text.replace('  severity: high\n', ''), file), [
    /:8:5: scenarios\.0: "severity" is missing/,
    /:9:5: scenarios\.1: "severity" is missing/,
  ])
  t.match(problems(text.replace('strip-a', 'strip-b'), file), [/:10:11: .*"strip-b" is taken by scenarios\.0/])
  t.match(problems(text.replace('common:', 'comon:'), file), [
    /"common" is missing/,
    /comon: unknown key "comon".*did you mean "common"/,
  ])
})

t.test('what DNS says: records, faults, TLSA records', async (t) => {
  const dnsFaults = await loadDnsFaults()
  const load = (dns: string) =>
    loadScenarioFile(FILE, edited('stack:\n', `dns: ${dns}\nstack:\n`), { ...known, dnsFaults })
  const dns = (text: string) => load(text).problems.map(({ message }) => message)
  const { scenarios } = load(
    "{ signing: none, zones: { 'plain.{domain}': {} }, tlsa: { mx: [3 1 1, { is: 2 0 1, of: root }] }, prove: ['@ MX'] }",
  )
  t.same(scenarios[0]?.dns, {
    wildcard: false,
    zones: {
      '{domain}': { signing: 'none', records: [], faults: [] },
      'plain.{domain}': { records: [], faults: [] },
    },
    tlsa: {
      mx: [
        { parameters: { usage: 3, selector: 1, matchingType: 1 }, of: 'leaf' },
        { parameters: { usage: 2, selector: 0, matchingType: 1 }, of: 'root' },
      ],
    },
    prove: ['@ MX'],
  })
  t.match(dns('{ records: [mx A nowhere] }'), [/"mx A nowhere": "nowhere" is no IPv4 address/])
  t.match(dns('{ faults: [{ use: drop-query }] }'), [/there is no DNS fault "drop-query"/])
  t.match(dns('{ faults: [{ use: answer-error, with: { rcode: NO } }] }'), [/answer-error: .*rcode/s])
  t.match(dns('{ prove: [mx] }'), [/"mx" is no record set: want a name and a type/])
  t.match(dns('{ prove: [mx.elsewhere. A] }'), [/mx\.elsewhere\. A is in none of the zones/])
  t.match(dns('{ tlsa: { mail: [3 1 1] } }'), [/there is no host "mail"/])
  t.match(dns('{ tlsa: { mx: [{ is: 3 1 1, certificate: no-such }] } }'), [/there is no certificate fault "no-such"/])
  t.match(dns('{ tlsa: { mx: [3 1] } }'), [/./])
})

t.test('problems come with their place', async (t) => {
  const at = `${FILE}`
  const table: readonly (readonly [string | RegExp, string, string | RegExp])[] = [
    ['title:', 'titel:', `${at}:1:1: "title" is missing`],
    ['wire: The line is gone', 'wire: 3', `${at}:3:7: wire: got the number 3; want a string`],
    [
      'critical',
      'crtical',
      `${at}:5:11: severity: got "crtical"; want one of critical, high, medium, low; did you mean "critical"?`,
    ],
    [
      '- hide-starttls',
      '- hide-startls',
      `${at}:7:5: stack.0.use: there is no behaviour "hide-startls"; did you mean "hide-starttls"?`,
    ],
    [
      'code: 502',
      'cod: 502',
      `${at}:9:18: stack.1.with.cod: refuse-starttls has no parameter "cod"; want code; did you mean "code"?`,
    ],
    ['code: 502', 'code: often', /:9:19: stack\.1\.with\.code: refuse-starttls: .*number/],
    ['fires: may', 'fire: may', `${at}:10:5: stack.1.fire: unknown key "fire"; did you mean "fires"?`],
    ['fires: may', 'fires: sometimes', /:10:12: stack\.1\.fires: got "sometimes"; want one of must, may, must-not/],
    [
      '- use: refuse-starttls\n    with: { code: 502 }\n    fires: may',
      '- pad-ehlo-reply',
      /:8:5: stack\.1: .*both shape ehlo-reply/,
    ],
    ['may: C', 'may: Q', `${at}:11:25: expect.may: cannot read "Q"`],
    ['may: C', 'maybe: C', `${at}:11:20: expect.maybe: unknown key "maybe"; did you mean "may"?`],
    [
      '[starttls-once]',
      '[starttls-onc]',
      `${at}:12:10: assert.0: there is no assert "starttls-onc"; did you mean "starttls-once"?`,
    ],
    [
      'name: ignore-missing',
      'name: ignores-missing',
      /:13:15: flaw\.name: there is no flaw.*did you mean "ignore-missing-starttls"/,
    ],
    ['policy: encrypt', 'with: [wait], policy: encrypt', /:13:47: flaw\.with\.0: there is no flaw of the reference/],
    ['policy: encrypt', 'policy: dane', /:13:48: flaw\.policy: the scenario expects nothing under dane/],
    [
      'policy: encrypt }',
      'policy: encrypt }\nnoVerdict: [encrypt]',
      /:13:48: flaw\.policy: there is no verdict under encrypt/,
    ],
    ['id: strip-omit', 'id: strip-other', /:1:5: id: got "strip-other", and the file is called strip-omit\.yaml/],
    ['stack:\n', 'hosts: {mx: {}}\nstack:\n', /:7:1: stack: "stack" is short for hosts\.mx\.stack/],
    [
      'stack:\n',
      'certificate: expird\nstack:\n',
      /:6:14: certificate: there is no certificate fault "expird".*"expired"/,
    ],
    ['stack:\n', 'tls: {min: TLSv1.3, max: TLSv1.2}\nstack:\n', /:6:6: tls: min TLSv1\.3 is above max TLSv1\.2/],
    [
      'stack:\n',
      'tls: {authorities: 9}\nstack:\n',
      /:6:20: tls\.authorities: .* there is none; want "clientCertificate"/,
    ],
    ['stack:\n', 'phases: {later: {mx2: {}}}\nstack:\n', /:6:10: phases\.later: no step of the job enters/],
    ['stack:\n', 'phases: {later: {mx2: {}}}\nstack:\n', /:6:18: phases\.later\.mx2: there is no host "mx2"/],
    ['stack:\n', 'job: {steps: [phase: gone]}\nstack:\n', /:6:22: job\.steps\.0\.phase: there is no phase "gone"/],
    [
      'stack:\n',
      'job: {schedule: {horizon: 60}}\nstack:\n',
      /:6:7: job\.schedule: a schedule is for clients with a queue; want needsQueue: true/,
    ],
    [
      'stack:\n',
      'needsQueue: true\njob: {schedule: {horizon: 60}, steps: [submit: 1, settle: aged]}\nstack:\n',
      /:7:7: job\.schedule: the steps ask for a retry/,
    ],
    ['stack:\n', 'job: {schedule: {horizon: 59}}\nstack:\n', /:6:27: job\.schedule\.horizon: .*>=60/],
    ['stack:\n', 'job: {clientCertificate: md5}\nstack:\n', /there is no client certificate "md5"; want one of good/],
    [
      'stack:\n',
      'job: {steps: [sumbit: 1]}\nstack:\n',
      /:6:15: job\.steps\.0: got a map; want one of the keys submit, settle, phase, until/,
    ],
    [
      'stack:\n',
      'job: {steps: [{submit: 1}, {submit: 1, policy: may}]}\nstack:\n',
      /:6:40: job\.steps\.1\.policy: the last message is judged/,
    ],
    ['source: [RFC 3207 §6]', 'source: []', /:4:9: source: .*1 item/],
    ['title: STARTTLS', 'title: x\ntitle: STARTTLS', /:3:1: Map keys must be unique/],
    ["dane: '-'", 'dane: -', /:11:/],
  ]
  for (const [from, to, want] of table) {
    const got = problems(edited(from, to))
    const hit = got.some((line) => (typeof want === 'string' ? line === want : want.test(line)))
    t.ok(hit, `${to.split('\n')[0]}: ${got.join(' | ')}`)
  }
})

t.test('family and folder', async (t) => {
  const text = edited('id: strip-omit', 'id: stirp-omit')
  t.match(problems(text, 'scenarios/catalogue/strip/stirp-omit.yaml'), [/is of no family; .*did you mean "strip-/])
  t.match(problems(GOOD, 'scenarios/catalogue/cert/strip-omit.yaml'), [/is of the family strip, not cert; want cert-/])
  t.same(problems(GOOD, 'strip-omit.yaml'), [], 'a user keeps scenarios where they like')
})

t.test('hostile and broken files are problems, not exceptions', async (t) => {
  for (const text of ['', '# nothing', '[]', 'a', '&a [*a]', '{', '\t', '--- 1\n--- 2', '\0', '__proto__: { id: x }'])
    t.ok(problems(text).length > 0, JSON.stringify(text))
  const bomb = `a: &a [1,1,1,1,1,1,1,1,1,1]\n${'bcdef'
    .split('')
    .map((name, n) => `${name}: &${name} [${`*${'abcde'[n]},`.repeat(10).slice(0, -1)}]`)
    .join('\n')}`
  t.ok(problems(bomb).length > 0, 'too many aliases')
})

t.test('merging: an id once', async (t) => {
  const one = loadScenarioFile(FILE, GOOD, known)
  const other = loadScenarioFile('mine/strip-omit.yaml', GOOD, known)
  const both = merge([one, other])
  t.equal(both.scenarios.length, 1)
  t.same(both.problems.map(problemText), [`mine/strip-omit.yaml:1:1: id: the id "strip-omit" is taken by ${FILE}`])
})

t.test('a catalogue folder: read in order, strays are told', async (t) => {
  const root = t.testdir({
    scenarios: {
      catalogue: {
        strip: { 'strip-omit.yaml': GOOD, 'strip-more.yml': GOOD },
        control: { 'ctl-a.yaml': edited('id: strip-omit', 'id: ctl-a') },
        strips: {},
      },
    },
  })
  const { scenarios, problems } = await loadCatalogue(known, root)
  t.same(
    scenarios.map((scenario) => scenario.name),
    ['control/ctl-a', 'strip/strip-omit'],
  )
  t.match(problems.map(problemText), [
    /strip-more\.yml:1:1: not read/,
    /scenarios.catalogue.strips:1:1: there is no family "strips"/,
  ])
})
