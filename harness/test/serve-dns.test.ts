/** `badmx serve --dns` as a user has it: real unbound with the configuration that it wrote, delv, unbound-host, dig's kind of query. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { Internet } from '../../peers/dns/internet.ts'
import { decodeMessage, encodeMessage, queryFor } from '../../peers/dns/message.ts'
import { typeNumber } from '../../peers/dns/numbers.ts'
import { rdataText } from '../../peers/dns/rdata-text.ts'
import { exchange } from '../../peers/dns/testing/stub.ts'
import { lacks, summary } from '../../peers/dns/testing/unbound.ts'
import { anchorFile } from '../../peers/dns/trust-anchor.ts'
import type { SocketAddress } from '../../peers/events.ts'
import { run } from '../../peers/testing/programs.ts'
import { badmx, type Program, startBadmx } from './program.ts'

/** An address of this process's own: whatever port the system chooses, the next one is free there too. */
const OWN = `127.77.${(process.pid >> 8) & 255}.${process.pid & 255}`

interface Host {
  readonly address: string
  readonly port: number
  readonly hostName: string
  readonly domain: string
}

/** Starts the zoo of these scenarios; resolves with its hosts by scenario, and where its DNS is. */
async function serve(t: Test, cwd: string, only: string, ...more: readonly string[]) {
  const zoo: Program = startBadmx(t, cwd, 'serve', '--out', 'zoo', '--base-port', '0', '--only', only, ...more)
  await zoo.until(({ stdout }) => /^Ctrl-C ends it/m.exec(stdout))
  const hosts: Record<string, Host> = {}
  for (const [, address = '', port = '', hostName = '', name = ''] of zoo.stdout.matchAll(
    /^(127\.[\d.]+):(\d+) +(\S+) +dns\/(\S+)/gm,
  ))
    hosts[name] = { address, port: Number(port), hostName, domain: hostName.replace(/^mx\./, '') }
  const [, address = '', port = ''] = /^DNS is at (.*?):(\d+), /m.exec(zoo.stdout) ?? []
  return { zoo, hosts, at: { address, port: Number(port) } }
}

async function ask(at: SocketAddress, name: string, type: string) {
  const query = queryFor(name, typeNumber(type) ?? 0, { id: 7, rd: true, edns: { do: true } })
  return decodeMessage((await exchange(at, encodeMessage(query), 'udp')) ?? Buffer.alloc(0))
}

async function says(at: SocketAddress, name: string, type: string): Promise<string> {
  return summary(await ask(at, name, type)).replace(/ EDE \d+/g, '')
}

async function answers(at: SocketAddress, name: string, type: string): Promise<readonly string[]> {
  const { answers } = await ask(at, name, type)
  return answers.filter((each) => each.type === typeNumber(type)).map((each) => rdataText(each.type, each.data))
}

/** The unbound of the folder. */
async function unboundOf(t: Test, cwd: string, { address, port }: SocketAddress): Promise<SocketAddress> {
  const child = spawn('unbound', ['-d', '-c', join(cwd, 'zoo', 'unbound.conf')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  t.teardown(async () => {
    const ended = once(child, 'exit')
    if (child.kill('SIGKILL')) await ended
  })
  const lines: string[] = []
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`unbound ended: ${lines.join('\n')}`)))
    createInterface({ input: child.stderr }).on('line', (line) => {
      lines.push(line)
      if (line.includes('start of service')) resolve()
    })
  })
  return { address, port: port + 1 }
}

t.test('the faults show through, what is sound is secure, and MX records lead to where hosts listen', async (t) => {
  const cwd = t.testdir({})
  const only = 'dane-full-cert,dns-tlsa-bogus-nodata,dns-tlsa-first-fails'
  const { zoo, hosts, at } = await serve(t, cwd, only, '--dns', `${OWN}:0`, '--seed', '7')
  const [sound, bogus] = [hosts['dane-full-cert'], hosts['dns-tlsa-bogus-nodata']]
  if (sound === undefined || bogus === undefined) throw new Error(zoo.stdout)
  const check = async (t: Test, resolver: SocketAddress): Promise<void> => {
    t.equal(await says(resolver, `_${sound.port}._tcp.${sound.hostName}`, 'TLSA'), 'NOERROR AD')
    t.equal(await says(resolver, `_${bogus.port}._tcp.${bogus.hostName}`, 'TLSA'), 'SERVFAIL')
    t.equal(await says(resolver, bogus.hostName, 'A'), 'NOERROR AD', 'its address is sound')
    t.same(await answers(resolver, sound.domain, 'MX'), [`10 ${sound.hostName}.`])
    t.same(await answers(resolver, sound.hostName, 'A'), [sound.address])
  }
  await t.test('badmx’s own resolver', (t) => check(t, at))
  t.match(zoo.stdout, /^dns:guess-wildcard-encloser: .* \[dns\/dns-tlsa-bogus-nodata\]$/m, 'what it did is told')
  await t.test('unbound', { skip: lacks('unbound', '-V') }, async (t) => check(t, await unboundOf(t, cwd, at)))
  await t.test('delv', { skip: lacks('delv', '-v') }, async (t) => {
    const delv = ({ hostName, port }: Host) =>
      run('delv', [
        ...[`@${at.address}`, '-p', String(at.port), '-a', join(cwd, 'zoo', 'trust-anchors.conf'), '+root=.'],
        ...[`_${port}._tcp.${hostName}`, 'TLSA'],
      ])
    t.match((await delv(sound)).stdout, /^; fully validated/)
    const { stdout, stderr } = await delv(bogus)
    t.match(stdout + stderr, /resolution failed/)
  })
  await t.test('unbound-host', { skip: lacks('unbound-host', '-h') }, async (t) => {
    const host = ({ hostName, port }: Host) => {
      const settings = ['-v', '-C', join(cwd, 'zoo', 'unbound.conf'), '-t', 'TLSA']
      return run('unbound-host', [...settings, `_${port}._tcp.${hostName}`])
    }
    t.match((await host(sound)).stdout, /has TLSA record 3 0 0 .* \(secure\)$/m)
    t.match(
      (await host(bogus)).stdout,
      /\(BOGUS \(security failure\)\)\n(?:.*\n)*validation failure <_\d+\._tcp\.[^>]* TLSA IN>/,
    )
  })
  // The fault of one host's TLSA records is about the port that this host has.
  const first = /^127\.[\d.]+:(\d+) +(mx1\.\S+)/m.exec(zoo.stdout)
  t.equal(await says(at, `_${first?.[1]}._tcp.${first?.[2]}`, 'TLSA'), 'SERVFAIL')
  const seeded = await Internet.create([], { seed: 7 })
  t.equal(readFileSync(join(cwd, 'zoo', 'root.anchor'), 'utf8'), anchorFile(seeded), 'the same for the same seed')
  zoo.child.kill('SIGINT')
  t.equal((await zoo.ended).code, 0)
})

t.test('what cannot be: clear words, exit 2, and nothing is left', async (t) => {
  const cwd = t.testdir({})
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, OWN, resolve))
  t.teardown(() => new Promise<void>((resolve) => other.close(() => resolve())))
  const address = other.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  const words = ['serve', '--only', 'dane-full-cert', '--base-port', '0', '--out', 'zoo', '--dns']
  for (const [dns, pattern] of [
    [`${OWN}:${port}`, new RegExp(`${OWN} port ${port} is in use.*\\n.*--dns`)],
    ['localhost:5300', /--dns: got "localhost:5300", want ADDRESS:PORT/],
    ['0.0.0.0:5300', /--dns: got "0\.0\.0\.0:5300", want ADDRESS:PORT/],
    ['127.0.0.1:77777', /--dns: got "127\.0\.0\.1:77777", want HOST:PORT/],
    ['198.51.100.1:5300', /198\.51\.100\.1 is not a loopback address.*--allow-remote/],
  ] as const) {
    const ended = await badmx(t, cwd, ...words, dns)
    t.equal(ended.code, 2, `${dns}: ${ended.stderr}`)
    t.match(ended.stderr, pattern)
  }
  const persona = await badmx(t, cwd, 'serve', '--persona', 'sound', '--dns', '127.0.0.1:0')
  t.match(persona, { code: 2, stderr: /--dns is about scenarios/ })
  t.equal((await badmx(t, cwd, 'show', 'zoo', 'x')).code, 2, 'there is no folder')
})
