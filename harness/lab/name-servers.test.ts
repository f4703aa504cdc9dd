/** Knot and BIND with zones that we have signed and exported answer as our own name server does. */
import t from 'tap'
import type { Compared } from './testing/same-answers.ts'
import { PATIENCE_MS, sharedLayers, visit } from './testing/visit.ts'

t.setTimeout(PATIENCE_MS)

for (const name of ['bind', 'knot']) {
  const layers = await sharedLayers(name)
  const skip = typeof layers === 'string' ? { skip: layers } : {}
  t.test(`${name}: 1,000 questions`, { ...skip, timeout: PATIENCE_MS }, async (t) => {
    const { code, stdout, stderr } = await visit(t, { cwd: t.testdir() }, name, 'sameAnswers', '1000').ended
    t.equal(code, 0, stderr)
    const { questions, kinds, differences } = JSON.parse(stdout) as Compared
    t.equal(questions, 1_000)
    t.same(
      kinds,
      ['NOERROR', 'NXDOMAIN', 'YXDOMAIN', 'referral'].filter((kind) => kinds.includes(kind)),
    )
    t.ok(kinds.includes('NXDOMAIN') && kinds.includes('referral'), kinds.join(', '))
    // BIND 9.18 answers SERVFAIL where an alias leads to itself, with the alias; RFC 1034 §4.3.2 has it answered like any other.
    const inCircles = (question: string): boolean => name === 'bind' && /(^|\.)loop\./.test(question)
    t.same(
      differences.filter(
        ({ question, ours, theirs }) => !inCircles(question) || theirs !== ours.replace('NOERROR', 'SERVFAIL'),
      ),
      [],
    )
  })
}
