import t from 'tap'
import { CommandFramer, type FramedUnit, LINE_LIMIT, ReplyParser } from './framing.ts'

/** Every way of cutting `octets` into two chunks, and one chunk per octet. */
function cuts(octets: Buffer): Buffer[][] {
  const all = Array.from({ length: octets.length }, (_, at) => [octets.subarray(0, at), octets.subarray(at)])
  return [...all, Array.from(octets, (octet) => Buffer.from([octet]))]
}

function replies(chunks: readonly Buffer[]): [number, string][] {
  const parser = new ReplyParser()
  return chunks.flatMap((chunk) => parser.push(chunk)).map(({ code, bytes }) => [code, bytes.toString('latin1')])
}

t.test('replies come out whole at every split', (t) => {
  const table: [string, [number, string][]][] = [
    ['220 mx ESMTP\r\n', [[220, '220 mx ESMTP\r\n']]],
    ['250-mx\r\n250-STARTTLS\r\n250 SIZE\r\n', [[250, '250-mx\r\n250-STARTTLS\r\n250 SIZE\r\n']]],
    [
      '220\r\n250 a\r\n',
      [
        [220, '220\r\n'],
        [250, '250 a\r\n'],
      ],
    ],
    ['220-go\r\n454 no\r\n', [[454, '220-go\r\n454 no\r\n']]],
    ['250-a\r\nrubbish\r\n250 b\r\n', [[250, '250-a\r\nrubbish\r\n250 b\r\n']]],
    [
      'rubbish\r\n250 b\r\n',
      [
        [0, 'rubbish\r\n'],
        [250, '250 b\r\n'],
      ],
    ],
    [
      '250 a\n250 b\n',
      [
        [250, '250 a\n'],
        [250, '250 b\n'],
      ],
    ],
    ['999 no such\r\n', [[0, '999 no such\r\n']]],
    ['2500 digits\r\n', [[0, '2500 digits\r\n']]],
  ]
  for (const [text, want] of table)
    for (const chunks of cuts(Buffer.from(text))) t.strictSame(replies(chunks), want, text)
  t.end()
})

t.test('a reply line without end is handed on in pieces, and nothing of it is lost', (t) => {
  const parser = new ReplyParser()
  const long = Buffer.alloc(LINE_LIMIT + 10, 'x')
  const [piece] = parser.push(long)
  t.equal(piece?.complete, false)
  t.equal(piece?.bytes.length, long.length)
  t.strictSame(replies([Buffer.from('250 a')]), [])
  t.end()
})

/** Frames octets, answering each DATA, AUTH and BDAT as `answers` says. */
function frame(chunks: readonly Buffer[], answers: Readonly<Record<string, number[]>> = {}): string[] {
  const framer = new CommandFramer()
  const left = Object.fromEntries(Object.entries(answers).map(([verb, codes]) => [verb, [...codes]]))
  let verb = ''
  const seen: string[] = []
  const told = (unit: FramedUnit): void => {
    if (unit.type === 'command') verb = unit.verb
    const text = unit.bytes.toString('latin1')
    if (unit.type === 'content' && !unit.last) seen.push(`part ${text}`)
    else seen.push(`${unit.type === 'content' ? unit.of : unit.type} ${text}`)
  }
  for (const chunk of chunks) {
    framer.push(chunk)
    for (;;) {
      const unit = framer.next()
      if (unit !== undefined) told(unit)
      else if (framer.waiting) framer.settle(left[verb]?.shift() ?? 0)
      else break
    }
  }
  return joinParts(seen)
}

/** Pieces of content joined: how they are cut depends on the chunks. */
function joinParts(seen: readonly string[]): string[] {
  const joined: string[] = []
  let part = ''
  for (const text of seen) {
    if (text.startsWith('part ')) part += text.slice(5)
    else if (part !== '') {
      joined.push(text.replace(/^(\w+) /, `$1 ${part}`))
      part = ''
    } else joined.push(text)
  }
  return part === '' ? joined : [...joined, `unfinished ${part}`]
}

t.test('commands and content come out the same at every split', (t) => {
  const table: [string, Record<string, number[]>, string[]][] = [
    ['ehlo a\r\nMAIL FROM:<>\r\n', {}, ['command ehlo a\r\n', 'command MAIL FROM:<>\r\n']],
    [
      'DATA\r\nSubject: x\r\n\r\nRCPT TO:<x>\r\n.\r\nQUIT\r\n',
      { DATA: [354] },
      ['command DATA\r\n', 'DATA Subject: x\r\n\r\nRCPT TO:<x>\r\n.\r\n', 'command QUIT\r\n'],
    ],
    ['DATA\r\n.\r\nQUIT\r\n', { DATA: [354] }, ['command DATA\r\n', 'DATA .\r\n', 'command QUIT\r\n']],
    ['DATA\r\n..\r\n.\r\nQUIT\r\n', { DATA: [354] }, ['command DATA\r\n', 'DATA ..\r\n.\r\n', 'command QUIT\r\n']],
    [
      'DATA\r\n\n.\n.\r\r\n.\r\nQUIT\r\n',
      { DATA: [354] },
      ['command DATA\r\n', 'DATA \n.\n.\r\r\n.\r\n', 'command QUIT\r\n'],
    ],
    ['DATA\r\nRSET\r\n', { DATA: [503] }, ['command DATA\r\n', 'command RSET\r\n']],
    ['BDAT 7 LAST\r\nQUIT\r\n\nQUIT\r\n', {}, ['command BDAT 7 LAST\r\n', 'BDAT QUIT\r\n\n', 'command QUIT\r\n']],
    ['BDAT 0 LAST\r\nQUIT\r\n', {}, ['command BDAT 0 LAST\r\n', 'command QUIT\r\n']],
    [
      'AUTH LOGIN\r\ndXNlcg==\r\ncGFzcw==\r\nQUIT\r\n',
      { AUTH: [334, 334, 235] },
      ['command AUTH LOGIN\r\n', 'AUTH dXNlcg==\r\n', 'AUTH cGFzcw==\r\n', 'command QUIT\r\n'],
    ],
    ['AUTH PLAIN AHVzZXI=\r\nQUIT\r\n', { AUTH: [235] }, ['command AUTH PLAIN AHVzZXI=\r\n', 'command QUIT\r\n']],
    ['\r\n\r\n', {}, ['command \r\n', 'command \r\n']],
  ]
  for (const [text, answers, want] of table)
    for (const chunks of cuts(Buffer.from(text, 'latin1'))) t.strictSame(frame(chunks, answers), want, text)
  t.end()
})

t.test('a held command keeps what follows until it is settled', (t) => {
  const framer = new CommandFramer()
  framer.push(Buffer.from('STARTTLS\r\nEHLO early\r\n'))
  t.match(framer.next(), { verb: 'STARTTLS', argument: '' })
  framer.hold()
  t.equal(framer.next(), undefined)
  t.equal(framer.drain().toString(), 'EHLO early\r\n', 'the residue is explicit')
  framer.settle(454)
  framer.push(Buffer.from('QUIT\r\n'))
  t.match(framer.next(), { verb: 'QUIT' })
  t.end()
})

t.test('a line over the limit ends in one unit, an opaque stream in none', (t) => {
  const framer = new CommandFramer()
  framer.push(Buffer.alloc(LINE_LIMIT + 1, 'a'))
  t.equal(framer.next()?.type, 'overlong')
  framer.goOpaque()
  framer.push(Buffer.from('QUIT\r\n'))
  t.equal(framer.next(), undefined)
  t.equal(framer.drain().toString(), 'QUIT\r\n')
  t.end()
})
