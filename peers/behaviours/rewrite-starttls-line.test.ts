import t from 'tap'
import { command, play, reply, show } from './playbook.ts'
import { behaviour } from './rewrite-starttls-line.ts'

const OFFER = '250-mx\r\n250-STARTTLS\r\n250 SIZE 10\r\n'
const EHLO = command(1, 'EHLO c')

t.test('writes in place of the line', async (t) => {
  const table: readonly [object, string, string][] = [
    [{}, OFFER, '250-mx\r\n250-XXXXXXXX\r\n250 SIZE 10\r\n'],
    [{}, '250-mx\r\n250 STARTTLS\r\n', '250-mx\r\n250 XXXXXXXX\r\n'],
    [{ to: ['STARTTLS '] }, OFFER, '250-mx\r\n250-STARTTLS \r\n250 SIZE 10\r\n'],
    [{ to: ['\tSTARTTLS'] }, OFFER, '250-mx\r\n250-\tSTARTTLS\r\n250 SIZE 10\r\n'],
    [{ to: ['START\0TLS'] }, OFFER, '250-mx\r\n250-START\0TLS\r\n250 SIZE 10\r\n'],
    [{ to: ['\u0405TARTTLS'] }, OFFER, '250-mx\r\n250-\u00d0\u0085TARTTLS\r\n250 SIZE 10\r\n'],
    [{ to: ['STARTTLS', 'STARTTLS'] }, '250-mx\r\n250 STARTTLS\r\n', '250-mx\r\n250-STARTTLS\r\n250 STARTTLS\r\n'],
    [{ to: ['STARTTLS'], code: 251 }, OFFER, '250-mx\r\n251-STARTTLS\r\n250 SIZE 10\r\n'],
  ]
  for (const [parameters, offer, want] of table) {
    const outputs = play(behaviour, parameters, [EHLO, reply(1, offer)])
    t.equal(show(outputs).at(-1), `reply 1 ${JSON.stringify(want)}`, JSON.stringify(parameters))
    t.equal(outputs.filter((output) => output.type === 'fired').length, 1)
  }
})

t.test('says what it wrote for what', async (t) => {
  const outputs = show(play(behaviour, { to: ['A', 'B'] }, [EHLO, reply(1, OFFER)]))
  t.match(outputs[2], /^fired wrote "250-A", "250-B" for "250-STARTTLS" was /)
})

t.test('silent where nothing is offered, nothing changes, or TLS is up', async (t) => {
  const table = [
    ['no STARTTLS', {}, [EHLO, reply(1, '250-mx\r\n250 SIZE\r\n')]],
    ['same text', { to: ['STARTTLS'] }, [EHLO, reply(1, OFFER)]],
    ['inside TLS', {}, [command(1, 'EHLO c', true), reply(1, OFFER, true)]],
  ] as const
  for (const [name, parameters, events] of table) {
    const outputs = play(behaviour, parameters, events)
    t.same(
      outputs.filter((output) => output.type !== 'opportunity'),
      events,
      name,
    )
  }
})

t.test('a line end in the parameter is refused', async (t) => {
  t.notOk(behaviour.parameters.safeParse({ to: ['A\r\n250-B'] }).success)
  t.notOk(behaviour.parameters.safeParse({ to: [] }).success)
})
