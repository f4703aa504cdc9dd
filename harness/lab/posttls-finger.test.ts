/**
 * What posttls-finger says of the TLSA records and the certificates of the DANE scenarios is what the embedded resolver and
 * badmx's own check of the chain say. It is given no CA file: all that it can verify is what TLSA records prove.
 */
import t from 'tap'
import type { Witnessed } from './testing/finger.ts'
import { PATIENCE_MS, sharedLayers, visit } from './testing/visit.ts'

t.setTimeout(PATIENCE_MS)

const layers = await sharedLayers('postfix')
const skip = typeof layers === 'string' ? { skip: layers } : {}

/** `Verified TLS connection established to mx.example.test[198.18.1.1]:25: TLSv1.3 …`. */
const ESTABLISHED = /: (?<rating>\w+) TLS connection established to \S+\[(?<address>[^\]]+)\]:25/
const LOOKUP = /DANE TLSA lookup problem: .* name=(?<name>\S+) type=TLSA/

/** What it says under `dane-only` before it connects to a host without TLSA records that can be used. */
const WITHOUT = /TLSA records found, resorting to|all TLSA records unusable/

/** `198.18.1.1 Verified`; under `dane-only` also whether TLSA records counted. */
function theirs({ cell, said }: Witnessed): string[] {
  const told = cell.endsWith('/dane-only')
  let without = false
  return said.flatMap((line) => {
    if (WITHOUT.test(line)) without = true
    const { address, rating } = ESTABLISHED.exec(line)?.groups ?? {}
    if (address === undefined) return []
    const word = `${address} ${rating}${told ? (without ? ' without TLSA' : ' by TLSA') : ''}`
    without = false
    return [word]
  })
}

/** What badmx's credential of a connection has posttls-finger say. */
function ours({ cell, own, said }: Witnessed): string[] {
  // RFC 7672 §2.2.1: where the MX records are insecure it takes DANE, and has a word of its own for that.
  const verified = said.some((line) => line.includes('MX RRset insecure')) ? 'Trusted' : 'Verified'
  const told = cell.endsWith('/dane-only')
  return own.map(({ address, byTlsa, kind }) => {
    const rating = byTlsa && kind === 'verified' ? verified : 'Untrusted'
    return `${address} ${rating}${told ? (byTlsa ? ' by TLSA' : ' without TLSA') : ''}`
  })
}

function failedLookUps({ said }: Witnessed): string[] {
  return [...new Set(said.flatMap((line) => LOOKUP.exec(line)?.groups?.['name'] ?? []))]
}

t.test('posttls-finger -l dane, -l dane-only', { ...skip, timeout: PATIENCE_MS }, async (t) => {
  const { code, stdout, stderr } = await visit(t, { cwd: t.testdir() }, 'postfix', 'finger', 'dane,dane-only', 'dns')
    .ended
  t.equal(code, 0, stderr)
  const witnesses = JSON.parse(stdout) as Witnessed[]
  const heard = witnesses.filter(({ said }) => said.length > 0)
  for (const each of witnesses) t.same(theirs(each), ours(each), each.cell, { ...each })
  for (const each of heard)
    for (const name of failedLookUps(each))
      t.ok(each.resolver.includes(`${name} SERVFAIL`), `${each.cell}: no answer about ${name}`, { ...each })

  // What the resolver cannot answer stops it before it connects.
  const unanswered = heard.filter(({ resolver }) => resolver.every((line) => line.endsWith(' SERVFAIL')))
  for (const each of unanswered.filter(({ cell }) => !cell.includes('/dns-a-insecure-skip-tlsa/'))) {
    t.same(
      failedLookUps(each)
        .map((name) => `${name} SERVFAIL`)
        .sort(),
      [...each.resolver].sort(),
      each.cell,
    )
    t.match(each.said.at(-1), /TLSA lookup error for \S+:25$/, each.cell)
    t.same(each.own, [], each.cell)
  }
  // RFC 7672 §2.2.2: the address is insecure, and it does not ask.
  for (const each of heard.filter(({ cell }) => cell.includes('/dns-a-insecure-skip-tlsa/')))
    t.same(failedLookUps(each), [])

  // It is no agreement about nothing.
  const words = (policy: string): Set<string> =>
    new Set(
      heard
        .filter(({ cell }) => cell.endsWith(`/${policy}`))
        .flatMap((each) => [
          ...theirs(each).map((line) => line.split(' ')[1] ?? ''),
          ...(unanswered.includes(each) ? ['no answer'] : []),
        ]),
    )
  for (const policy of ['dane', 'dane-only'])
    t.same([...words(policy)].sort(), ['Trusted', 'Untrusted', 'Verified', 'no answer'], policy)
})
