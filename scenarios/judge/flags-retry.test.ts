import t from 'tap'
import { LogBuilder } from './log-builder.ts'

const cell = () => new LogBuilder({ judgedAs: 'encrypt', kind: 'queue', expected: 'D|D>B|V' })
const flags = (log: LogBuilder): readonly string[] =>
  log
    .done()
    .judge()
    .flags.filter((flag) => flag.startsWith('retry.'))

const broken = (log: LogBuilder, conn: string): LogBuilder => {
  log.conn(conn).greet('STARTTLS').starttls().failed('handshake_failure').close()
  return log
}

/** A first attempt, and those that the client makes of itself at these ages; at the last it makes none. */
function alone(ages: readonly number[], until: number): LogBuilder {
  const log = broken(cell().attempt(), 'c1').says('queued')
  ages.forEach((ageSeconds, at) => {
    broken(log.attempt(at + 2, 'own'), `c${at + 2}`).says('queued', { ageSeconds }, at + 2)
  })
  const last = ages.length + 2
  return log.attempt(last, 'own').says('queued', { ageSeconds: until }, last)
}

t.test('retry.too-fast: the client comes back of itself within a minute of its clock', async (t) => {
  t.ok(flags(alone([300, 330], 600)).includes('retry.too-fast'))
  t.notOk(flags(alone([300, 360], 600)).includes('retry.too-fast'))
  const asked = broken(broken(cell().attempt(), 'c1').says('queued').attempt(2, 'forced'), 'c2').says('queued', {}, 2)
  t.same(flags(asked), [], 'a retry that the harness asked for says nothing')
})

t.test('retry.storm: more than ten connections to one host within a minute', async (t) => {
  const many = (count: number, pause: number): LogBuilder => {
    const log = cell().attempt()
    for (let at = 1; at <= count; at += 1) broken(log.wait(pause), `c${at}`)
    return log.says('queued')
  }
  t.same(flags(many(11, 1)), ['retry.storm'])
  t.same(flags(many(10, 1)), [])
  t.same(flags(many(20, 7_000)), [], 'spread over minutes')
})

t.test('retry.none: left to its schedule for hours, the client never comes back', async (t) => {
  t.same(flags(alone([], 14_400)), ['retry.none'])
  t.same(flags(alone([300], 14_400)), ['retry.schedule'])
  const asked = broken(cell().attempt(), 'c1').says('queued').attempt(2, 'aged').says('queued', {}, 2)
  t.same(flags(asked), [], 'it may stay away when the harness asks')
  const given = broken(cell().attempt(), 'c1')
    .says('queued')
    .attempt(2, 'own')
    .says('bounced', { ageSeconds: 9_000 }, 2)
  t.same(flags(given), [], 'it gave the message up instead')
})

t.test('retry.schedule: when the client came back', async (t) => {
  const record = alone([300, 900, 2100, 4500, 8500], 14_400).done().judge()
  const [found] = record.findings.filter(({ flag }) => flag === 'retry.schedule')
  t.match(found, {
    weight: 'info',
    detail: /^6 attempts at 0, 300, .* from 300 s to 4000 s, growing by a factor of 2\.0$/,
  })
  t.same(
    record.attempts.map(({ cause, ageSeconds }) => [cause, ageSeconds]),
    [
      ['first', undefined],
      ['own', 300],
      ['own', 900],
      ['own', 2100],
      ['own', 4500],
      ['own', 8500],
    ],
    'and the wait at the end is no attempt',
  )
  t.notOk(flags(broken(cell().attempt(), 'c1').says('queued')).includes('retry.schedule'), 'nobody waited')
})
