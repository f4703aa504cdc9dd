import t from 'tap'
import { TYPE } from '../numbers.ts'
import { denialsOf, messageOf, play, signedTypes } from '../testing/play-fault.ts'
import { fault } from './omit-denial.ts'

t.test('which denials have no proof; the SOA stays, signed', async (t) => {
  const table: readonly [of: string, asked: string, fires: boolean][] = [
    ['no-data', 'mx.badmx.test TLSA', true],
    ['no-data', '_25._tcp.wild.badmx.test TLSA', true],
    ['no-data', 'nobody.badmx.test A', false],
    ['no-name', 'nobody.badmx.test A', true],
    ['no-name', 'mx.badmx.test TLSA', false],
    ['every', 'nobody.badmx.test A', true],
    ['every', 'mx.badmx.test TLSA', true],
    ['every', 'q.wild.badmx.test A', true],
    ['every', 'mx.badmx.test A', false],
  ]
  for (const [of, asked, fires] of table) {
    const played = await play(fault, { of }, asked)
    t.equal(played.send !== undefined, fires, `${of} ${asked}`)
    if (!fires) continue
    t.same(denialsOf(messageOf(played)), [])
    if (played.sound.answers.length === 0) t.same(signedTypes(messageOf(played)), [TYPE.SOA])
  }
})
