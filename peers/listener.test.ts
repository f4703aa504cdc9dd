import { connect, type Socket } from 'node:net'
import t from 'tap'
import { type Host, isLoopback, ListenError, Listener } from './listener.ts'

/** A host that says its name and hangs up when it is closed. */
function host(name: string): Host & { readonly sockets: Socket[] } {
  const sockets: Socket[] = []
  return {
    sockets,
    accept(socket) {
      sockets.push(socket)
      socket.on('error', () => {})
      socket.end(name)
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** What the other side says until it ends, or the code of the error. */
async function hear(address: string, port: number): Promise<string> {
  const socket = connect({ host: address, port })
  socket.setTimeout(5_000, () => socket.destroy(new Error('deadline')))
  let said = ''
  socket.on('data', (chunk) => {
    said += String(chunk)
  })
  return new Promise((resolve) => {
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    socket.on('close', () => resolve(said))
  })
}

/** The error that opening gives. */
async function refusal(options: Parameters<typeof Listener.open>[0]): Promise<ListenError> {
  try {
    await (await Listener.open(options)).close()
  } catch (error) {
    if (error instanceof ListenError) return error
    throw error
  }
  throw new Error('it listens')
}

t.test('a port that is in use is said so, with what to do', async (t) => {
  const listener = await Listener.open()
  t.teardown(() => listener.close())
  const error = await refusal({ port: listener.address.port })
  t.equal(error.code, 'port-in-use')
  t.match(error.message, new RegExp(`127\\.0\\.0\\.1 port ${listener.address.port} is in use`))
})

t.test('nothing beyond loopback, unless told so', async (t) => {
  for (const address of [
    '0.0.0.0',
    '::',
    '192.0.2.1',
    '128.0.0.1',
    'localhost',
    '127.0.0.1.badmx.test',
    '::ffff:192.0.2.1',
  ]) {
    t.equal((await refusal({ address })).code, 'not-loopback', address)
  }
  t.equal(
    (await refusal({ address: '192.0.2.1', allowRemote: true })).code,
    'listen',
    'an address that this machine has not',
  )
  const listener = await Listener.open({ address: '0.0.0.0', allowRemote: true })
  t.teardown(() => listener.close())
  listener.serve(host('any'))
  t.equal(await hear('127.0.0.1', listener.address.port), 'any')
})

t.test('what is loopback', async (t) => {
  for (const address of ['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1']) t.ok(isLoopback(address), address)
  for (const address of ['127.0.0.1.example', '1127.0.0.1', '::2', '10.0.0.1', ''])
    t.notOk(isLoopback(address), address)
})

t.test('one listener, hosts by local address, and one for the rest', async (t) => {
  const listener = await Listener.open({ address: '0.0.0.0', allowRemote: true })
  t.teardown(() => listener.close())
  const { port } = listener.address
  listener.serve(host('two'), '127.0.0.2')
  listener.serve(host('three'), '127.0.0.3')
  t.equal(await hear('127.0.0.4', port), 'ECONNRESET', 'an address that nobody serves says nothing')
  listener.serve(host('rest'))
  t.strictSame(await Promise.all(['127.0.0.2', '127.0.0.3', '127.0.0.4'].map((address) => hear(address, port))), [
    'two',
    'three',
    'rest',
  ])
})

t.test('IPv6, and IPv4 on a socket for both', async (t) => {
  try {
    await (await Listener.open({ address: '::1' })).close()
  } catch (error) {
    t.comment(String(error))
    t.pass('no IPv6 on this machine', { skip: 'no IPv6' })
    return
  }
  const six = await Listener.open({ address: '::1' })
  t.teardown(() => six.close())
  six.serve(host('six'), '::1')
  t.equal(await hear('::1', six.address.port), 'six')
  const both = await Listener.open({ address: '::', allowRemote: true })
  t.teardown(() => both.close())
  both.serve(host('four'), '127.0.0.2')
  both.serve(host('six'), '::1')
  t.equal(await hear('127.0.0.2', both.address.port), 'four', 'seen as ::ffff:127.0.0.2')
  t.equal(await hear('::1', both.address.port), 'six')
})

t.test('close ends what there is, and nothing listens any more', async (t) => {
  const listener = await Listener.open()
  const { port } = listener.address
  const open: Socket[] = []
  listener.serve({
    accept: (socket) => open.push(socket.on('error', () => {})),
    close: () => void open.map((socket) => socket.destroy()),
  })
  const heard = hear('127.0.0.1', port)
  while (open.length === 0) await new Promise((next) => setImmediate(next))
  await listener.close()
  t.match(await heard, /^(ECONNRESET)?$/)
  t.equal(await hear('127.0.0.1', port), 'ECONNREFUSED')
})
