/** `badmx serve` as a user has it: a client of its own at an address of the table, the line and the ladder of its session. */
import { createServer } from 'node:net'
import t, { type Test } from 'tap'
import { Client } from '../../peers/testing/client.ts'
import { SAMPLE_HOST, sampleScenario } from '../../scenarios/test/sample-scenario.ts'
import { Places } from '../serve.ts'
import { badmx, badmxEach, type Program, startBadmx } from './program.ts'

/** A port for `--base-port`: free on 127.0.0.1 a moment ago; the zoo is at other addresses. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

interface Row {
  readonly address: string
  readonly port: number
  readonly hostName: string
  readonly name: string
  readonly title: string
}

/** Starts `badmx serve`, and reads its table. */
async function serve(t: Test, cwd: string, ...words: readonly string[]): Promise<{ zoo: Program; rows: Row[] }> {
  const zoo = startBadmx(t, cwd, 'serve', '--out', 'zoo', ...words)
  await zoo.until(({ stdout }) => /^Ctrl-C ends it/m.exec(stdout))
  const rows = zoo.stdout
    .slice(0, zoo.stdout.indexOf('\n\n'))
    .split('\n')
    .slice(1)
    .map((line) => {
      const [place = '', hostName = '', name = '', title = ''] = line.split(/ {2,}/)
      const [, address = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(place) ?? []
      return { address, port: Number(port), hostName, name, title }
    })
  return { zoo, rows }
}

/** Says EHLO and QUIT there; resolves with the banner. */
async function visit({ address, port }: Row): Promise<string> {
  const client = await Client.connect(port, address)
  const banner = await client.reply()
  await client.ask('EHLO client.badmx.test')
  await client.ask('QUIT')
  client.reset()
  return banner
}

t.test('a session at an address of the table: its line, its ladder, and both again from the log', async (t) => {
  const cwd = t.testdir({})
  const words = ['--base-port', String(await freePort()), '--only', 'strip-ehlo-omit']
  const { zoo, rows } = await serve(t, cwd, ...words)
  const [row] = rows
  if (row === undefined) throw new Error('the table is empty')
  t.match(rows, [{ name: 'strip/strip-ehlo-omit', address: /^127\./ }])
  t.match(zoo.stdout, `swaks --server ${row.address} --port ${row.port} --tls`)
  t.match(await visit(row), row.hostName)
  const line = await zoo.until(({ stdout }) => /^1\.mx\.1 .*$/m.exec(stdout)?.[0])
  t.match(line, /hide-starttls: removed .* \| quit \[strip\/strip-ehlo-omit\]$/)
  zoo.say('1.mx.1\n')
  await zoo.until(({ stdout }) => /EHLO client\.badmx\.test/.exec(stdout))
  zoo.say('9.mx.9\n')
  await zoo.until(({ stderr }) => stderr.includes('no session "9.mx.9"'))
  zoo.child.kill('SIGINT')
  t.equal((await zoo.ended).code, 0)

  const all = await badmx(t, cwd, 'show', 'zoo')
  t.equal(all.stdout, `${line}\n`)
  const one = await badmx(t, cwd, 'show', 'zoo', '1.mx.1')
  t.match(one.stdout, /EHLO client\.badmx\.test/)
  t.match(one.stdout, /removed/)
  const none = await badmx(t, cwd, 'show', 'zoo', '1.mx.7')
  t.equal(none.code, 2)
  t.match(none.stderr, /there is no session "1\.mx\.7" in zoo\n.*1\.mx\.1/)
})

t.test('every host of a scenario has an address of its own', async (t) => {
  const { rows } = await serve(t, t.testdir({}), '--base-port', String(await freePort()), '--only', 'mx-equal-pref')
  t.match(rows, [
    { hostName: /^broken\./, title: /\(broken, MX 10\)$/ },
    { hostName: /^sound\./, title: /\(sound, MX 10\)$/ },
  ])
  t.not(rows[0]?.address, rows[1]?.address)
  for (const row of rows) if (row.hostName.startsWith('sound.')) t.match(await visit(row), row.hostName)
})

t.test('a persona alone, where the user says', async (t) => {
  const port = await freePort()
  const { zoo, rows } = await serve(t, t.testdir({}), '--persona', 'sound', '--listen', `127.0.0.1:${port}`)
  t.match(rows, [{ address: '127.0.0.1', port, name: 'sound' }])
  t.match(await visit(rows[0] as Row), /^220 /)
  await zoo.until(({ stdout }) => /nothing fired \| quit \[sound\]$/m.exec(stdout))
})

t.test('a port in use: nothing is left, and the option is named', async (t) => {
  const cwd = t.testdir({})
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  t.teardown(() => new Promise<void>((resolve) => other.close(() => resolve())))
  const address = other.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  const taken = await badmx(t, cwd, 'serve', '--persona', 'sound', '--listen', `127.0.0.1:${port}`, '--out', 'zoo')
  t.equal(taken.code, 2)
  t.match(taken.stderr, /in use.*\n.*--listen/)
  t.equal((await badmx(t, cwd, 'show', 'zoo', 'x')).code, 2, 'there is no folder')
  const alone = await badmx(t, cwd, 'serve', '--listen', '127.0.0.1:0')
  t.match(alone, { code: 2, stderr: /--listen goes with --persona/ })
})

t.test('addresses follow from names alone', (t) => {
  const [one, two] = [sampleScenario('strip-x'), sampleScenario('strip-y')]
  const zoo = { basePort: 2525, oneAddress: false }
  const both = new Places(zoo)
  both.next(one, 'mx', SAMPLE_HOST)
  t.same(both.next(two, 'mx', SAMPLE_HOST), new Places(zoo).next(two, 'mx', SAMPLE_HOST))
  t.notSame(both.next(one, 'mx', SAMPLE_HOST), new Places(zoo).next(one, 'mx', SAMPLE_HOST), 'never one twice')
  const six = new Places(zoo).next(one, 'mx', { address: 'ipv6' })
  t.equal(six.address, '::1')
  t.ok(six.port > 2525 && six.port <= 3525)
  const row = new Places({ basePort: 2525, oneAddress: true })
  t.same(
    [one, two].map((scenario) => row.next(scenario, 'mx', SAMPLE_HOST)),
    [2525, 2526].map((port) => ({ address: '127.0.0.1', port })),
  )
  t.throws(
    () => new Places({ basePort: 65_535, oneAddress: false }).next(one, 'mx', { address: 'ipv6' }),
    /--base-port/,
  )
  t.end()
})

t.test('the option of a persona', async (t) => {
  const persona = ['--persona', 'exchange-2003:kb948963=true']
  const { rows } = await serve(t, t.testdir({}), ...persona, '--listen', `127.0.0.1:${await freePort()}`)
  t.match(rows, [{ name: 'exchange-2003:kb948963=true' }])
  const wrong = await badmxEach(t, t.testdir({}), [
    ['serve', '--persona', 'exchange-2003:kb94=true'],
    ['serve', '--persona', 'exchange-2003:kb948963'],
    ['serve', '--persona', 'sound:kb948963=true'],
    ['list', '--personas'],
  ])
  t.match(wrong[0], { code: 2, stderr: /no option of exchange-2003 "kb94"; did you mean "kb948963"\?/ })
  t.match(wrong[1], { code: 2, stderr: /got "kb948963" in "exchange-2003:kb948963", want OPTION=true/ })
  t.match(wrong[2], { code: 2, stderr: /the persona sound has no options/ })
  t.match(wrong[3], { code: 0, stdout: /^exchange-2003:kb948963=true +Exchange 2003/m })
})
