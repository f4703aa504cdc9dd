/**
 * A lab without root: as a user who has subordinate users, and as one who has none. Run as root, the test makes such a user
 * for itself alone, in a mount namespace with a /etc/subuid of its own.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { packageRoot } from '../../peers/package-root.ts'
import { Program } from '../test/program.ts'
import { baseRoot } from './base.ts'
import { cacheFolder, FOLDERS } from './cache.ts'
import { searchPath } from './sandbox.ts'
import { PATIENCE_MS, sharedLayers } from './testing/visit.ts'

/**
 * Arguments: an empty folder, the lines of /etc/subuid, what the cache has already (relative to `$CACHE`), Node, the project,
 * words of the visitor. Everything that the user needs is laid where a stranger may look. What is in the cache already is
 * unpacked by the user, so that its owners are users of the namespace.
 */
const AS_NOBODY = `
cd "$1"
mount -t tmpfs -o mode=755 stranger .
cd "$1"
mkdir -p project home/.cache/badmx/lab
: >node
mount --bind "$4" node
mount --bind "$5" project
chown -R nobody home
printf '%s' "$2" >users
for file in /etc/subuid /etc/subgid; do mount --bind users $file; done
become="setpriv --reuid=nobody --regid=nogroup --clear-groups"
[ -z "$3" ] || tar -C "$CACHE" --exclude 'root/dev/*' -c $3 |
  $become unshare --user --map-root-user --map-auto tar -C home/.cache/badmx/lab -x -p --numeric-owner
folder=$1
shift 5
cd /
exec $become env -i "PATH=$PATH" "HOME=$folder/home" "$folder/node" "$folder/project/dist/harness/lab/testing/visitor.js" "$@"`

t.setTimeout(PATIENCE_MS)
const layers = await sharedLayers('postfix')
const reason =
  typeof layers === 'string' ? layers : process.getuid?.() !== 0 ? 'only root can become somebody else' : undefined
const skip = reason === undefined ? { timeout: PATIENCE_MS } : { skip: reason }

async function asNobody(t: Test, users: string, has: readonly string[], ...words: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'badmx-stranger-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const fixed = [folder, users, has.join(' '), process.execPath, packageRoot()]
  const argv = ['unshare', '--mount', 'sh', '-euc', AS_NOBODY, 'sh', ...fixed, ...words]
  return new Program(t, argv, '/', { PATH: searchPath(), CACHE: cacheFolder() }).ended
}

t.test('with subordinate users packages install and a program becomes another user', skip, async (t) => {
  const has = [join(baseRoot('bookworm'), '..'), join(FOLDERS.archive, 'bookworm')]
  const { code, stdout, stderr } = await asNobody(t, 'nobody:200000:65536\n', has, 'postfix', 'users')
  t.equal(code, 0, stderr)
  t.match(JSON.parse(stdout), {
    support: 'subordinate',
    owners: 'postfix postdrop\n',
    changed: 'postfix\n',
    reached: 'from 203.0.113.2',
    outside: 'ENETUNREACH',
  })
})

t.test('without subordinate users there is none, and it says what to do', skip, async (t) => {
  t.match(await asNobody(t, '', [], 'dma', 'users'), {
    code: 3,
    stderr: /^error: no lab: no subordinate users \(.*\)\nnext: apt-get install uidmap, and lines for this user/,
  })
})
