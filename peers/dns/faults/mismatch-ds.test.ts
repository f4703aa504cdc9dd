import t from 'tap'
import { isDsOf } from '../dnssec/signer.ts'
import { TYPE } from '../numbers.ts'
import { dataOf, messageOf, play } from '../testing/play-fault.ts'
import { fault } from './mismatch-ds.ts'

t.test('the parent has a DS for another key, in answers and in referrals, and signs it', async (t) => {
  for (const asked of ['signed.badmx.test DS', 'mx.signed.badmx.test A']) {
    const played = await play(fault, {}, asked)
    const { answers, authorities } = messageOf(played)
    const records = [...answers, ...authorities]
    const ds = records.find(({ type }) => type === TYPE.DS)
    t.ok(ds, asked)
    t.notSame(dataOf(records, TYPE.DS), dataOf([...played.sound.answers, ...played.sound.authorities], TYPE.DS))
    const dnskey = played.zone.child('signed.badmx.test')?.signer?.dnskey
    t.notOk(ds && dnskey && isDsOf(ds.data, 'signed.badmx.test', dnskey))
    t.equal(dataOf(records, TYPE.RRSIG).length, 1)
  }
})

t.test('no chance where no DS is', async (t) => {
  t.equal((await play(fault, {}, 'mx.badmx.test A')).send, undefined)
  t.equal((await play(fault, {}, 'signed.badmx.test DS', { signing: 'none' })).send, undefined)
})
