import t from 'tap'
import type { LogEvent } from '../events.ts'
import { judgeCell } from './cell.ts'
import { readLog, writeEvent } from './log.ts'
import { LogBuilder } from './log-builder.ts'

const sample = (): LogBuilder => {
  const log = new LogBuilder({
    roots: [Buffer.from([1, 2])],
    proof: [{ behaviour: 'b', host: 'mx', fires: 'may' }],
  }).attempt()
  log
    .conn()
    .greet('STARTTLS')
    .starttls()
    .tls([Buffer.from([3])])
    .ehlo()
    .fired('b', 'did')
    .deliver()
    .quit()
  log.conn('c2').greet('STARTTLS').starttls().failed('unknown_ca').close('peer', 'rst')
  log.push({
    type: 'bytes',
    conn: 'c2',
    side: 'client',
    direction: 'in',
    layer: 'tcp',
    data: Buffer.from('x'),
    elided: { length: 9, sha256: 'a', hits: ['body'] },
  })
  return log.says('delivered').push({ type: 'attempt', state: 'ended', cell: 'x', attempt: 1, cause: 'first' }).done()
}

t.test('what was written is read again, and judged the same', (t) => {
  const log = sample()
  const text = log.events.map(writeEvent).join('')
  const read = [...readLog(text, 'events.ndjson')]
  t.strictSame(read, log.events)
  t.strictSame(judgeCell(log.cell, read), log.judge())
  t.strictSame([...readLog(`\n${text}\n`, 'x')].length, log.events.length, 'empty lines are nothing')
  t.end()
})

t.test('a line that was cut off is the end; anywhere else it is a mistake', (t) => {
  const [first = '', second = ''] = sample().events.map(writeEvent)
  t.equal([...readLog(first + second.slice(0, 30), 'f')].length, 1)
  t.throws(() => [...readLog(`${first}${second.slice(0, 30)}\n${second}`, 'f')], {
    message: 'f:2: got text that is no JSON object; want one event of badmx/events/1',
  })
  t.throws(() => [...readLog('null\n', 'f')], {
    message: 'f:1: got text that is no JSON object; want one event of badmx/events/1',
  })
  t.throws(() => [...readLog('7\n', 'f')], { message: 'f:1: got no object; want one event of badmx/events/1' })
  t.end()
})

t.test('each mistake has its line and what was expected', (t) => {
  const line = (change: (event: Record<string, unknown>) => void, type: string): string => {
    const event = JSON.parse(writeEvent(sample().events.find((each) => each.type === type) as LogEvent))
    change(event)
    return `${JSON.stringify(event)}\n`
  }
  const said = (text: string): string => {
    try {
      return `${[...readLog(text, 'f')].length}`
    } catch (error) {
      return (error as Error).message
    }
  }
  t.equal(said(line((event) => delete event.t, 'bytes')), 'f:1: got nothing in bytes.t; want a number')
  t.equal(
    said(line((event) => (event.side = 'left'), 'bytes')),
    'f:1: got "left" in bytes.side; want one of client, upstream',
  )
  t.equal(said(line((event) => (event.data = 7), 'bytes')), 'f:1: got 7 in bytes.data; want base64 text')
  t.equal(
    said(line((event) => (event.policy = 'maybe'), 'cell')),
    'f:1: got "maybe" in cell.policy; want one of none, may, encrypt, verify, dane, dane-only, mta-sts, implicit, default',
  )
  t.equal(
    said(line((event) => (event.proof = [{ behaviour: 'b', host: 'mx', fires: 'now' }]), 'cell')),
    'f:1: got "now" in cell.proof.fires; want one of must, may, must-not',
  )
  const wanted =
    'by host id a preference (a number or "none"), tls (starttls, connect or none), and perhaps tlsa (secure, base, records)'
  t.equal(
    said(line((event) => (event.hosts = { mx: { preference: 10, tls: 'always' } }), 'cell')),
    `f:1: got {"mx":{"preference":10,"tls":"always"}} in cell.hosts; want ${wanted}`,
  )
  t.equal(
    said('{"type":"phase","t":1,"cell":"c","phase":"later","hosts":{"mx":{"preference":"none","tls":"none"}}}\n'),
    '1',
  )
  t.equal(
    said('{"type":"phase","t":1,"cell":"c","phase":"later","hosts":{"mx":5}}\n'),
    `f:1: got {"mx":5} in phase.hosts; want ${wanted}`,
  )
  t.equal(
    said(line((event) => (event.word = { state: 'well' }), 'client')),
    'f:1: got "well" in client.word.state; want one of delivered, failed, queued, bounced, crashed, hung, unsupported, unknown',
  )
  t.match(
    said(line((event) => (event.state = 'ajar'), 'conn')),
    /^f:1: got the event "conn ajar"; want one of run, cell, /,
  )
  t.match(said(line((event) => delete event.cell, 'client')), /^f:1: got nothing in client\.cell; want a text/)
  t.match(said('{"type":"constructor","t":1}\n'), /^f:1: got the event "constructor"/)
  t.end()
})
