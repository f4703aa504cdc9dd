import t from 'tap'
import { behaviour } from './move-starttls-line.ts'
import { command, play, reply, show } from './playbook.ts'

const OFFER = '250-mx hello\r\n250-SIZE 10\r\n250-STARTTLS\r\n250 8BITMIME\r\n'
const EHLO = command(1, 'EHLO c')

t.test('where the line goes', async (t) => {
  const table: readonly [string, string][] = [
    ['last', '250-mx hello\r\n250-SIZE 10\r\n250-8BITMIME\r\n250 STARTTLS\r\n'],
    ['second', '250-mx hello\r\n250-STARTTLS\r\n250-SIZE 10\r\n250 8BITMIME\r\n'],
    ['first', '250-STARTTLS\r\n250-mx hello\r\n250-SIZE 10\r\n250 8BITMIME\r\n'],
    ['greeting', '250-mx STARTTLS\r\n250-SIZE 10\r\n250 8BITMIME\r\n'],
    ['alone', '250 STARTTLS\r\n'],
    ['after-final', '250-mx hello\r\n250-SIZE 10\r\n250 8BITMIME\r\n250 STARTTLS\r\n'],
    ['early-final', '250-mx hello\r\n250-SIZE 10\r\n250 STARTTLS\r\n250 8BITMIME\r\n'],
  ]
  for (const [to, want] of table) {
    t.same(
      show(play(behaviour, { to }, [EHLO, reply(1, OFFER)])).slice(1),
      [
        'opportunity the reply to EHLO in clear',
        `fired moved "250-STARTTLS": ${to} was ${JSON.stringify(OFFER)}`,
        `reply 1 ${JSON.stringify(want)}`,
      ],
      to,
    )
  }
})

t.test('the greeting and STARTTLS alone', async (t) => {
  const offer = '250-mx\r\n250 STARTTLS\r\n'
  const table: readonly [string, string | undefined][] = [
    ['last', undefined],
    ['second', undefined],
    ['early-final', undefined],
    ['greeting', '250 mx STARTTLS\r\n'],
    ['after-final', '250 mx\r\n250 STARTTLS\r\n'],
  ]
  for (const [to, want] of table) {
    const outputs = play(behaviour, { to }, [EHLO, reply(1, offer)])
    t.equal(show(outputs).at(-1), `reply 1 ${JSON.stringify(want ?? offer)}`, to)
    t.equal(
      outputs.some((output) => output.type === 'fired'),
      want !== undefined,
      `${to}: fired`,
    )
  }
})

t.test('silent where nothing is offered', async (t) => {
  const outputs = play(behaviour, { to: 'first' }, [EHLO, reply(1, '250-mx\r\n250 SIZE\r\n')])
  t.notOk(outputs.some((output) => output.type === 'fired'))
})
