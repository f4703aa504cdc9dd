/**
 * A mail client of today's TLS: nodemailer under Node.js 24 (OpenSSL 3.5), whose ClientHello of 1.5 kB has a post-quantum key share
 * (X25519MLKEM768, draft-ietf-tls-ecdhe-mlkem). Sound servers of any age serve it; some hang, and serve it without that share.
 */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { TlsHello } from '../../peers/events.ts'
import { type PeerOptions, peer } from '../../peers/peer.ts'
import { loadPersonas } from '../../peers/personas.ts'
import { authority, Log, NAMES } from '../../peers/testing/log.ts'
import { oldNode } from '../../peers/testing/programs.ts'
import { personaOptions } from '../persona-peer.ts'

const { path, missing } = oldNode('node-24')
const X25519MLKEM768 = 0x11ec
const NODEMAILER = createRequire(import.meta.url).resolve('nodemailer')

interface Met {
  readonly port: number
  readonly log: Log
  readonly caFile: string
}

async function meet(t: Test, id: string, more: PeerOptions = {}): Promise<Met> {
  const persona = (await loadPersonas()).get(id)
  if (persona === undefined) throw new Error(`no persona ${id}`)
  const issuer = await authority()
  const log = new Log()
  const mx = await peer(persona.stack, {
    ...(await personaOptions(persona, NAMES.host, issuer)),
    ...more,
    log: log.sink,
  })
  t.teardown(() => mx.close())
  const caFile = join(t.testdir({}), 'ca.pem')
  writeFileSync(caFile, issuer.rootPem)
  return { port: mx.port, log, caFile }
}

/** Sends a message, TLS required and checked; resolves with the last reply, or the error. Ends with its test at the latest. */
function deliver(t: Test, { port, caFile }: Met, tls: object = {}): Promise<string> {
  const options = { host: '127.0.0.1', port, requireTLS: true, tls: { servername: NAMES.host, ...tls } }
  const script = `
    const options = ${JSON.stringify(options)}
    options.tls.ca = require('node:fs').readFileSync(${JSON.stringify(caFile)})
    require(${JSON.stringify(NODEMAILER)}).createTransport(options)
      .sendMail({ from: 'a@client.test', to: 'b@badmx.test', subject: 'post-quantum', text: 'hello' })
      .then(({ response }) => console.log(response), (error) => console.log(error.message))`
  const child = spawn('env', ['-u', 'NODE_OPTIONS', path, '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const ended = new Promise<string>((resolve) => child.once('close', () => resolve(said.trim())))
  t.teardown(() => {
    child.kill('SIGKILL')
    return ended
  })
  return ended
}

function helloOf(log: Log): TlsHello | undefined {
  return log.of('tls').find((event): event is TlsHello => event.state === 'hello')
}

const options = { skip: missing ?? false, timeout: 60_000 }

t.test('a sound peer reads the long hello whole, and takes the mail', options, async (t) => {
  const met = await meet(t, 'sound')
  t.match(await deliver(t, met), /^250 /)
  const hello = helloOf(met.log)
  t.ok((hello?.data.length ?? 0) > 1400, `${hello?.data.length} octets`)
  t.equal(hello?.hello.groups[0], X25519MLKEM768)
  t.match(met.log.of('tls'), [{ state: 'hello' }])
  t.ok(met.log.of('tls').some((event) => event.state === 'up' && event.version === 'TLSv1.3'))
  t.match(met.log.octets('client', 'in', 'tls').toString('latin1'), /Subject: post-quantum/)
})

t.test('so does one of the legacy engine, at TLS 1.2', options, async (t) => {
  const certificate = await (await authority()).issue('good', NAMES)
  const met = await meet(t, 'sound', { tls: { certificate, legacy: { min: 'TLSv1.2' } } })
  t.match(await deliver(t, met), /^250 /)
  t.ok(met.log.of('tls').some((event) => event.state === 'up' && event.version === 'TLSv1.2'))
  t.equal(helloOf(met.log)?.hello.groups[0], X25519MLKEM768)
})

t.test('pq-hello-hangs falls silent, and serves the same client without that share', options, async (t) => {
  const met = await meet(t, 'pq-hello-hangs')
  const answer = deliver(t, met)
  const silence = met.log.when((event) => event.type === 'fired' && event.detail.endsWith('silence'))
  t.equal(await Promise.race([answer, silence.then(() => 'silence')]), 'silence')
  t.same(met.log.tls(), ['hello'])
  const small = await meet(t, 'pq-hello-hangs')
  t.match(await deliver(t, small, { ecdhCurve: 'X25519:P-256' }), /^250 /)
  t.ok((helloOf(small.log)?.data.length ?? 0) < 1400)
  t.notOk(helloOf(small.log)?.hello.groups.includes(X25519MLKEM768))
  t.same(small.log.proofs(), [])
})
