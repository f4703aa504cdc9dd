/** A real PowerDNS whose zones were never put in order answers as our fault `serve-unrectified`; unbound believes neither or both. */
import t from 'tap'
import type { Unrectified } from './testing/unrectified.ts'
import { PATIENCE_MS, sharedLayers, visit } from './testing/visit.ts'

t.setTimeout(PATIENCE_MS)

const layers = await sharedLayers('powerdns', 'unbound')
const skip = typeof layers === 'string' ? { skip: layers } : {}

t.test('an unrectified PowerDNS', { ...skip, timeout: PATIENCE_MS }, async (t) => {
  const { code, stdout, stderr } = await visit(t, { cwd: t.testdir() }, 'powerdns,unbound', 'unrectified').ended
  t.equal(code, 0, stderr)
  const found = JSON.parse(stdout) as Unrectified[]
  // Of the extended errors every failure has its own.
  const withoutCode = (said: string): string => said.replace(/ EDE \d+/g, '')
  for (const { question, answer, unbound } of found) {
    t.equal(answer.ours, answer.theirs, question)
    t.equal(withoutCode(unbound.ours), withoutCode(unbound.theirs), `unbound: ${question}`)
  }
  const theirs = (question: string) => found.find((each) => each.question === question)
  t.match(theirs('mx.nsec.test TLSA')?.answer.theirs, /^nsec\.test NSEC nsec\.test\. /m)
  t.match(theirs('mx.nsec.test TLSA')?.unbound.theirs, /^SERVFAIL/)
  // One record denies everything, the names that exist too.
  t.equal(theirs('_tcp.mx.nsec.test A')?.unbound.theirs, 'NXDOMAIN AD')
  t.match(theirs('_25._tcp.plain.nsec3.test TLSA')?.answer.theirs, /^SERVFAIL AA/)
  t.match(
    theirs('_25._tcp.plain.nsec3-empty.test TLSA')?.answer.theirs,
    /^nsec3-empty\.test NSEC3 1 0 1 aabb TXT RRSIG$/m,
  )
  t.match(theirs('_25._tcp.plain.nsec3-empty.test TLSA')?.unbound.theirs, /^SERVFAIL/)
})
