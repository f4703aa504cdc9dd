/** The lab as a whole, with real layers of the Debian archive: what runs in it, and that there is no way out. */
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { PATIENCE_MS, sharedLayers, visit } from './testing/visit.ts'

t.setTimeout(PATIENCE_MS)
const layers = await sharedLayers('postfix', 'postfix@trixie')
const skip = typeof layers === 'string' ? { skip: layers } : { timeout: PATIENCE_MS }

t.test('two releases of Postfix in roots side by side', skip, async (t) => {
  if (typeof layers === 'string') return
  const { code, stdout, stderr } = await visit(t, { cwd: t.testdir() }, 'postfix,postfix@trixie', 'versions').ended
  t.equal(code, 0, stderr)
  const [bookworm = '', trixie = ''] = JSON.parse(stdout) as string[]
  t.match(bookworm, /^3\.7\./)
  t.match(trixie, /^3\.10\./)
  t.ok(layers[0]?.version.startsWith(bookworm), 'the version of the layer is the one that runs')
  t.ok(layers[1]?.version.startsWith(trixie))
})

t.test('a client root', skip, async (t) => {
  const cwd = t.testdir({ destdir: { usr: { sbin: { postconf: '#!/bin/sh\necho mine\n' } } } })
  chmodSync(join(cwd, 'destdir/usr/sbin/postconf'), 0o755)
  const { code, stdout, stderr } = await visit(t, { cwd }, 'postfix', 'root', join(cwd, 'destdir')).ended
  t.equal(code, 0, stderr)
  const found = JSON.parse(stdout)
  t.match(found, {
    own: 'mine\n',
    device: '2\n',
    resolv: 'nameserver 198.18.0.53\nnameserver 2001:db8:c612::53\nsearch lab.invalid\noptions trust-ad edns0\n',
    hosts: /^203\.0\.113\.2 smtp\.example\.test smtp$/m,
    hostname: 'smtp.example.test\n',
    trusted: 'stdin: OK\n',
    certificates: 3,
    owned: 'postfix postdrop 640\n',
    log: ['<22>', 'postfix/smtp[7]: a#011b\u2028c'],
    environment: 'y-',
    input: 'from outside',
    code: 3,
    crashed: 139,
  })
  t.match(found.linked, /^nameserver/, 'an absolute link is one of the root')
  t.equal(found.large, 600_000, 'the whole output, though a daemon holds it open')
  t.ok(found.old > 3500 && found.old < 3700, 'a file as old as asked')
  t.strictSame(found.killed, { code: 137, gone: true }, 'a program that takes too long is killed')
  t.strictSame(found.closed, { processes: 0, mounts: 0 }, 'nothing is left of a root that is closed')
})

t.test('a folder that would hide a part of Debian', skip, async (t) => {
  const cwd = t.testdir({ destdir: { sbin: { postfix: '' } } })
  t.match(await visit(t, { cwd }, 'postfix', 'overlay', 'destdir').ended, {
    code: 2,
    stderr: /\nerror: destdir has a folder sbin, which in bookworm is a link to usr\/sbin\nnext: install with a prefix/,
  })
})

t.test('a clock that jumps', skip, async (t) => {
  const { code, stdout, stderr } = await visit(t, { cwd: t.testdir() }, 'postfix', 'clock').ended
  t.equal(code, 0, stderr)
  const { plain, jumped, back, file, setgid } = JSON.parse(stdout) as Record<string, number>
  const near = (got: number | undefined, want: number, what: string) =>
    t.ok(Math.abs((got ?? 0) - want) < 60, `${what}: ${got}`)
  near(plain, 0, 'seconds ahead, before')
  near(jumped, 90_000, 'after the jump, for a program that was running')
  near(back, -300, 'backwards')
  near(file, 0, 'a file is as old as it is')
  near(setgid, 90_000, 'a program with set-gid')
})

t.test('the network: all of it is ours, and there is none beyond', skip, async (t) => {
  const { code, stdout, stderr } = await visit(t, { cwd: t.testdir() }, 'postfix', 'network').ended
  t.equal(code, 0, stderr)
  t.strictSame(JSON.parse(stdout), {
    hostname: 'client.lab.badmx.test',
    inRoot: 'client.lab.badmx.test',
    first: 'from 203.0.113.2',
    last: 'from 203.0.113.2',
    six: 'from 2001:db8:203::2',
    loopback: 'from 127.0.0.1',
    outside: 'ENETUNREACH',
    outside6: 'ENETUNREACH',
    beyond: 'ENETUNREACH',
  })
})
