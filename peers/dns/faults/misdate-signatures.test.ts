import t from 'tap'
import { EDE } from '../numbers.ts'
import type { TrustedZone } from '../resolver/signed-set.ts'
import { checkSet, setsOf } from '../resolver/signed-set.ts'
import { messageOf, play } from '../testing/play-fault.ts'
import { fault } from './misdate-signatures.ts'

t.test('the dates are wrong and nothing else; a wildcard is signed as the wildcard', async (t) => {
  for (const asked of ['mx.badmx.test A', 'q.wild.badmx.test A', 'nobody.badmx.test A'])
    for (const [as, ede] of [
      ['expired', EDE.SIGNATURE_EXPIRED],
      ['future', EDE.SIGNATURE_NOT_YET_VALID],
    ] as const) {
      const played = await play(fault, { as }, asked)
      const { signer } = played.zone
      if (signer === undefined) throw new Error('a signed zone')
      const trusted: TrustedZone = { zone: signer.apex, keys: [signer.dnskey] }
      const now = signer.validity.inception + 3600
      const { answers, authorities } = messageOf(played)
      const sets = [...setsOf(answers), ...setsOf(authorities)]
      t.ok(sets.length > 0)
      for (const set of sets) t.same(checkSet(set, trusted, now), { holds: false, ede }, `${as} ${asked} ${set.type}`)
      for (const set of setsOf(played.sound.answers)) t.match(checkSet(set, trusted, now), { holds: true })
    }
})

t.test('no chance without signatures', async (t) => {
  t.equal((await play(fault, {}, 'mx.badmx.test A', { dnssecOk: false })).send, undefined)
  t.equal((await play(fault, {}, 'mx.badmx.test A', { signing: 'none' })).send, undefined)
})
