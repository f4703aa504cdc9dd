import t from 'tap'
import { newMemory } from '../reference.ts'
import { CORRECT, type Decisions } from './decisions.ts'
import type { Secured, Wire } from './dialogue.ts'
import { Failure } from './failure.ts'
import { decisionsWith } from './flaws.ts'
import type { Job } from './job.ts'
import { ReplyReader } from './replies.ts'
import { session } from './session.ts'

/** What arrives: octets, after a time in milliseconds. */
interface Arrival {
  readonly afterMs: number
  readonly text: string
}

type Answers = Readonly<Record<string, readonly (string | Arrival)[]>>

const SOUND: Answers = {
  banner: ['220 mx ESMTP\r\n'],
  EHLO: ['250-mx\r\n250 HELP\r\n'],
  MAIL: ['250 ok\r\n'],
  RCPT: ['250 ok\r\n'],
  DATA: ['354 go\r\n'],
  '.': ['250 queued\r\n'],
  QUIT: ['221 bye\r\n'],
}

const JOB: Job = {
  policy: 'may',
  hostName: 'mx.badmx.test',
  from: 'sender@badmx.test',
  to: ['recipient@badmx.test'],
  message: Buffer.from('Subject: hello\r\n\r\nbody\r\n'),
  timeScale: 1,
  deadlineMs: 10_000_000,
}

/** A wire without sockets, whose clock moves only by what the script says. */
function scriptedWire(changed: Answers, decide: Decisions, sent: string[]): Wire {
  const answers = { ...SOUND, ...changed }
  const queue: (string | Arrival)[] = [...(answers.banner ?? [])]
  const end = decide.attemptLimit(JOB.deadlineMs)
  let now = 0
  let secured = false
  return {
    get secured() {
      return secured
    },
    async send(octets) {
      const line = octets.toString('latin1')
      sent.push(line)
      queue.push(...(answers[line.trimEnd().split(' ')[0] ?? ''] ?? []))
    },
    arrived() {
      const texts: string[] = []
      while (typeof queue[0] === 'string' && queue[0] !== '') texts.push(String(queue.shift()))
      return Buffer.from(texts.join(''), 'latin1')
    },
    async read(stage, limitMs) {
      const next = queue.shift()
      const afterMs = typeof next === 'object' ? next.afterMs : 0
      if (next === undefined || afterMs > limitMs) {
        const kind = limitMs === Number.POSITIVE_INFINITY ? 'aborted' : 'timeout'
        now += limitMs
        throw new Failure(kind, stage, 'nothing came')
      }
      now += afterMs
      return Buffer.from(typeof next === 'object' ? next.text : next, 'latin1')
    },
    async secure(): Promise<Secured> {
      secured = true
      sent.push('(TLS)')
      throw new Failure('handshake', 'handshake', 'there is no TLS here')
    },
    keepSessions: () => {},
    unsecure: () => Buffer.alloc(0),
    now: () => now,
    remaining: () => end - now,
    note: () => {},
  }
}

async function ending(answers: Answers, decide: Decisions, job: Partial<Job> = {}) {
  const sent: string[] = []
  const wire = scriptedWire(answers, decide, sent)
  try {
    await session(wire, { ...JOB, ...job }, decide, newMemory())
    return { end: 'delivered', sent, tookMs: wire.now() }
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure
    return { end: failure.kind, sent, tookMs: wire.now() }
  }
}

function thrownBy(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  return undefined
}

const ROWS: readonly {
  readonly flaw: string
  readonly answers: Answers
  readonly job?: Partial<Job>
  readonly correct: string
  readonly flawed: string
}[] = [
  {
    flaw: 'impatient',
    answers: { EHLO: [{ afterMs: 100_000, text: '250 mx\r\n' }] },
    correct: 'delivered',
    flawed: 'timeout',
  },
  { flaw: 'wait-forever', answers: { EHLO: [] }, correct: 'timeout', flawed: 'aborted' },
  {
    flaw: 'weak-bounded-wait',
    answers: { EHLO: Array.from('250-mx\r\n250 HELP\r\n', (text) => ({ afterMs: 30_000, text })) },
    correct: 'timeout',
    flawed: 'delivered',
  },
  {
    flaw: 'lose-partial-lines',
    answers: { EHLO: ['', ...Array.from('250-mx\r\n250 HELP\r\n', (text) => ({ afterMs: 0, text }))] },
    correct: 'delivered',
    flawed: 'protocol',
  },
  {
    flaw: 'truncate-at-nul',
    answers: { EHLO: ['250-mx\r\n250-START\0TLS\r\n250 HELP\r\n'] },
    correct: 'delivered',
    flawed: 'timeout',
  },
  {
    flaw: 'starttls-instead-of-implicit',
    answers: { banner: [] },
    job: { policy: 'implicit' },
    correct: 'handshake',
    flawed: 'timeout',
  },
]

t.test('flaws of time and of segments', async (t) => {
  for (const { flaw, answers, job, correct, flawed } of ROWS) {
    t.equal((await ending(answers, CORRECT, job)).end, correct, `correct, against ${flaw}`)
    t.equal((await ending(answers, decisionsWith([flaw]), job)).end, flawed, flaw)
  }
})

t.test('the limit of a stage is for the whole reply, and scales', async (t) => {
  t.match(await ending({ EHLO: [] }, CORRECT), { end: 'timeout', tookMs: 300_000 })
  t.match(await ending({ EHLO: [] }, CORRECT, { timeScale: 10 }), { end: 'timeout', tookMs: 30_000 })
  t.match(await ending({ DATA: [] }, CORRECT), { end: 'timeout', tookMs: 120_000 })
})

t.test('a session in clear, command by command', async (t) => {
  const { sent } = await ending({}, CORRECT)
  t.same(sent, [
    'EHLO client.badmx.test\r\n',
    'MAIL FROM:<sender@badmx.test>\r\n',
    'RCPT TO:<recipient@badmx.test>\r\n',
    'DATA\r\n',
    'Subject: hello\r\n\r\nbody\r\n',
    '.\r\n',
    'QUIT\r\n',
  ])
})

t.test('replies, split at every octet', async (t) => {
  const octets = Buffer.from('250-mx\r\n250-STARTTLS\r\n250\r\n220 go\r\n')
  for (let at = 0; at <= octets.length; at += 1) {
    const reader = new ReplyReader(CORRECT)
    reader.push(octets.subarray(0, at))
    const early = reader.next('ehlo')
    reader.push(octets.subarray(at))
    t.same(early ?? reader.next('ehlo'), { code: 250, lines: ['mx', 'STARTTLS', ''] }, `at ${at}`)
    t.equal(reader.pending.toString(), '220 go\r\n')
  }
})

t.test('what is no reply', async (t) => {
  const wrong = [
    '250 ok\n',
    '250 a\rb\r\n',
    'hello\r\n',
    '\r\n',
    '25\r\n',
    '2500 ok\r\n',
    '150 ok\r\n',
    '250-a\r\n251 b\r\n',
  ]
  for (const text of [...wrong, 'x'.repeat(10_000), '250-x\r\n'.repeat(20_000)]) {
    const reader = new ReplyReader(CORRECT)
    reader.push(Buffer.from(text))
    t.match(
      thrownBy(() => reader.next('ehlo')),
      { kind: 'protocol' },
      JSON.stringify(text.slice(0, 20)),
    )
  }
  for (const text of ['', '250-a\r\n', '250 a\r', '250 a']) {
    const reader = new ReplyReader(CORRECT)
    reader.push(Buffer.from(text))
    t.equal(reader.next('ehlo'), undefined, JSON.stringify(text))
  }
})
