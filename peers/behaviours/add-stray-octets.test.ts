import { once } from 'node:events'
import t from 'tap'
import { exchange, legacyServer, proofsOf, talk, tlsLayerOf } from '../testing/legacy.ts'
import { behaviour } from './add-stray-octets.ts'

/** AES-CBC with SHA-1: content of 11 octets and its MAC leave one octet for padding, 12 leave a whole block. */
const SUITE = ['AES128-SHA'] as const

/** What comes after `first`, whose record has stray octets behind it: the text, or the error of the client. */
async function second(first: string, parameters: object = {}): Promise<{ outcome: string; proofs: string[] }> {
  const server = await legacyServer({ max: 'TLSv1', suites: [...SUITE] })
  const session = await talk(server, {}, [tlsLayerOf(behaviour, parameters)])
  const failure = once(session.client, 'error').then(([error]: NodeJS.ErrnoException[]) => error?.code ?? '')
  const [heard] = await exchange(session, first)
  t.equal(heard, first, 'the reply itself is read')
  const reply = once(session.client, 'data').then(([chunk]: Buffer[]) => chunk?.toString('latin1') ?? '')
  reply.catch(() => {})
  session.conversation.perform(session.conversation.engine.write(Buffer.from('250 second\r\n')))
  const outcome = await Promise.race([failure, reply])
  session.client.destroy()
  return { outcome, proofs: proofsOf(session) }
}

t.test('the reply is read, and the next one is not', async (t) => {
  const { outcome, proofs } = await second('x'.repeat(11), { content: 'zero' })
  t.match(outcome, /^ERR_SSL_/, 'the client finds no record')
  t.match(proofs, ['opportunity the client took a CBC cipher', 'fired 15 stray octets behind a record'])
})

t.test('where the padding is the longest there is nothing astray', async (t) => {
  const { outcome, proofs } = await second('x'.repeat(12))
  t.equal(outcome, '250 second\r\n')
  t.strictSame(proofs.slice(0, 1), ['opportunity the client took a CBC cipher'])
})

t.test('a cipher without padding is immune', async (t) => {
  const server = await legacyServer({ max: 'TLSv1.2', suites: ['AES128-GCM-SHA256'] })
  const session = await talk(server, {}, [tlsLayerOf(behaviour)])
  const text = '250 OK\r\n'
  t.strictSame(await exchange(session, text), [text, text])
  t.strictSame(proofsOf(session), [])
  session.client.destroy()
})
