import t from 'tap'
import { command, play, show } from './playbook.ts'
import { behaviour } from './refuse-starttls.ts'

const DEFAULT_TEXT = '4.7.0 TLS not available due to temporary reason'

t.test('answers by itself; the server never sees it', async (t) => {
  const table: readonly [object, string, readonly string[]][] = [
    [{}, `454 ${DEFAULT_TEXT}`, []],
    [{ code: 502, text: 'no' }, '502 no', []],
    [{ code: 421, text: 'bye', close: 'fin' }, '421 bye', ['close client fin']],
    [{ code: 421, text: 'bye', close: 'rst' }, '421 bye', ['close client rst']],
  ]
  for (const [parameters, line, rest] of table) {
    for (const verb of ['STARTTLS', 'starttls', 'STARTTLS now']) {
      t.same(
        show(play(behaviour, parameters, [command(3, verb)])),
        [
          'opportunity STARTTLS in clear',
          `fired answered STARTTLS with ${line.slice(0, 3)}`,
          `reply 3 ${JSON.stringify(`${line}\r\n`)}`,
          ...rest,
        ],
        `${verb}: ${line}`,
      )
    }
  }
})

t.test('silent for other commands, inside TLS and on other visits', async (t) => {
  const table = [
    [{}, [command(1, 'NOOP')]],
    [{}, [command(1, 'STARTTLS', true)]],
    [{ visits: 'even' }, [command(1, 'STARTTLS')]],
  ] as const
  for (const [parameters, events] of table) t.same(play(behaviour, parameters, events), events)
  t.equal(play(behaviour, { visits: 'even' }, [command(1, 'STARTTLS')], { visit: 2 }).length, 3)
})
