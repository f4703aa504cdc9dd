import t from 'tap'
import { StarttlsWatch } from './starttls-watch.ts'

type Line = readonly ['C' | 'S', string]

/** The number of the event in which the 220 ended, or -1. */
function grantedAt(lines: readonly Line[]): number {
  const watch = new StarttlsWatch()
  return lines.findIndex(([from, text]) => {
    if (from === 'S') return watch.server(Buffer.from(text, 'latin1'))
    watch.client(Buffer.from(text, 'latin1'))
    return false
  })
}

t.test('sees the end of a 220 to STARTTLS', async (t) => {
  const table: readonly [string, readonly Line[], number][] = [
    [
      'plain',
      [
        ['C', 'STARTTLS\r\n'],
        ['S', '220 go\r\n'],
      ],
      1,
    ],
    [
      'lower case, blanks',
      [
        ['C', 'starttls  \r\n'],
        ['S', '220 go\r\n'],
      ],
      1,
    ],
    [
      'code alone',
      [
        ['C', 'STARTTLS\r\n'],
        ['S', '220\r\n'],
      ],
      1,
    ],
    [
      'several lines',
      [
        ['C', 'STARTTLS\r\n'],
        ['S', '220-a\r\n'],
        ['S', '220 b\r\n'],
      ],
      2,
    ],
    [
      'after other commands',
      [
        ['S', '220 mx\r\n'],
        ['C', 'EHLO c\r\n'],
        ['S', '250 mx\r\n'],
        ['C', 'STARTTLS\r\n'],
        ['S', '220 go\r\n'],
      ],
      4,
    ],
    ['a banner', [['S', '220 mx\r\n']], -1],
    [
      'refused',
      [
        ['C', 'STARTTLS\r\n'],
        ['S', '454 no\r\n'],
        ['C', 'NOOP\r\n'],
        ['S', '220 odd\r\n'],
      ],
      -1,
    ],
    [
      'another word',
      [
        ['C', 'XSTARTTLS\r\n'],
        ['S', '220 go\r\n'],
      ],
      -1,
    ],
    [
      'with an argument',
      [
        ['C', 'STARTTLS now\r\n'],
        ['S', '220 go\r\n'],
      ],
      -1,
    ],
    [
      'in a long line',
      [
        ['C', `${'x'.repeat(100)}STARTTLS\r\n`],
        ['S', '220 go\r\n'],
      ],
      -1,
    ],
  ]
  for (const [name, lines, want] of table) t.equal(grantedAt(lines), want, name)
})

t.test('whatever the segments', async (t) => {
  const octets = (from: 'C' | 'S', text: string): Line[] => [...text].map((octet) => [from, octet] as const)
  const lines = [...octets('C', 'STARTTLS\r\n'), ...octets('S', '220-a\r\n220 b\r\n')]
  t.equal(grantedAt(lines), lines.length - 1)
})
