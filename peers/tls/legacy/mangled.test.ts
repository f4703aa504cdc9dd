/**
 * Ten thousand seeded sessions of mangled input: what real clients sent, cut, flipped, doubled, mixed and lengthened at every
 * stage. Nothing is thrown, nothing goes on without end, and an engine that did not get through says why. A session can be had
 * again by its number, which is in the message.
 */
import t from 'tap'
import { octets, seeded } from '../../random.ts'
import { legacyServer, randomOctets, talk } from '../../testing/legacy.ts'
import { type EngineOutput, LegacyEngine } from './engine.ts'
import type { LegacyTlsInput } from './options.ts'
import type { LegacyServer } from './server.ts'

const SESSIONS = 10_000
/** An engine answers a step of its input with no more than so many outputs. */
const MOST_OUTPUTS = 200

/** A server and all that a client sent to it, message by message. The engine draws the same octets again. */
interface Recorded {
  readonly name: string
  readonly server: LegacyServer
  readonly sent: readonly Buffer[]
}

const SHAPES: readonly (readonly [LegacyTlsInput, boolean])[] = [
  [{ max: 'TLSv1', suites: ['AES128-SHA'] }, false],
  [{ max: 'TLSv1.1', suites: ['DHE-RSA-AES256-SHA'], dhBits: 1024, tickets: 'none' }, true],
  [{ max: 'TLSv1.2', suites: ['ECDHE-RSA-AES128-GCM-SHA256'] }, true],
  [{ max: 'TLSv1.2', suites: ['ADH-AES128-SHA256'], dhBits: 1024, packing: 'shared' }, false],
  [{ max: 'TLSv1.2', suites: ['NULL-SHA'], content: 40 }, false],
]

async function record([options, asks]: (typeof SHAPES)[number]): Promise<Recorded> {
  const server = await legacyServer(options, asks ? { clientCertificate: 'request' } : {})
  const name = options.suites?.[0] ?? ''
  const { conversation, client } = await talk(server, {}, [], name)
  await new Promise<void>((resolve) => client.write('EHLO client\r\nMAIL FROM:<a@b.test>\r\n', () => resolve()))
  client.destroy()
  return { name, server, sent: conversation.sent }
}

/** Octets of a chunk changed in one way or another. */
function mangled(chunk: Buffer, random: () => number): Buffer {
  const at = Math.floor(random() * chunk.length)
  const copy = Buffer.from(chunk)
  switch (Math.floor(random() * 8)) {
    case 0:
      return chunk.subarray(0, at)
    case 1:
      copy[at] = (copy[at] as number) ^ (1 << Math.floor(random() * 8))
      return copy
    case 2:
      for (let count = 0; count < 8; count++) copy[Math.floor(random() * copy.length)] = Math.floor(random() * 256)
      return copy
    case 3:
      return Buffer.concat([chunk, chunk])
    case 4:
      return Buffer.concat([chunk.subarray(0, at), octets(random, 1 + Math.floor(random() * 40)), chunk.subarray(at)])
    case 5:
      // The length of the record, or of the message in it.
      copy.writeUInt16BE(Math.floor(random() * 65536), Math.min(random() < 0.5 ? 3 : 7, copy.length - 2))
      return copy
    case 6:
      copy[0] = [20, 21, 22, 23, 24, 0x80, 0][Math.floor(random() * 7)] as number
      return copy
    default:
      return Buffer.concat([chunk.subarray(at), chunk.subarray(0, at)])
  }
}

/** Input in the pieces in which it comes: some whole, some cut anywhere. */
function pieces(octetsIn: Buffer, random: () => number): Buffer[] {
  if (random() < 0.7) return [octetsIn]
  const parts: Buffer[] = []
  for (let at = 0; at < octetsIn.length; ) {
    const step = 1 + Math.floor(random() * 60)
    parts.push(octetsIn.subarray(at, at + step))
    at += step
  }
  return parts
}

function play({ server, sent, name }: Recorded, random: () => number): EngineOutput[] {
  const engine = new LegacyEngine(server, randomOctets(name), [])
  const where = Math.floor(random() * sent.length)
  const outputs: EngineOutput[] = []
  for (const [index, chunk] of sent.entries()) {
    const input = index === where || random() < 0.1 ? mangled(chunk, random) : chunk
    for (const piece of pieces(input, random)) outputs.push(...engine.receive(piece))
    outputs.push(...engine.write(Buffer.from('250 OK\r\n')))
  }
  outputs.push(...engine.end())
  return outputs
}

t.test('what was recorded goes through when it is not mangled', async (t) => {
  for (const shape of SHAPES) {
    const { server, sent, name } = await record(shape)
    const engine = new LegacyEngine(server, randomOctets(name), [])
    const outputs = sent.flatMap((chunk) => [...engine.receive(chunk)])
    t.equal(outputs.filter(({ type }) => type === 'up').length, 1, name)
    t.equal(outputs.filter(({ type }) => type === 'data').length > 0, true, name)
  }
})

t.test('ten thousand mangled sessions', { timeout: 200_000 }, async (t) => {
  const recordings = await Promise.all(SHAPES.map(record))
  const reasons = new Map<string, number>()
  let through = 0
  for (let session = 0; session < SESSIONS; session++) {
    const random = seeded(session, 'mangled')
    const recorded = recordings[session % recordings.length] as Recorded
    const outputs = play(recorded, random)
    if (outputs.length > MOST_OUTPUTS) t.fail(`session ${session}: ${outputs.length} outputs`)
    const failures = outputs.filter((output) => output.type === 'failed')
    const up = outputs.some(({ type }) => type === 'up')
    if (failures.length > 1) t.fail(`session ${session}: failed ${failures.length} times`)
    const [failed] = failures
    if (failed === undefined && !up) t.fail(`session ${session}: neither up nor failed`)
    if (failed?.reason.startsWith('internal error')) t.fail(`session ${session}: ${failed.reason}`)
    if (failed === undefined) through += 1
    else {
      const kind = failed.reason.replace(/\d+|[0-9a-f]{8,}/g, 'n')
      reasons.set(kind, (reasons.get(kind) ?? 0) + 1)
    }
  }
  t.ok(through < SESSIONS / 2, `${through} sessions bore what was done to them`)
  t.ok(reasons.size > 15, `${reasons.size} kinds of reasons`)
})
