/**
 * Octets from strangers: clients that send anything, and name servers that do. Nothing crashes, nothing hangs, nothing
 * forged is believed.
 */
import t from 'tap'
import type { SocketAddress } from '../events.ts'
import { seeded } from '../random.ts'
import { Authority } from './authority.ts'
import { Internet } from './internet.ts'
import { decodeMessage, encodeMessage, queryFor } from './message.ts'
import { RCODE, TYPE } from './numbers.ts'
import { Resolver } from './resolver/resolver.ts'
import type { Send } from './resolver/upstream.ts'
import { zone } from './zone.ts'
import { publicAddress } from './zone-tree.ts'

const CLIENT: SocketAddress = { address: '127.0.0.1', port: 4000 }
const SERVER: SocketAddress = { address: '198.18.0.1', port: 53 }

async function world(change: (answer: Buffer) => Buffer = (answer) => answer) {
  const internet = await Internet.create([
    zone('badmx.test', ['@ MX 10 mx', 'mx A 198.18.0.25', '_25._tcp.mx TLSA 3 1 1 00', '*.wild A 198.18.0.26']),
    zone('hashed.test', ['mx A 198.18.0.25', '*.wild A 198.18.0.26'], { signing: { nsec3: {} } }),
  ])
  const common = { internet, log: undefined, now: () => 0, timeScale: 1_000 }
  const authority = new Authority(common)
  const root = () => internet.zoneFor({ name: '.', type: TYPE.SOA })
  const send: Send = (query, address, transport, reply) =>
    authority.receive(query, { address, port: 53 }, CLIENT, transport, (what) =>
      reply(what === 'close' ? what : change(what)),
    )
  const resolver = new Resolver({
    ...common,
    send,
    hints: () => root()?.servers.map(publicAddress) ?? [],
    anchor: () => root()?.signer?.ds,
    seconds: () => Date.now() / 1000,
  })
  const ask = (octets: Buffer): Promise<Buffer> =>
    new Promise((resolve) => {
      resolver.receive(octets, SERVER, CLIENT, 'tcp', (what) => resolve(what === 'close' ? Buffer.alloc(0) : what))
    })
  return { authority, resolver, ask }
}

/** Some octets of it changed, cut off or doubled. */
function damaged(octets: Buffer, random: () => number, most: number): Buffer {
  const kind = random()
  if (kind < 0.1) return octets.subarray(0, Math.floor(random() * octets.length))
  if (kind < 0.15) return Buffer.concat([octets, octets])
  const changed = Buffer.from(octets)
  for (let count = 1 + Math.floor(random() * most); count > 0; count--)
    changed[Math.floor(random() * changed.length)] = Math.floor(random() * 256)
  return changed
}

const QUESTIONS: readonly (readonly [string, number])[] = [
  ['badmx.test', TYPE.MX],
  ['_25._tcp.mx.badmx.test', TYPE.TLSA],
  ['nobody.badmx.test', TYPE.A],
  ['a.wild.badmx.test', TYPE.A],
  ['a.b.wild.hashed.test', TYPE.TLSA],
  ['nobody.hashed.test', TYPE.A],
]

t.test('10,000 damaged queries, to a name server and to the resolver, over UDP and TCP', async (t) => {
  const { authority, resolver, ask } = await world()
  const random = seeded(1, 'queries')
  let answers = 0
  for (let round = 0; round < 10_000; round++) {
    const [name, type] = QUESTIONS[round % QUESTIONS.length] ?? ['.', 1]
    const octets = damaged(encodeMessage(queryFor(name, type, { id: 1, rd: true, edns: { do: true } })), random, 6)
    const transport = round % 2 === 0 ? 'udp' : 'tcp'
    const reply = (what: Buffer | 'close'): void => {
      if (what === 'close') return
      answers += 1
      if (!decodeMessage(what).qr) t.fail(`no response to ${octets.toString('hex')}`)
      if (transport === 'udp' && what.length > 1232) t.fail(`${what.length} octets over UDP`)
    }
    if (round % 4 < 2) authority.receive(octets, SERVER, CLIENT, transport, reply)
    else resolver.receive(octets, SERVER, CLIENT, transport, reply)
  }
  const after = decodeMessage(await ask(encodeMessage(queryFor('badmx.test', TYPE.MX, { edns: { do: true } }))))
  t.match(after, { rcode: RCODE.NOERROR, ad: true }, 'and then a sound one is answered')
  t.ok(answers > 1_000, `${answers} answers`)
})

t.test('damaged answers from name servers are never believed', async (t) => {
  const random = seeded(1, 'answers')
  let isDamaging = true
  const { ask, resolver } = await world((answer) =>
    isDamaging && random() < 0.15 ? damaged(answer, random, 4) : answer,
  )
  const sound = new Map<string, string>()
  isDamaging = false
  const shown = (octets: Buffer): string => {
    const { rcode, ad, answers } = decodeMessage(octets)
    const data = answers.filter(({ type }) => type !== TYPE.RRSIG).map((each) => each.data.toString('hex'))
    return JSON.stringify([rcode, ad, data])
  }
  const query = (name: string, type: number) => encodeMessage(queryFor(name, type, { rd: true, edns: { do: true } }))
  for (const [name, type] of QUESTIONS) sound.set(name, shown(await ask(query(name, type))))
  isDamaging = true
  const counts = { sound: 0, failed: 0 }
  for (let round = 0; round < 600; round++) {
    const [name, type] = QUESTIONS[round % QUESTIONS.length] ?? ['.', 1]
    // Delegations and keys are asked for anew, and are damaged too.
    if (round % 3 === 0) resolver.forget('.')
    const octets = await ask(query(name, type))
    const { rcode } = decodeMessage(octets)
    if (rcode === RCODE.SERVFAIL) counts.failed += 1
    else if (shown(octets) === sound.get(name)) counts.sound += 1
    else t.fail(`believed for ${name}: ${shown(octets)}, want ${sound.get(name)}`)
  }
  t.ok(counts.sound > 50 && counts.failed > 5, JSON.stringify(counts))
})
