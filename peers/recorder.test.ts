import { createHash } from 'node:crypto'
import t from 'tap'
import type { CanaryText } from './canary.ts'
import type { BytesCrossed, PeerEvent } from './events.ts'
import { seeded } from './random.ts'
import { KEEP, Recorder, TAIL } from './recorder.ts'

const WORD = 'k7q2m9xw4tzb'

function recording(canaries: readonly CanaryText[] = []): {
  recorder: Recorder
  events: PeerEvent[]
  runs: () => BytesCrossed[]
} {
  const events: PeerEvent[] = []
  let now = 0
  const recorder = new Recorder({
    sink: (event) => events.push(event),
    now: () => now++,
    conn: 'mx.1',
    cell: 'a.may',
    canaries,
  })
  return { recorder, events, runs: () => events.flatMap((event) => (event.type === 'bytes' ? [event] : [])) }
}

const random = seeded(1, 'recorder')
const NOISE = Buffer.from(Array.from({ length: KEEP + 110_000 }, () => 0x61 + Math.floor(random() * 26)))

/** Repeatable octets without a line end. */
function noise(length: number): Buffer {
  return NOISE.subarray(0, length)
}

/** Hands all octets of one direction to the recorder, the first 64 KiB - 100 at once and the rest in pieces of `size`. */
function feed(recorder: Recorder, octets: Buffer, size: number): void {
  const first = size < 1000 ? KEEP - 100 : size
  recorder.bytes('client', 'in', 'tcp', octets.subarray(0, first))
  for (let at = first; at < octets.length; at += size)
    recorder.bytes('client', 'in', 'tcp', octets.subarray(at, at + size))
  recorder.flush()
}

t.test('every event has its time, cell and connection', async (t) => {
  const { recorder, events } = recording()
  recorder.event({ type: 'conn', state: 'closed', by: 'client', how: 'fin' })
  recorder.bytes('client', 'in', 'tcp', Buffer.from('x'))
  t.match(events, [
    { t: 0, cell: 'a.may', conn: 'mx.1', type: 'conn' },
    { t: 1, cell: 'a.may', conn: 'mx.1', type: 'bytes', side: 'client', direction: 'in', layer: 'tcp' },
  ])
})

t.test('no octets, no event', async (t) => {
  const { recorder, events } = recording()
  recorder.bytes('client', 'in', 'tcp', Buffer.alloc(0))
  recorder.flush()
  t.strictSame(events, [])
})

t.test('a run up to the limit is kept whole, however it is cut', async (t) => {
  const octets = noise(KEEP)
  for (const size of [KEEP, KEEP - 1, 4096, 1000]) {
    const { recorder, runs } = recording()
    for (let at = 0; at < octets.length; at += size)
      recorder.bytes('client', 'in', 'tcp', octets.subarray(at, at + size))
    recorder.flush()
    t.ok(Buffer.concat(runs().map(({ data }) => data)).equals(octets), `pieces of ${size}`)
    t.ok(runs().every(({ elided }) => elided === undefined))
  }
})

t.test('of a longer run: head, tail, length and SHA-256, however it is cut', async (t) => {
  for (const over of [1, TAIL - 1, TAIL, TAIL + 1, 100_000]) {
    const octets = noise(KEEP + over)
    const rest = octets.subarray(KEEP)
    for (const size of [octets.length, KEEP, 16_384, 1000]) {
      const { recorder, runs } = recording()
      for (let at = 0; at < octets.length; at += size)
        recorder.bytes('upstream', 'out', 'cipher', octets.subarray(at, at + size))
      recorder.flush()
      const name = `${over} octets over the limit, in pieces of ${size}`
      const last = runs().at(-1)
      t.ok(
        Buffer.concat(
          runs()
            .slice(0, -1)
            .map(({ data }) => data),
        ).equals(octets.subarray(0, KEEP)),
        `${name}: head`,
      )
      t.ok(last?.data.equals(rest.subarray(-TAIL)), `${name}: tail`)
      t.strictSame(
        last?.elided,
        { length: over, sha256: createHash('sha256').update(rest).digest('hex'), hits: [] },
        name,
      )
      t.match(last, { side: 'upstream', direction: 'out', layer: 'cipher' })
    }
  }
})

t.test('TLS records are a run of their own: they end no run of what they carry, and count for no offset', async (t) => {
  const { recorder, runs } = recording()
  const long = noise(KEEP)
  recorder.bytes('client', 'out', 'tls', long)
  recorder.records('client', 'out', long)
  recorder.records('client', 'out', Buffer.alloc(0))
  recorder.bytes('client', 'out', 'tls', Buffer.from('more'))
  recorder.records('client', 'out', Buffer.from('more'))
  t.equal(recorder.offset, KEEP + 4)
  recorder.flush()
  t.strictSame(
    runs().map(({ layer, data, elided }) => `${layer} ${data.length} ${elided?.length ?? 'whole'}`),
    ['tls 65536 whole', 'cipher 65536 whole', 'tls 4 4', 'cipher 4 4'],
  )
})

t.test('a run ends when the direction or the layer turns, and a new one is kept afresh', async (t) => {
  const { recorder, runs } = recording()
  const long = noise(KEEP + 10)
  recorder.bytes('client', 'in', 'tcp', long)
  recorder.bytes('client', 'out', 'tcp', Buffer.from('250 ok\r\n'))
  recorder.bytes('client', 'in', 'tcp', long)
  recorder.bytes('client', 'in', 'tls', long)
  recorder.flush()
  recorder.flush()
  t.strictSame(
    runs().map(
      ({ direction, layer, data, elided }) => `${direction} ${layer} ${data.length} ${elided?.length ?? 'whole'}`,
    ),
    [
      'in tcp 65536 whole',
      'in tcp 10 10',
      'out tcp 8 whole',
      'in tcp 65536 whole',
      'in tcp 10 10',
      'in tls 65536 whole',
      'in tls 10 10',
    ],
  )
})

t.test('the two sides have runs of their own', async (t) => {
  const { recorder, runs } = recording()
  for (let piece = 0; piece < 2; piece++) {
    recorder.bytes('client', 'in', 'tcp', noise(KEEP))
    recorder.bytes('upstream', 'out', 'tcp', noise(KEEP))
  }
  recorder.flush()
  t.strictSame(
    runs().map(({ side, elided }) => `${side} ${elided?.length ?? 'whole'}`),
    ['client whole', 'upstream whole', `client ${KEEP}`, `upstream ${KEEP}`],
  )
})

t.test('canaries in what is left out are found, wherever chunks cut them', async (t) => {
  const canaries = [
    { name: 'body', value: WORD },
    { name: 'subject', value: 'notthere0000' },
  ]
  const forms = { plain: WORD, base64: Buffer.from(`--${WORD}`).toString('base64'), soft: [...WORD].join('=\r\n') }
  for (const [name, form] of Object.entries(forms)) {
    for (let cut = 0; cut <= form.length; cut++) {
      const octets = Buffer.concat([noise(KEEP + 20_000), Buffer.from(form), noise(20_000)])
      const at = KEEP + 20_000 + cut
      const { recorder, runs } = recording(canaries)
      recorder.bytes('client', 'in', 'tcp', octets.subarray(0, at))
      recorder.bytes('client', 'in', 'tcp', octets.subarray(at))
      recorder.flush()
      t.strictSame(runs().at(-1)?.elided?.hits, ['body'], `${name} cut at ${cut}`)
    }
    const { recorder, runs } = recording(canaries)
    feed(recorder, Buffer.concat([noise(KEEP + 100), Buffer.from(form), noise(5_000)]), 1)
    t.strictSame(runs().at(-1)?.elided?.hits, ['body'], `${name} octet by octet`)
  }
})

t.test('a canary that lies across the end of what is kept is found', async (t) => {
  const canaries = [{ name: 'body', value: WORD }]
  for (let inside = 1; inside < WORD.length; inside++) {
    const octets = Buffer.concat([noise(KEEP - inside), Buffer.from(WORD), noise(5_000)])
    for (const size of [octets.length, KEEP, 1000, 1]) {
      const { recorder, runs } = recording(canaries)
      feed(recorder, octets, size)
      t.strictSame(runs().at(-1)?.elided?.hits, ['body'], `${inside} octets of it are kept, pieces of ${size}`)
    }
  }
})

t.test('what is not there, or lies in another run, is no hit', async (t) => {
  const canaries = [{ name: 'body', value: WORD }]
  const { recorder, runs } = recording(canaries)
  recorder.bytes('client', 'in', 'tcp', Buffer.concat([noise(KEEP + 5000), Buffer.from(WORD.slice(0, 6))]))
  recorder.bytes('client', 'out', 'tcp', Buffer.from('250\r\n'))
  recorder.bytes('client', 'in', 'tcp', Buffer.concat([Buffer.from(WORD.slice(6)), noise(KEEP + 5000)]))
  recorder.flush()
  t.strictSame(
    runs().flatMap(({ elided }) => elided?.hits ?? []),
    [],
  )
})

t.test('the offset counts what went to the client on the layer in use', async (t) => {
  const { recorder } = recording()
  t.equal(recorder.offset, 0)
  recorder.bytes('client', 'out', 'tcp', Buffer.alloc(10))
  recorder.bytes('client', 'in', 'tcp', Buffer.alloc(99))
  recorder.bytes('upstream', 'out', 'tcp', Buffer.alloc(99))
  recorder.bytes('client', 'out', 'tcp', Buffer.alloc(KEEP))
  t.equal(recorder.offset, KEEP + 10, 'elision does not stop it')
  recorder.bytes('client', 'out', 'tls', Buffer.alloc(7))
  t.equal(recorder.offset, 7)
})
