/**
 * Base roots: one small Debian per release, made by mmdebstrap, with what every layer and the lab itself uses. Signatures
 * are checked with Debian's keyring, and the packages' own scripts really run.
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildError } from './build-error.ts'
import { FOLDERS, requireRoom } from './cache.ts'
import type { BuildOptions } from './layer.ts'
import { findMmdebstrap } from './mmdebstrap.ts'
import { LAB_NETWORK } from './network.ts'
import { archive, type BaseRelease, sources } from './releases.ts'
import { runInSandbox } from './sandbox.ts'

/** iproute2 makes the lab's network, openssl names the certificates, libfaketime is the clock, procps ends processes. */
const PACKAGES = ['ca-certificates', 'hostname', 'iproute2', 'libfaketime', 'openssl', 'perl-base', 'procps']

/** What is changed in a fresh base: no daemon starts, and nothing of the machine's names, proxies and settings is left. */
const CUSTOMIZE = `
set -eu
cd "$1"
printf '#!/bin/sh\\nexit 101\\n' >usr/sbin/policy-rc.d
chmod 755 usr/sbin/policy-rc.d
rm -f etc/resolv.conf etc/hostname etc/hosts etc/apt/apt.conf.d/99mmdebstrap
: >etc/resolv.conf
echo ${LAB_NETWORK.hostname} >etc/hostname
printf '127.0.0.1 localhost\\n::1 localhost\\n${LAB_NETWORK.client4} ${LAB_NETWORK.hostname} client\\n' >etc/hosts
`

/** MiB that must be free: the root, and the packages while they are unpacked. */
const ROOM_MIB = 500

const DIGEST = createHash('sha256')
  .update(JSON.stringify([PACKAGES, CUSTOMIZE]))
  .digest('hex')
  .slice(0, 12)

/** The folder of a base's root, relative to the cache, whether it is there or not. */
export function baseRoot(release: BaseRelease): string {
  return join(FOLDERS.bases, `${release}-${DIGEST}`, 'root')
}

/** Stages of mmdebstrap, in its own words, and how much of its time has passed by then. */
const STAGES: readonly (readonly [words: string, share: number])[] = [
  ['running apt-get update', 0.05],
  ['downloading packages with apt', 0.2],
  ['extracting archives', 0.4],
  ['installing essential packages', 0.5],
  ['installing remaining packages', 0.7],
  ['cleaning package lists', 0.95],
]

/** Makes the base where it is missing. The cache's lock is held by the caller. */
export async function ensureBase(release: BaseRelease, cache: string, options: BuildOptions): Promise<void> {
  const place = baseRoot(release)
  if (existsSync(join(cache, place))) return
  const what = `the base root of ${release}`
  await requireRoom(cache, what, ROOM_MIB)
  const from = archive()
  const program = await findMmdebstrap(cache, options)
  const building = join(FOLDERS.building, `base-${release}`)
  await mkdir(join(cache, building, 'tmp'), { recursive: true })
  const words = [
    ...['--mode=root', '--variant=minbase', '--format=directory', `--include=${PACKAGES.join(',')}`],
    ...['--dpkgopt=force-unsafe-io', '--aptopt=Acquire::Languages "none"', `--customize-hook=${CUSTOMIZE_HOOK}`],
    ...from.options.map((option) => `--aptopt=${option.replace('=', ' "')}"`),
    ...[release, join(building, 'root'), ...sources(release, from)],
  ]
  const { ok, lines } = await runInSandbox({
    support: options.support,
    script: 'exec "$@"',
    arguments: [...program.command, `--keyring=${program.keyring}`, ...words],
    cwd: cache,
    env: { TMPDIR: join(cache, building, 'tmp'), CUSTOMIZE },
    signal: options.signal,
    onLine: (line) => {
      const stage = STAGES.find(([words]) => line === `I: ${words}...`)
      if (stage !== undefined) options.progress?.(what, stage[0], stage[1])
    },
  })
  if (!ok) throw await buildError(what, cache, lines)
  await writeFile(
    join(cache, building, 'base.json'),
    `${JSON.stringify({ release, sources: sources(release, from) })}\n`,
  )
  await mkdir(join(cache, FOLDERS.bases), { recursive: true })
  await rename(join(cache, building), join(cache, place, '..'))
}

/** mmdebstrap runs hooks by `sh -c HOOK exec ROOT`; the script itself comes by the environment, which needs no quoting. */
const CUSTOMIZE_HOOK = 'sh -c "$CUSTOMIZE" customize "$1"'
