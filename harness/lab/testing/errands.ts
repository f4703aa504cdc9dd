/** What a visitor does in the lab; each gives what it found, for a test to look at. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { hostname } from 'node:os'
import type { Layer } from '../layer.ts'
import { LAB_NETWORK } from '../network.ts'
import { type ClientRoot, openRoot, type RootOptions } from '../root.ts'

type Errand = (layers: readonly Layer[], words: readonly string[]) => Promise<unknown>

/** A certificate that signs itself; its key was thrown away. */
export const CA = `-----BEGIN CERTIFICATE-----
MIIBcjCCARmgAwIBAgIUTmp1HN4LCfUlivqls2lSZumtieswCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAeFw0yNjExMjgxNDU1MDNaFw0yNjEyMjgxNDU1MDNa
MA8xDTALBgNVBAMMBHRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASBpQhG
F9VlfAVS8QI6pIS0K57jsv78O4ibtCZKhgKzMuWI18YoSMOQdo0eANf2qyZKVNPR
dgVcue2H6MDprDDKo1MwUTAdBgNVHQ4EFgQUb+x9LVnpHvv1DOQV0sD8a7UtgUIw
HwYDVR0jBBgwFoAUb+x9LVnpHvv1DOQV0sD8a7UtgUIwDwYDVR0TAQH/BAUwAwEB
/zAKBggqhkjOPQQDAgNHADBEAiA3KJogg3XJupkabWgZvzKnrx7EqzOSjLckCEFT
WEvRHAIgZr3yGnekVbEWaIkK5YeZo6d8E8px9QgbmBUpOm25O2k=
-----END CERTIFICATE-----
`

function open(layer: Layer | undefined, options: Partial<RootOptions> = {}): Promise<ClientRoot> {
  if (layer === undefined) throw new Error('no such layer')
  return openRoot(layer, { resolvers: [LAB_NETWORK.resolver4], ca: CA, ...options })
}

const say = (text: string): void => {
  process.stderr.write(`${text}\n`)
}

/** What a connection from this process meets: its own address, or the error's code. */
function reach(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 5000 })
    const end = (what: string): void => {
      socket.destroy()
      resolve(what)
    }
    socket.once('connect', () => end(`from ${socket.localAddress}`))
    socket.once('timeout', () => end('timeout'))
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
  })
}

export const ERRANDS: Readonly<Record<string, Errand>> = {
  /** The version that each Postfix tells, all of their roots open at once. */
  async versions(layers) {
    const roots = await Promise.all(layers.map((layer) => open(layer)))
    const found = await Promise.all(
      roots.map(async (root) => {
        await root.write('/etc/postfix/main.cf', '')
        return (await root.run(['postconf', '-h', 'mail_version'])).stdout.trim()
      }),
    )
    await Promise.all(roots.map((root) => root.close()))
    return found
  },

  async network([layer]) {
    const server = createServer((socket) => socket.destroy()).listen(0, '::')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const one = createServer().listen(port + 1, '2001:db8:c612:1::25')
    await once(one, 'listening')
    const root = await open(layer)
    const found = {
      hostname: hostname(),
      inRoot: (await root.run(['hostname'])).stdout.trim(),
      first: await reach('198.18.0.1', port),
      last: await reach('198.19.255.254', port),
      six: await reach('2001:db8:c612:ffff::1', port),
      loopback: await reach('127.0.0.1', port),
      // RFC 5737's and RFC 9637's: nobody's machines, in case there is a way out after all.
      outside: await reach('192.0.2.1', 25),
      outside6: await reach('3fff::1', 25),
      beyond: await reach('198.20.0.1', 25),
    }
    await root.close()
    server.close()
    one.close()
    return found
  },

  /** Opens a root, leaves a daemon in it, and stays until it is killed. */
  async stay([layer]) {
    say('opening')
    const root = await open(layer)
    say('open')
    await root.run(['sh', '-c', 'sleep 1000 & cd /tmp && : >file'])
    say('staying')
    await root.run(['sleep', '1000'])
  },
}
