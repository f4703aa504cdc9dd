/**
 * Layers: what `apt-get install` of a client changes in a base root, kept as the upper folder of an overlay. The packages'
 * own scripts really run: users, groups and spools are as on a machine that has the client.
 */
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { baseRoot, ensureBase } from './base.ts'
import { buildError } from './build-error.ts'
import { FOLDERS, lockCache, openCache, requireRoom } from './cache.ts'
import { LAB_NETWORK } from './network.ts'
import { type LayerSpec, layerName } from './packages.ts'
import { archive, baseRelease, sources } from './releases.ts'
import { PRIVATE_DEV, runInSandbox } from './sandbox.ts'
import type { Support } from './support.ts'

export interface Layer {
  readonly spec: LayerSpec
  /** The folder of the cache; the roots are named relative to it. */
  readonly cache: string
  readonly base: string
  readonly root: string
  /** As dpkg tells it, of the first package; of the first from npm where there is one. */
  readonly version: string
  readonly builtAt: string
  readonly builtInMs: number
  readonly bytes: number
}

/** Takes what is being built, what is being done for it, and how much of it is done: from 0 to 1. */
export type BuildStep = (what: string, doing: string, share: number) => void

export interface BuildOptions {
  readonly support: Support
  readonly signal: AbortSignal
  readonly progress?: BuildStep
}

/** MiB that must be free: the packages, and what they become. */
const ROOM_MIB = 300

/** Seconds after which the archive's lists are fetched again before a build. */
const LISTS_AGE = 86_400

/**
 * Arguments: base, folder of this build, folder of the archive's files, packages. The lists, the packages and apt's
 * own index of them are kept outside the layer, which would be 36 MB larger.
 */
const BUILD = `
base=$1 build=$2 archive=$3
shift 3
root=$build/mnt
mkdir -p "$build/root" "$build/work" "$root" "$archive/lists/partial" "$archive/archives/partial"
mount -t overlay lab -o "lowerdir=$base,upperdir=$build/root,workdir=$build/work$OVERLAY_OPTIONS" "$root"
mount -t proc proc "$root/proc"
private_dev "$root/dev"
mount -t tmpfs lab-tmp -o mode=1777 "$root/tmp"
mount -t tmpfs lab-run -o mode=755 "$root/run"
mount --bind /etc/resolv.conf "$root/etc/resolv.conf"
mount --bind "$archive/archives" "$root/var/cache/apt/archives"
mount --bind "$archive/lists" "$root/var/lib/apt/lists"
chroot "$root" hostname ${LAB_NETWORK.hostname}
printf '%s\\n' "$SOURCES" >"$root/etc/apt/sources.list"
printf '%s\\n' "$APT_OPTIONS" >"$root/etc/apt/apt.conf.d/99badmx"
# Younger sources would make apt index its lists anew.
[ ! -e "$archive/fetched" ] || touch -r "$archive/fetched" "$root/etc/apt/sources.list"
# apt closes the file that it tells its status to in what it starts, so it is none of the usual ones.
apt() { chroot "$root" apt-get -q -o APT::Status-Fd=9 "$@" 9>&1; }
fetched=no
fetch() { apt update --error-on=any && apt autoclean && touch "$archive/fetched" && fetched=yes; }
if [ -z "$(find "$archive/fetched" -newermt "-${LISTS_AGE} seconds" 2>/dev/null)" ]; then
  fetch || [ -e "$archive/fetched" ]
fi
printf '%s\\n' "$PRESEED" | chroot "$root" debconf-set-selections
install() { apt install --yes --no-install-recommends $TARGET "$@"; }
download() { install --download-only "$@"; }
download "$@" || { [ $fetched = no ] && fetch && download "$@"; }
install --no-download "$@"
if [ -n "$NPM" ]; then
  mkdir -p "$root/opt/$CLIENT"
  HOME=$NPM_HOME npm install --prefix "$root/opt/$CLIENT" --ignore-scripts --omit=dev --omit=optional --no-audit --no-fund $NPM
fi
[ -z "$AFTER" ] || chroot "$root" sh -euc "$AFTER"
version=$(chroot "$root" dpkg-query -W -f '\${Version}' "$1")
umount "$root/etc/resolv.conf"
rm -f "$root/etc/apt/apt.conf.d/99badmx"
umount -R "$root"
rm -rf "$build/work" "$root"
echo "layer: $version $(du -sk "$build/root" | cut -f 1)"
`

const digestOf = (spec: LayerSpec): string =>
  createHash('sha256')
    .update(JSON.stringify([BUILD, baseRoot(baseRelease(spec.release)), spec]))
    .digest('hex')
    .slice(0, 12)

/** The folder of a layer, relative to the cache, whether it is there or not. */
function placeOf(spec: LayerSpec): string {
  return join(FOLDERS.layers, `${layerName(spec)}-${digestOf(spec)}`)
}

/** Whether this badmx would use it, and not build another one. */
export function isCurrent({ spec, root }: Layer): boolean {
  return root === join(placeOf(spec), 'root')
}

/** What a layer's folder says about itself; undefined where it is not there. */
export async function readLayer(cache: string, place: string): Promise<Layer | undefined> {
  try {
    const told = JSON.parse(await readFile(join(cache, place, 'layer.json'), 'utf8'))
    return { ...told, cache, root: join(place, 'root') } as Layer
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** The layers that are in the cache, also those that an older badmx made; sorted by name. */
export async function listLayers(cache: string): Promise<readonly Layer[]> {
  const names = await readdir(join(cache, FOLDERS.layers)).catch(() => [])
  const layers = await Promise.all(names.sort().map((name) => readLayer(cache, join(FOLDERS.layers, name))))
  return layers.filter((layer) => layer !== undefined)
}

/**
 * The layer, built where it is missing. Two at once build it once.
 *
 * @throws {UserError} where it cannot be built, with the cause and what to do; nothing of it is left then
 */
export async function ensureLayer(spec: LayerSpec, options: BuildOptions): Promise<Layer> {
  const name = layerName(spec)
  const cache = await openCache()
  const place = placeOf(spec)
  const found = await readLayer(cache, place)
  if (found !== undefined) return found
  const lock = await lockCache(cache, {
    ...{ support: options.support, signal: options.signal },
    onWait: () => options.progress?.(name, 'waiting for another badmx that is building', 0),
  })
  try {
    return (await readLayer(cache, place)) ?? (await build(spec, cache, place, options))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw code === 'ENOSPC' ? await buildError(name, cache, [message]) : error
  } finally {
    await lock.release()
  }
}

async function build(spec: LayerSpec, cache: string, place: string, options: BuildOptions): Promise<Layer> {
  const name = layerName(spec)
  await ensureBase(baseRelease(spec.release), cache, options)
  await requireRoom(cache, name, ROOM_MIB)
  const began = performance.now()
  const building = join(FOLDERS.building, 'layer')
  const base = baseRoot(baseRelease(spec.release))
  await mkdir(join(cache, building))
  options.progress?.(name, "reading the archive's lists", 0)
  const { ok, lines } = await runInSandbox({
    support: options.support,
    script: `${PRIVATE_DEV}${BUILD}`,
    arguments: [base, building, join(FOLDERS.archive, spec.release), ...spec.packages],
    cwd: cache,
    env: buildEnvironment(spec, options.support),
    signal: options.signal,
    onLine: (line) => tellStatus(line, name, options),
  })
  const [, installed = '', kib = ''] = /^layer: (\S+) (\d+)$/.exec(lines.at(-1) ?? '') ?? []
  if (!ok || installed === '')
    throw await buildError(
      name,
      cache,
      lines.filter((line) => !STATUS.test(line)),
    )
  const version = spec.npm?.packages[0]?.replace(/^.*@/, '') ?? installed
  const told = {
    ...{ spec, base, version, bytes: Number(kib) * 1024 },
    ...{ builtAt: new Date().toISOString(), builtInMs: Math.round(performance.now() - began) },
  }
  await writeFile(join(cache, building, 'layer.json'), `${JSON.stringify(told)}\n`)
  await rename(join(cache, building), join(cache, place))
  return { ...told, cache, root: join(place, 'root') }
}

function buildEnvironment(spec: LayerSpec, support: Support): Record<string, string> {
  const from = archive()
  const options = [
    ...[
      'Dir::Cache::pkgcache=',
      'Dir::Cache::srcpkgcache=archives/srcpkgcache.bin',
      'APT::Sandbox::User=root',
      'Acquire::Languages=none',
      'Dpkg::Use-Pty=0',
    ],
    ...from.options,
  ]
  return {
    SOURCES: sources(spec.release, from).join('\n'),
    APT_OPTIONS: options.map((option) => `${option.replace('=', ' "')}";`).join('\n'),
    OVERLAY_OPTIONS: overlayOptions(support),
    PRESEED: (spec.preseed ?? []).join('\n'),
    TARGET: spec.release === baseRelease(spec.release) ? '' : `--target-release=${spec.release}`,
    NPM: spec.npm === undefined ? '' : [`--before=${spec.npm.before}`, ...spec.npm.packages].join(' '),
    // The machine's own npm, which knows how the registry is reached from here; nothing that it brings runs.
    NPM_HOME: process.env['HOME'] ?? '/',
    CLIENT: spec.client,
    AFTER: spec.afterInstall ?? '',
    DEBCONF_NONINTERACTIVE_SEEN: 'true',
  }
}

/** An overlay in a user namespace keeps its marks in attributes that such a namespace may write. */
export function overlayOptions({ kind }: Support): string {
  return kind === 'root' ? '' : ',userxattr'
}

/** apt's own account: `pmstatus:postfix:45.5:Unpacking postfix (amd64)`; `dlstatus` is of the download. */
const STATUS = /^(?<part>dl|pm)status:[^:]*:(?<percent>[\d.]+):(?<text>.*)$/

function tellStatus(line: string, name: string, { progress }: BuildOptions): void {
  const { part, percent, text } = STATUS.exec(line)?.groups ?? {}
  if (part === undefined) return
  const share = Number(percent) / 100
  progress?.(name, text ?? '', part === 'dl' ? share / 2 : 0.5 + share / 2)
}
