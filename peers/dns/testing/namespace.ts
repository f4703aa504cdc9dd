/**
 * For the tests: a network of one's own, in which port 53 is free and real referrals work, without being root. The test
 * file runs itself again in there.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const MARK = 'BADMX_TEST_NAMESPACE'

/**
 * True inside. Outside it runs the file of `url` inside, its output being this process's, and ends the process with its
 * code; or it returns why that cannot be done.
 */
export function inNamespace(url: string): true | string {
  if (process.env[MARK] === '1') return true
  const enter = ['-Urn', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh']
  if (spawnSync('unshare', [...enter, 'true'], { stdio: 'ignore' }).status !== 0)
    return 'unshare -Urn gives no network of its own here'
  const run = [...enter, process.execPath, ...process.execArgv, fileURLToPath(url)]
  const { status } = spawnSync('unshare', run, { stdio: 'inherit', env: { ...process.env, [MARK]: '1' } })
  process.exit(status ?? 1)
}
