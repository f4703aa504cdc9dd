import { mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { placeIn, readIn, writeIn } from './root-files.ts'

t.test('paths of a root stay in it', async (t) => {
  const top = t.testdir({ outside: 'untouched', root: { etc: {}, run: {}, usr: { lib: {} } } })
  const root = join(top, 'root')
  const links = {
    lib: 'usr/lib',
    'etc/absolute': '/run/file',
    'etc/climbs': '../../../../outside',
    'etc/folder': '/usr/lib/..',
    'run/loop': '/run/loop',
    'run/chain': '/etc/absolute',
  }
  for (const [name, target] of Object.entries(links)) symlinkSync(target, join(root, name))
  for (const [file, want] of [
    ['/etc/absolute', 'run/file'],
    ['etc/absolute', 'run/file'],
    ['/run/chain', 'run/file'],
    ['/etc/climbs', 'outside'],
    ['/../../outside', 'outside'],
    ['/lib/x/y', 'usr/lib/x/y'],
    ['/etc/folder/new/', 'usr/new'],
    ['/', ''],
  ] as const)
    t.equal(await placeIn(root, file), join(root, want), file)
  await t.rejects(placeIn(root, '/run/loop/x'), /too many symbolic links in \/run\/loop\/x/)
  await writeIn(root, '/etc/climbs', 'inside')
  t.equal(readFileSync(join(top, 'outside'), 'utf8'), 'untouched')
  t.equal(await readIn(root, '/outside'), 'inside')
})

t.test('content, mode, age; folders are made', async (t) => {
  const root = t.testdir({ etc: { passwd: 'root:x:0:0::/:/bin/sh\n', group: 'root:x:0:\n' } })
  await writeIn(root, '/a/b/c', 'old')
  await writeIn(root, '/a/b/c', Buffer.from('new'), { mode: 0o600, ageSeconds: 7200, atomic: true })
  t.equal(await readIn(root, 'a/b/c'), 'new')
  const { mode, mtimeMs } = statSync(join(root, 'a/b/c'))
  t.equal(mode & 0o777, 0o600)
  const age = Date.now() - mtimeMs
  t.ok(age > 7_100_000 && age < 7_400_000, `${age} ms old`)
  await t.rejects(writeIn(root, '/x', '', { owner: 'postfix' }), /\/etc\/passwd of the root has no "postfix"/)
  await t.rejects(writeIn(root, '/x', '', { owner: 'root:maildrop' }), /\/etc\/group of the root has no "maildrop"/)
  mkdirSync(join(root, 'folder'))
  await t.rejects(readIn(root, '/folder'), { code: 'EISDIR' })
})
