import t from 'tap'
import { z } from 'zod'
import { type Behaviour, defineBehaviour } from '../../peers/behaviour.ts'
import { SAMPLE_CONTROLS, SAMPLE_HOST, sampleScenario } from '../../scenarios/test/sample-scenario.ts'
import { behavioursText, listBehaviours, listScenarios, namesText, scenariosText, waitingText } from './list.ts'
import { showScenario } from './show-scenario.ts'

const behaviour = defineBehaviour({
  id: 'refuse-starttls',
  title: 'Refuses STARTTLS',
  source: ['RFC 3207 §4'],
  plane: 'smtp',
  parameters: z.object({ code: z.int().default(454).describe('Reply code.') }),
  shapes: ['starttls-reply'],
  hides: [],
  create: () => ({ on: () => [] }),
}) as Behaviour
const behaviours = new Map([[behaviour.id, behaviour]])
const host = {
  ...SAMPLE_HOST,
  stack: [{ use: 'refuse-starttls', with: { code: 502 }, fires: 'must' as const }],
  tls: { ...SAMPLE_HOST.tls, clientCertificate: 'request' as const, authorities: 3 },
  extensions: { afterTls: [] },
}
const scenarios = [
  ...SAMPLE_CONTROLS,
  sampleScenario('strip-a', {
    hosts: { mx: host },
    phases: { gone: { mx: { ...host, stack: [], certificate: 'expired', tls: { ...host.tls, on: 'none' } } } },
    job: {
      steps: [
        { submit: 3 },
        { settle: 'first' },
        { phase: 'gone' },
        { until: 'expired' },
        { submit: 1, policy: 'may' },
      ],
      password: true,
      ciphers: 'LOW',
    },
    expect: { none: '-', may: 'D>C|w:B', encrypt: 'D', 'mta-sts': 'C~D' },
    noVerdict: ['encrypt'],
    asserts: ['no-hang'],
  }),
]
const waiting = [{ id: 'dane-a', reason: 'no\n  zones', needs: 'dns', cases: [], file: 'x' }]

t.test('as data', async (t) => {
  t.same(listScenarios(scenarios, ['strip', 'ctl-implicit-tls'], waiting), [
    {
      id: 'ctl-implicit-tls',
      family: 'control',
      title: 'The title of ctl-implicit-tls',
      severity: 'high',
      source: ['RFC 3207 §4', 'a field report'],
      cases: [],
      policies: { implicit: 'V' },
    },
    {
      id: 'strip-a',
      family: 'strip',
      title: 'The title of strip-a',
      severity: 'high',
      source: ['RFC 3207 §4', 'a field report'],
      cases: [],
      policies: { may: 'D>C|w:B', encrypt: 'D', 'mta-sts': 'C~D' },
    },
  ])
  t.notOk(
    listScenarios(scenarios, [], waiting).some(({ id }) => id === 'dane-a'),
    'what waits is not offered',
  )
  t.throws(() => listScenarios(scenarios, ['dane-a'], waiting), { message: /cannot be run yet: no/ })
})

t.test('as text', async (t) => {
  t.equal(
    scenariosText(scenarios, ['strip', 'ctl-implicit-tls'], waiting),
    [
      'control: Controls: what must work before any other result is believed (1)',
      '  scenario          severity  none  may      encrypt  verify  dane  dane-only  implicit  title',
      '  ctl-implicit-tls  high      -     -        -        -       -     -          V         The title of ctl-implicit-tls',
      '',
      'strip: Stripping: the EHLO answer, the banner, the STARTTLS command and its reply (1)',
      '  scenario          severity  none  may      encrypt  verify  dane  dane-only  implicit  title',
      '  strip-a           high      -     D>C|w:B  D        -       -     -          -         The title of strip-a',
      '',
    ].join('\n'),
  )
  t.equal(waitingText(waiting), 'dane-a  dns  no zones\n')
  t.equal(
    namesText(
      new Map([
        ['no-hang', 'It ends.'],
        ['x', 'Y.'],
      ]),
    ),
    'no-hang  It ends.\nx        Y.\n',
  )
})

t.test('behaviours', async (t) => {
  t.equal(behavioursText(behaviours), 'refuse-starttls: Refuses STARTTLS\n  code  integer, default 454  Reply code.\n')
  t.match(listBehaviours(behaviours), [{ id: 'refuse-starttls', parameters: [{ name: 'code', default: '454' }] }])
})

t.test('one scenario, everything about it', async (t) => {
  t.equal(
    showScenario('strip-a', scenarios, waiting, behaviours),
    `strip/strip-a
The title of strip-a

on the wire
  What strip-a does
host mx
  MX preference 10, IPv4
  stack, nearest to the client first:
    refuse-starttls  must  Refuses STARTTLS { code: 502 }
  TLS by STARTTLS, TLSv1.2 to TLSv1.3
  requests a client certificate, naming 3 authorities
  EHLO keywords inside TLS: none
host mx, phase gone
  MX preference 10, IPv4
  certificate: expired
  TLS none
  EHLO keywords inside TLS: none
job
  submit 3 messages, then settle the first attempt, then enter the phase gone, then wait until the certificate has expired, then submit a message under may
  the client has a password
  the client's ciphers: LOW
expected
  may      D>C|w:B  deferred, later in clear; or (flagged) bounced
  encrypt  D        deferred (recorded without a verdict)
  mta-sts  C~D      without a cached policy in clear; with one deferred
must also hold
  no-hang
caught flaw
  no-second-ehlo under may
severity
  high
source
  RFC 3207 §4
  a field report
file
  scenarios/catalogue/strip/strip-a.yaml
`,
  )
  t.throws(() => showScenario('strip-b', scenarios, [], behaviours), { code: 'nothing-matched' })
  t.throws(() => showScenario('dane-a', scenarios, waiting, behaviours), { message: /cannot be run yet/ })
})
