import t from 'tap'
import { legacyServer, proofsOf, rsaCertificate, talk, tlsLayerOf } from '../testing/legacy.ts'
import { certificate } from '../testing/log.ts'
import { behaviour } from './break-handshake.ts'

const STAGES = [
  ['client', 'client-hello'],
  ['server', 'server-hello'],
  ['server', 'certificate'],
  ['server', 'server-key-exchange'],
  ['server', 'certificate-request'],
  ['server', 'server-hello-done'],
  ['client', 'certificate'],
  ['client', 'client-key-exchange'],
  ['client', 'certificate-verify'],
  ['client', 'change-cipher-spec'],
  ['client', 'finished'],
  ['server', 'new-session-ticket'],
  ['server', 'change-cipher-spec'],
  ['server', 'finished'],
] as const

/** With every message that there is. */
async function session(parameters: object) {
  const own = await rsaCertificate()
  const server = await legacyServer({ suites: ['ECDHE-RSA-AES128-SHA'] }, { clientCertificate: 'request' })
  const options = { cert: own.certPem, key: own.keyPem }
  return talk(server, options, [tlsLayerOf(behaviour, parameters)])
}

t.test('an end at every stage, before and behind each message', async (t) => {
  for (const [from, message] of STAGES) {
    for (const when of ['before', 'behind'] as const) {
      for (const then of ['fin', 'rst'] as const) {
        const { conversation, client, error } = await session({ from, message, when, then })
        const what = `${then} ${when} ${message} of the ${from}`
        // Behind both Finished the client has what it wanted.
        const complete = message === 'finished' && when === 'behind'
        t.equal(error === undefined, complete, what)
        t.strictSame(conversation.of('end')[0], { type: 'end', how: then }, what)
        t.strictSame(proofsOf({ conversation, client }), [
          `opportunity the ${message} of the ${from} was due`,
          `fired nothing, then ${then.toUpperCase()} ${when} the ${message} of the ${from}`,
        ])
        client.destroy()
      }
    }
  }
})

t.test('alerts are what the client says it got, at every stage, encrypted ones too', async (t) => {
  for (const [from, message] of STAGES) {
    const { client, error } = await session({ from, message, send: 'alert', alert: 49 })
    // OpenSSL takes nothing but Finished behind ChangeCipherSpec.
    const late = from === 'server' && message === 'finished'
    const code = late ? 'ERR_SSL_DATA_BETWEEN_CCS_AND_FINISHED' : 'ERR_SSL_TLSV1_ALERT_ACCESS_DENIED'
    t.match(error, { code }, `${message} of the ${from}`)
    client.destroy()
  }
})

t.test('a flipped bit in a message of the server is found', async (t) => {
  const codes = {
    'server-hello': /^ERR_/,
    'server-key-exchange': /^ERR_SSL_(INVALID_PADDING|BAD_SIGNATURE)$/,
    finished: /^ERR_SSL_DIGEST_CHECK_FAILED$/,
  }
  for (const [message, code] of Object.entries(codes)) {
    const broken = await session({ message, send: 'flip' })
    t.match(broken.error?.code, code, message)
    t.strictSame(proofsOf(broken)[1], `fired a flipped bit in the ${message} of the server`)
    broken.client.destroy()
  }
})

t.test('a certificate whose signature is broken goes unnoticed where nobody checks it', async (t) => {
  const { client, error } = await session({ message: 'certificate', send: 'flip' })
  t.equal(error, undefined, 'both sides agree on what was sent')
  client.destroy()
})

t.test('octets before a message, an empty Certificate', async (t) => {
  const early = await session({ message: 'certificate', send: 'octets', then: 'go-on' })
  t.match(early.error, { code: 'ERR_SSL_UNEXPECTED_MESSAGE' }, 'an early ChangeCipherSpec, CVE-2014-0224')
  const empty = await session({ message: 'certificate', send: 'empty' })
  t.ok(empty.error, 'a server has a certificate')
  t.strictSame(empty.conversation.of('presented'), [{ type: 'presented', chain: [] }])
})

t.test('going on changes nothing, and a message that does not come is no opportunity', async (t) => {
  const warned = await session({ message: 'certificate', send: 'alert', level: 'warning', alert: 112, then: 'go-on' })
  t.equal(warned.error, undefined, 'a warning is no end')
  warned.client.destroy()
  const server = await legacyServer({ suites: ['ECDHE-ECDSA-AES128-SHA'] }, { certificate: await certificate() })
  const without = await talk(server, {}, [tlsLayerOf(behaviour, { message: 'certificate-request', then: 'rst' })])
  t.equal(without.error, undefined)
  t.strictSame(proofsOf(without), [])
  without.client.destroy()
})
