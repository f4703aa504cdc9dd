/**
 * mmdebstrap, which makes base roots, and the keys of the Debian archive, where the machine has neither: a Debian without
 * them gets the program from the archive, an Ubuntu gets the keys from its own. Both go into the cache; nothing is installed.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { findProgram } from '../process/program.ts'
import { UserError } from '../user-error.ts'
import { buildError } from './build-error.ts'
import { FOLDERS } from './cache.ts'
import type { BuildOptions } from './layer.ts'
import { archive } from './releases.ts'
import { runInSandbox, searchPath } from './sandbox.ts'

export interface Mmdebstrap {
  readonly command: readonly string[]
  readonly keyring: string
}

const KEYRING = 'usr/share/keyrings/debian-archive-keyring.gpg'

/** The cache's lock is held by the caller. @throws {UserError} where it cannot be had, with what to install */
export async function findMmdebstrap(cache: string, options: BuildOptions): Promise<Mmdebstrap> {
  const missing = ['apt-get', 'dpkg-deb'].filter((name) => findProgram(name, searchPath(), cache) === undefined)
  if (missing.length > 0)
    throw new UserError(`building a lab needs apt and dpkg, and there is no ${missing.join(', no ')}`, INSTALL, 3)
  const keyring = existsSync(`/${KEYRING}`) ? `/${KEYRING}` : join(await fetchKeyring(cache, options), KEYRING)
  if (findProgram('mmdebstrap', searchPath(), cache) !== undefined) return { command: ['mmdebstrap'], keyring }
  // It is one Perl program, which uses modules that perl-base has not.
  if (spawnSync('perl', ['-MEnglish', '-MPod::Usage', '-MGetopt::Long', '-e', '1']).status !== 0)
    throw new UserError('building a lab needs mmdebstrap, or Perl with its modules to run it', INSTALL, 3)
  const tool = await fetchProgram(cache, keyring, options)
  return { command: ['perl', join(tool, 'usr', 'bin', 'mmdebstrap')], keyring }
}

const INSTALL = 'apt-get install mmdebstrap debian-archive-keyring'

/** By the machine's own apt, which checks it with the keys that the machine came with. */
const FETCH_KEYRING = `
mkdir -p "$1/root"
cd "$1"
apt-get -qq -o APT::Sandbox::User=root download debian-archive-keyring
dpkg-deb -x debian-archive-keyring_*.deb root
`

function fetchKeyring(cache: string, options: BuildOptions): Promise<string> {
  return fetchTool('debian-archive-keyring', FETCH_KEYRING, [], cache, options)
}

/** A private apt with Debian's archive alone, so that neither the machine's lists nor root are needed. */
const FETCH_PROGRAM = `
folder=$PWD/$1 keyring=$2 release=$3 mirror=$4
shift 4
mkdir -p "$folder/lists/partial" "$folder/archives/partial" "$folder/root"
echo "deb [signed-by=$keyring] $mirror $release main" >"$folder/sources.list"
: >"$folder/status"
for word in "$@"; do set -- "$@" -o "$word"; shift; done
set -- -o "Dir::State::lists=$folder/lists" -o "Dir::State::status=$folder/status" -o "Dir::Cache=$folder" \\
  -o "Dir::Etc::sourcelist=$folder/sources.list" -o Dir::Etc::sourceparts=- -o APT::Sandbox::User=root \\
  -o Acquire::Languages=none "$@"
apt-get -qq "$@" --error-on=any update
cd "$folder"
apt-get -qq "$@" download mmdebstrap
dpkg-deb -x mmdebstrap_*.deb root
`

function fetchProgram(cache: string, keyring: string, options: BuildOptions): Promise<string> {
  const { mirror, options: settings } = archive()
  const words = [keyring, matchingRelease(), mirror, ...settings]
  return fetchTool('mmdebstrap', FETCH_PROGRAM, words, cache, options)
}

/** The release whose mmdebstrap knows the machine's apt: with 3.0, of which 2.9 was the test series, its output changed. */
function matchingRelease(): 'bookworm' | 'trixie' {
  const said = spawnSync('apt-get', ['--version'], { encoding: 'utf8' }).stdout
  const [, major, minor] = /^apt (\d+)\.(\d+)/.exec(said) ?? []
  return Number(major) > 2 || Number(minor) >= 9 ? 'trixie' : 'bookworm'
}

/** Runs a script that fills `root` in the folder that is its first argument. Returns where that is kept, as a full path. */
async function fetchTool(
  name: string,
  script: string,
  words: readonly string[],
  cache: string,
  { support, signal, progress }: BuildOptions,
): Promise<string> {
  const place = join(cache, FOLDERS.tools, name)
  if (existsSync(place)) return place
  progress?.(name, 'fetching it', 0)
  const folder = join(FOLDERS.building, name)
  const { ok, lines } = await runInSandbox({
    ...{ support, script, signal, cwd: cache, onLine: () => undefined },
    arguments: [folder, ...words],
  })
  if (!ok) throw await buildError(name, cache, lines)
  await mkdir(join(cache, FOLDERS.tools), { recursive: true })
  await rename(join(cache, folder, 'root'), place)
  return place
}
