/** What a visitor does in the lab; each gives what it found, for a test to look at. */
import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { hostname } from 'node:os'
import type { Readable } from 'node:stream'
import { isPolicy } from '../../../scenarios/policy.ts'
import { labContents } from '../enter.ts'
import type { Layer } from '../layer.ts'
import { LAB_NETWORK } from '../network.ts'
import { type ClientRoot, openRoot, type RootOptions, type RunOptions } from '../root.ts'
import { fingered } from './finger.ts'
import { besidePostfix } from './running-postfix.ts'
import { compareWith } from './same-answers.ts'
import { compareUnrectified } from './unrectified.ts'

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

/** Processes whose root this folder is. */
function processesIn(path: string): number {
  const roots = readdirSync('/proc').map((name) => {
    try {
      return readlinkSync(`/proc/${name}/root`)
    } catch {
      return undefined
    }
  })
  return roots.filter((root) => root === path).length
}

/** A connection to an address of the lab, on which somebody listens. */
async function reachListener(host: string): Promise<string> {
  const server = createServer((socket) => socket.destroy()).listen(0)
  await once(server, 'listening')
  const found = await reach(host, (server.address() as AddressInfo).port)
  server.close()
  return found
}

export const ERRANDS: Readonly<Record<string, Errand>> = {
  /** A command line of badmx beside a Postfix that runs already. */
  async 'beside-postfix'([layer], [network, ...words]) {
    if (layer === undefined) throw new Error('no such layer')
    return besidePostfix(layer, network === 'lab' ? 'lab' : 'loopback', words)
  },
  /** Answers of our name server and of another with the same zones: the layer's, so many questions. */
  async sameAnswers([layer], [count]) {
    if (layer === undefined) throw new Error('no such layer')
    return compareWith(layer, Number(count))
  },

  /** Answers of a PowerDNS whose zones were never put in order, and of ours with that fault. */
  async unrectified([layer]) {
    if (layer === undefined) throw new Error('no such layer')
    return compareUnrectified(layer)
  },

  /** What posttls-finger and badmx say of scenarios: policies and what to run, with commas between. */
  async finger([layer], [policies = '', only = '']) {
    if (layer === undefined) throw new Error('no such layer')
    return fingered(layer, policies.split(',').filter(isPolicy), only.split(','))
  },

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

  /** Everything that a root promises, but for the clock. */
  async root([layer], [overlay = '']) {
    const log: string[] = []
    const root = await open(layer, {
      ...{ overlay, hostname: 'smtp.example.test', onLog: (line) => log.push(line) },
      resolvers: [LAB_NETWORK.resolver4, LAB_NETWORK.resolver6],
    })
    const sh = async (script: string, options: RunOptions = {}): Promise<string> =>
      (await root.run(['sh', '-c', script], options)).stdout
    await sh('ln -s /etc/resolv.conf /tmp/link')
    await root.write('/var/spool/x', 'y', { owner: 'postfix:postdrop', mode: 0o640, ageSeconds: 3600 })
    await sh("logger -p mail.info -t 'postfix/smtp[7]' 'a\tb\u2028c'")
    process.env['SECRET'] = 'of this process'
    const late = root.run(['sh', '-c', 'sleep 999; :'], { timeoutMs: 200 })
    const found = {
      own: await sh('postconf'),
      device: await sh('stat -c %t%T /dev/null /dev/log | grep -c .'),
      resolv: await sh('cat /etc/resolv.conf'),
      hosts: await sh('cat /etc/hosts'),
      hostname: await sh('hostname; :'),
      trusted: await sh('openssl verify -CApath /etc/ssl/certs', { input: CA }),
      certificates: Number(await sh('ls /etc/ssl/certs | wc -l')),
      owned: await sh("stat -c '%U %G %a' /var/spool/x"),
      old: Number(await sh('echo $(($(date +%s) - $(stat -c %Y /var/spool/x)))')),
      linked: await root.read('/tmp/link'),
      large: (await sh('sleep 999 & head -c 600000 /dev/zero')).length,
      environment: (await sh('echo $X-$SECRET', { env: { X: 'y' } })).trim(),
      input: await sh('cat', { input: 'from outside' }),
      code: (await root.run(['sh', '-c', 'exit 3'])).code,
      crashed: (await root.run(['sh', '-c', 'kill -s SEGV $$'])).code,
      killed: { code: (await late).code, gone: (await sh('pgrep -fx "sleep 999"')).trim().split('\n').length === 1 },
    }
    const [priority = '', text = ''] = [log[0]?.slice(0, 4), log[0]?.slice(log[0].indexOf('postfix'))]
    const { path } = root
    const daemons = processesIn(path)
    await root.close()
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(path)).length
    if (daemons === 0) throw new Error('there was no daemon to end')
    return { ...found, log: [priority, text], closed: { processes: processesIn(path), mounts } }
  },

  /** What a root says to a folder of the user's own that cannot be laid over it. */
  async overlay([layer], [overlay = '']) {
    await (await open(layer, { overlay })).close()
  },

  /** What users there are, and whether a program can become another one. */
  async users([layer]) {
    const root = await open(layer)
    const sh = async (script: string): Promise<string> => (await root.run(['sh', '-c', script])).stdout
    const found = {
      support: labContents().support.kind,
      owners: await sh("stat -c '%U %G' /var/lib/postfix /usr/sbin/postdrop | tr '\\n' ' ' | cut -d ' ' -f 1,4"),
      changed: await sh("perl -e '$) = $( = getgrnam q(postfix); $> = $< = getpwnam q(postfix); exec q(id -un)'"),
      reached: await reachListener('198.18.7.7'),
      outside: await reach('192.0.2.1', 25),
    }
    await root.close()
    return found
  },

  /** Seconds that programs of the root think to be ahead of this one. */
  async clock([layer]) {
    const root = await open(layer, { clock: true })
    const ahead = (text: string): number => Number(text) - Date.now() / 1000
    const date = async (): Promise<number> => ahead((await root.run(['date', '+%s'])).stdout)
    const plain = await date()
    const running = root.spawn(['perl', '-e', '<STDIN>; print time'])
    await root.run(['cp', '/usr/bin/date', '/tmp/date'])
    await root.run(['chgrp', 'postdrop', '/tmp/date'])
    await root.run(['chmod', '2755', '/tmp/date'])
    await root.setClock(90_000)
    running.stdin?.end('\n')
    const [chunk] = (await once(running.stdout as Readable, 'data')) as [Buffer]
    const jumped = ahead(chunk.toString())
    await root.run(['sh', '-c', ': >/tmp/file'])
    const file = ahead((await root.run(['stat', '-c', '%Y', '/tmp/file'])).stdout)
    const setgid = ahead((await root.run(['/tmp/date', '+%s'])).stdout)
    await root.setClock(-300)
    return { plain, jumped, file, setgid, back: await date() }
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
