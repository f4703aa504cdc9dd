import t from 'tap'
import { behaviour } from './hide-starttls.ts'
import { command, play, reply, show } from './playbook.ts'

const OFFER = '250-mx\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 SIZE 10\r\n'
const EHLO = command(1, 'EHLO c')
const SEEN = 'opportunity the reply to EHLO in clear'

function played(text: string, parameters: object = {}): string[] {
  return show(play(behaviour, parameters, [EHLO, reply(1, text)])).slice(1)
}

t.test('takes the line out and ends the reply, wherever it stood', async (t) => {
  const table: readonly [string, string, string, string][] = [
    ['in the middle', OFFER, '250-STARTTLS', '250-mx\r\n250-PIPELINING\r\n250 SIZE 10\r\n'],
    ['last', '250-mx\r\n250-SIZE 10\r\n250 STARTTLS\r\n', '250 STARTTLS', '250-mx\r\n250 SIZE 10\r\n'],
    ['first keyword', '250-mx\r\n250-STARTTLS\r\n250 SIZE 10\r\n', '250-STARTTLS', '250-mx\r\n250 SIZE 10\r\n'],
    ['only keyword', '250-mx\r\n250 STARTTLS\r\n', '250 STARTTLS', '250 mx\r\n'],
    ['any case', '250-mx\r\n250 startTLS\r\n', '250 startTLS', '250 mx\r\n'],
    ['twice', '250-mx\r\n250-STARTTLS\r\n250-X\r\n250 STARTTLS\r\n', '250-STARTTLS', '250-mx\r\n250 X\r\n'],
    ['bare LF', '250-mx\n250 STARTTLS\n', '250 STARTTLS', '250 mx\n'],
  ]
  for (const [name, original, removed, want] of table) {
    t.same(
      played(original),
      [SEEN, `fired removed "${removed}" was ${JSON.stringify(original)}`, `reply 1 ${JSON.stringify(want)}`],
      name,
    )
  }
})

t.test('does not say that it fired where nothing was offered', async (t) => {
  for (const text of [
    '250 mx\r\n',
    '250-mx\r\n250 XSTARTTLS\r\n',
    '250-STARTTLS.mx\r\n250 SIZE\r\n',
    '250 STARTTLS\r\n',
  ]) {
    t.same(played(text), [SEEN, `reply 1 ${JSON.stringify(text)}`], text)
  }
})

t.test('leaves everything else alone', async (t) => {
  const table = [
    ['a refusal', [EHLO, reply(1, '500-x\r\n500 STARTTLS\r\n')]],
    ['HELO', [command(1, 'HELO c'), reply(1, OFFER)]],
    ['HELP', [command(1, 'HELP'), reply(1, OFFER)]],
    ['inside TLS', [command(1, 'EHLO c', true), reply(1, OFFER, true)]],
    ['an unasked reply', [reply(null, OFFER)]],
  ] as const
  for (const [name, events] of table) t.same(play(behaviour, {}, events), events, name)
})

t.test('pipelined commands: the reply is told by its id', async (t) => {
  const outputs = show(play(behaviour, {}, [EHLO, command(2, 'NOOP'), reply(2, '250 STARTTLS\r\n'), reply(1, OFFER)]))
  t.same(outputs.slice(2, 4), ['reply 2 "250 STARTTLS\\r\\n"', SEEN])
  t.match(outputs[4], /^fired removed/)
})

t.test('every extension', async (t) => {
  const [, fired, sent] = played(OFFER, { remove: 'every-extension' })
  t.match(fired, /^fired removed all 3 extensions, STARTTLS among them/)
  t.equal(sent, 'reply 1 "250 mx\\r\\n"')
  t.equal(played('250-mx\r\n250 SIZE\r\n', { remove: 'every-extension' }).length, 2, 'no STARTTLS, not fired')
})

t.test('the first EHLO only', async (t) => {
  const events = [EHLO, reply(1, OFFER), command(2, 'EHLO c'), reply(2, OFFER)]
  const outputs = play(behaviour, { ehlo: 'first' }, events)
  t.equal(outputs.filter((output) => output.type === 'fired').length, 1)
  t.same(outputs.at(-1), events.at(-1))
})

t.test('spared names and other visits get the untouched reply, unmarked', async (t) => {
  const events = [command(1, 'EHLO Monitor.badmx.test'), reply(1, OFFER)]
  t.same(play(behaviour, { spare: ['monitor.badmx.test'] }, events), events, 'spared')
  t.equal(play(behaviour, { spare: ['other.badmx.test'] }, events).length, 4, 'not spared')
  t.same(play(behaviour, { visits: '2-' }, events), events, 'visit 1 of 2-')
  t.equal(play(behaviour, { visits: '2-' }, events, { visit: 2 }).length, 4, 'visit 2 of 2-')
})
