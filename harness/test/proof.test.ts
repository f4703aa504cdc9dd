/**
 * No pass without proof (design, truth rule 1), through the whole catalogue: whatever a scenario is about, something of it
 * records that it happened. Controls declare nothing, for they are judged whatever their client does.
 */
import t from 'tap'
import { alternativesOf, delivers, parseExpectation } from '../../scenarios/judge/expectation.ts'
import { plan } from '../../scenarios/plan.ts'
import type { Policy } from '../../scenarios/policy.ts'
import { allScenarios } from '../catalogue.ts'
import { client as reference } from '../clients/reference.ts'

/** Every way in which the expectation can be met is a delivery inside TLS: the acceptance by a sound server is the proof. */
function onlyByDelivery(expected: string): boolean {
  const parse = parseExpectation(expected)
  return (
    parse.ok &&
    alternativesOf(parse.expectation).every(({ first, final }) =>
      [first, final].every((letter) => delivers(letter) && letter !== 'C'),
    )
  )
}

t.test('every scenario has a behaviour, a certificate, a setting or a record set that can prove it', async (t) => {
  const scenarios = await allScenarios()
  const { cells } = plan({
    scenarios,
    clients: [reference],
    reference,
    policies: ['may', 'encrypt', 'verify', 'dane', 'dane-only'],
    only: [],
    seed: 1,
    timeScale: 100,
    repeat: 1,
  })
  const planned = new Set<string>()
  for (const { role, scenario, proof, expected, id } of cells) {
    if (role !== 'scenario') continue
    planned.add(scenario.name)
    if (scenario.family === 'control') t.ok(scenario.hosts, `${id}: a control`)
    else
      t.ok(
        proof.length > 0 || onlyByDelivery(expected),
        `${id} can be proven: ${proof.map(({ behaviour }) => behaviour).join(', ')}`,
      )
  }
  t.ok(planned.size > 250, `${planned.size} scenarios`)
})

t.test('what a scenario is about proves itself, and what it only stands on does not', async (t) => {
  const scenarios = await allScenarios()
  const proofOf = (id: string, policy: Policy = 'encrypt'): readonly string[] => {
    const request = {
      scenarios,
      clients: [reference],
      reference,
      policies: [policy],
      only: [id],
      seed: 1,
      timeScale: 100,
      repeat: 1,
    }
    const cell = plan(request).cells.find(({ scenario, role }) => scenario.id === id && role === 'scenario')
    return (cell?.proof ?? []).map(({ behaviour, fires }) => `${behaviour} ${fires}`)
  }
  t.same(proofOf('legacy-tls10-only'), ['tls:version must'])
  t.same(proofOf('tls-no-common-cipher'), ['tls:version must', 'tls:ciphers must'])
  t.same(proofOf('tls-no-ems'), ['tls:version must', 'tls:extended-master-secret must'])
  t.same(proofOf('cc-requested-unused'), ['tls:client-certificate must'])
  t.same(proofOf('cc-reject-md5'), ['refuse-client-certificate must'], 'the request is its ground')
  t.same(proofOf('cc-reject-md5-without-tls13'), [
    'refuse-client-certificate must-not',
    'tls:version must',
    'tls:client-certificate must',
  ])
  t.same(proofOf('tls-version-intolerant'), ['answer-client-hello must'], 'which may end it before a ServerHello')
  t.same(proofOf('auth-auth-equals'), ['extensions:after-tls must'])
  t.same(proofOf('auth-cert-untrusted'), ['certificate:untrusted-ca must'], 'which may end it before the EHLO inside')
  t.same(proofOf('dane-mx-cname'), ['record:alias CNAME must'])
  t.same(proofOf('dane-mismatch', 'dane'), ['record:_25._tcp.mx TLSA must'])
  t.same(proofOf('dane-mismatch'), [], 'who has no DANE asks for no TLSA records')
})
