/**
 * The embedded resolver and unbound agree on rcode, AD and the types of the answer, for questions drawn at random over
 * zones of every kind; delv, a third validator, agrees on what is secure.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { run } from '../testing/programs.ts'
import { Internet } from './internet.ts'
import { decodeMessage, encodeMessage, type Message, queryFor } from './message.ts'
import { typeNumber, typeText } from './numbers.ts'
import { startDns } from './start.ts'
import { drawer, ZONES } from './testing/drawn-questions.ts'
import { inNamespace } from './testing/namespace.ts'
import { exchange } from './testing/stub.ts'
import { lacks, startUnbound, summary } from './testing/unbound.ts'
import { bindAnchorFile } from './trust-anchor.ts'

const inside = inNamespace(import.meta.url)
const skip = inside === true ? lacks('unbound', '-V') : inside

function shown(message: Message): string {
  const types = [...new Set(message.answers.map(({ type }) => typeText(type)))].sort()
  return [summary(message).replace(/ EDE \d+/g, ''), ...types].join(' ')
}

t.test('1,000 questions', { skip }, async (t) => {
  const internet = await Internet.create(ZONES, { nameServer: { name: 'ns.test', address: '127.0.0.1' } })
  const at = { address: '127.0.0.3', port: 53 }
  const dns = await startDns({ internet, resolver: [at], authority: { port: 53 } })
  t.teardown(() => dns.close())
  const unbound = await startUnbound(t, internet)
  const questions = Array.from({ length: 1_000 }, drawer(20_260_115, 'agreement', ZONES))
  const differences: string[] = []
  const seen = new Set<string>()
  const askBoth = async ([name, type]: readonly [string, string]): Promise<void> => {
    const query = queryFor(name, typeNumber(type) ?? 0, { id: 1, rd: true, edns: { do: true } })
    const octets = await exchange(at, encodeMessage(query), 'tcp')
    const ours = octets === undefined ? 'closed' : shown(decodeMessage(octets))
    const theirs = shown(await unbound.ask(name, type))
    seen.add(ours.split(' ').slice(0, 2).join(' '))
    if (ours !== theirs) differences.push(`${name} ${type}: ours ${ours}, unbound ${theirs}`)
  }
  const lane = async (): Promise<void> => {
    for (let next = questions.pop(); next !== undefined; next = questions.pop()) await askBoth(next)
  }
  await Promise.all([lane(), lane(), lane(), lane()])
  t.same(differences, [])
  t.ok(seen.has('NOERROR AD') && seen.has('NXDOMAIN AD') && seen.has('NXDOMAIN'), [...seen].join(', '))
})

t.test('delv says fully validated where the resolver says AD', { skip: skip || lacks('delv', '-v') }, async (t) => {
  const internet = await Internet.create(ZONES, { nameServer: { name: 'ns.test', address: '127.0.0.1' } })
  const at = { address: '127.0.0.3', port: 53 }
  const dns = await startDns({ internet, resolver: [at], authority: { port: 53 } })
  t.teardown(() => dns.close())
  const folder = mkdtempSync(join(tmpdir(), 'badmx-delv-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const anchor = join(folder, 'anchor')
  writeFileSync(anchor, bindAnchorFile(internet))
  // Not spawnSync: the name servers are in this process.
  const compare = async (kind: string): Promise<void> => {
    for (const [label, type] of [
      ['_25._tcp.mx', 'TLSA'],
      ['a.wild', 'A'],
      ['nobody', 'TLSA'],
    ] as const) {
      const name = `${label}.${kind}.test`
      const query = queryFor(name, typeNumber(type) ?? 0, { rd: true, edns: { do: true } })
      const { ad } = decodeMessage((await exchange(at, encodeMessage(query), 'tcp')) ?? Buffer.alloc(0))
      const { stdout } = await run('delv', ['@127.0.0.3', '-a', anchor, '+root=.', name, type])
      t.equal(/fully validated/.test(stdout), ad, `${name} ${type}: ${stdout.split('\n')[0]}`)
      t.match(stdout, /fully validated|unsigned answer/)
    }
  }
  await Promise.all(['next', 'ed', 'hashed', 'alone', 'unknown', 'unsigned'].map(compare))
})
