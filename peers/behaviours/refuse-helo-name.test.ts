import t from 'tap'
import { command, play, show } from './playbook.ts'
import { behaviour } from './refuse-helo-name.ts'

t.test('refuses EHLO and HELO with a name of the list', async (t) => {
  for (const [name, names] of [
    ['Dsl-7.Example.COM', ['*.example.com']],
    ['mail.example.org', ['x.test', 'MAIL.example.org']],
    ['[192.0.2.1]', ['*']],
  ] as const)
    for (const verb of ['EHLO', 'HELO'])
      t.same(show(play(behaviour, { names, text: 'no' }, [command(1, `${verb} ${name}`)])), [
        `opportunity ${verb} "${name}" in clear`,
        'fired refused the name with 550',
        'reply 1 "550 no\\r\\n"',
      ])
})

t.test('silent for other names, other commands, and in the other channel', async (t) => {
  const given = { names: ['*.example.com'], in: 'clear' }
  const others = [
    command(1, 'EHLO example.com'),
    command(2, 'VRFY a.example.com'),
    command(3, 'EHLO a.example.com', true),
  ]
  t.same(play(behaviour, given, others), others)
})
