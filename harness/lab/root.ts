/**
 * A root for one client: its layer over the base, over both a folder of the user's own build where there is one, and on top
 * a throw-away layer in memory. Programs run in it by chroot and in a process namespace of its own, whose first process also
 * is the system log: closing the root ends all of them, daemons too.
 *
 * Works inside the lab only. Nothing of it is on the machine's disk, and all of it goes with the lab.
 */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { lstat, mkdir, readdir, readlink, rm, symlink } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { resolve as absolute, join } from 'node:path'
import type { CommandJob, CommandResult } from '../process/command.ts'
import { runCommand } from '../process/starter.ts'
import { UserError } from '../user-error.ts'
import { FOLDERS } from './cache.ts'
import { labContents } from './enter.ts'
import { type Layer, overlayOptions } from './layer.ts'
import { LAB_NETWORK } from './network.ts'
import { type FileOptions, readIn, writeIn } from './root-files.ts'
import { PRIVATE_DEV } from './sandbox.ts'

export interface RootOptions {
  /** A `make install DESTDIR=…` tree, laid over the client's layer. */
  readonly overlay?: string
  /** Addresses for resolv.conf, at most three. */
  readonly resolvers: readonly string[]
  /** PEM certificates that the client trusts, and no others: those of the system are taken out. Default: the system's. */
  readonly ca?: string
  /** What the machine is called, default {@link LAB_NETWORK.hostname}. */
  readonly hostname?: string
  /** A clock that {@link ClientRoot.setClock} moves, for everything that runs in the root and is linked to libc. */
  readonly clock?: boolean
  /** Takes what programs say to the system log, a line each: `<22>Nov 28 14:41:12 postfix/smtp[12]: …`. */
  readonly onLog?: (line: string) => void
}

export interface SpawnOptions {
  /** Added to the root's own few variables; nothing of this process's environment gets in. */
  readonly env?: Readonly<Record<string, string>>
  readonly stdio?: StdioOptions
}

export interface RunOptions extends Pick<CommandJob, 'input' | 'timeoutMs'> {
  readonly env?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** The environment of a program in a root, and all of it. */
const ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LC_ALL: 'C.UTF-8',
}

/**
 * libfaketime reads its file anew at every call, so that a jump is seen at once. Without NO_FAKE_STAT the times of files
 * jump too, and a queue file is as old after a jump as before.
 */
const CLOCK_ENVIRONMENT = { NO_FAKE_STAT: '1', FAKETIME_NO_CACHE: '1' }

/** Arguments: the folder of the root, lower folders. Runs in the cache, so that no name needs quoting in options. */
const MOUNT = `
folder=$1
mkdir -p "$folder/upper" "$folder/work" "$folder/root"
mount -t overlay lab -o "lowerdir=$2,upperdir=$folder/upper,workdir=$folder/work$OVERLAY_OPTIONS" "$folder/root"
private_dev "$folder/root/dev"
mount -t tmpfs lab-tmp -o mode=1777 "$folder/root/tmp"
mount -t tmpfs lab-run -o mode=755 "$folder/root/run"
`

/** The first process of the root. Arguments: root, host name. */
const START = `
mount -t proc proc "$1/proc"
chroot "$1" hostname "$2"
exec chroot "$1" perl -e "$LOG"`

/**
 * Perl, which every base has: takes datagrams at /dev/log, which Node cannot, and tells them line by line with control
 * characters as rsyslog writes them. Children that it never had are reaped by ignoring them. It ends with its standard
 * input, and the kernel ends what else runs in the namespace before that end is seen from outside.
 */
const LOG = `
use Socket;
$| = 1;
$SIG{CHLD} = 'IGNORE';
socket(my $log, PF_UNIX, SOCK_DGRAM, 0) or die "socket: $!";
bind($log, sockaddr_un('/dev/log')) or die "/dev/log: $!";
chmod 0666, '/dev/log';
print "ready\\n";
vec(my $watched, fileno STDIN, 1) = 1;
vec($watched, fileno $log, 1) = 1;
while (1) {
  select(my $ready = $watched, undef, undef, undef) > 0 or next;
  exit if vec($ready, fileno STDIN, 1);
  defined recv($log, my $text, 65536, 0) or next;
  $text =~ s/[\\0\\n]+\\z//;
  $text =~ s/([\\0-\\x1f\\x7f])/sprintf '#%03o', ord $1/ge;
  print "$text\\n";
}`

let count = 0

/** @throws {UserError} where it cannot be made, with what the machine said */
export async function openRoot(layer: Layer, options: RootOptions): Promise<ClientRoot> {
  const { support } = labContents()
  count += 1
  const folder = join(FOLDERS.mount, String(count))
  await mkdir(join(layer.cache, folder))
  const path = join(layer.cache, folder, 'root')
  const lower = [...(options.overlay === undefined ? [] : [await linked(layer, folder, options.overlay)])]
  const made = await runCommand({
    argv: ['sh', '-euc', `${PRIVATE_DEV}${MOUNT}`, 'sh', folder, [...lower, layer.root, layer.base].join(':')],
    cwd: layer.cache,
    env: { ...process.env, OVERLAY_OPTIONS: overlayOptions(support) },
  })
  if (made.code !== 0) throw new UserError(`a root cannot be made: ${made.stderr.trim()}`, undefined, 3)
  const hostname = options.hostname ?? LAB_NETWORK.hostname
  await configure(path, hostname, options)
  const init = spawn(
    'unshare',
    ['--pid', '--uts', '--ipc', '--fork', '--kill-child=KILL', 'sh', '-euc', START, 'sh', path, hostname],
    {
      env: { ...ENVIRONMENT, LOG },
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  )
  const root = new ClientRoot(path, init, options.clock === true ? CLOCK_ENVIRONMENT : {})
  await root.ready(options.onLog ?? (() => undefined))
  if (options.ca !== undefined) await trust(root, options.ca)
  return root
}

/**
 * A name for the user's folder that needs no quoting in mount options.
 *
 * @throws {UserError} where it has a folder for what is a symbolic link in Debian, which would hide all that is behind it
 */
async function linked(layer: Layer, folder: string, overlay: string): Promise<string> {
  for (const name of ['bin', 'lib', 'lib32', 'lib64', 'sbin', 'var/lock', 'var/run']) {
    const own = await lstat(join(overlay, name)).catch(() => undefined)
    const link = await readlink(join(layer.cache, layer.base, name)).catch(() => undefined)
    if (own?.isDirectory() === true && link !== undefined)
      throw new UserError(
        `${overlay} has a folder ${name}, which in ${layer.spec.release} is a link to ${link}`,
        'install with a prefix that has none, as --prefix=/usr',
      )
  }
  const name = join(folder, 'overlay')
  await symlink(absolute(overlay), join(layer.cache, name))
  return name
}

async function configure(path: string, hostname: string, { resolvers, clock }: RootOptions): Promise<void> {
  // Without trust-ad glibc takes the AD bit from every answer, and Exim then does no DANE, silently.
  const lines = [...resolvers.map((address) => `nameserver ${address}`), 'search lab.invalid', 'options trust-ad edns0']
  await writeIn(path, '/etc/resolv.conf', `${lines.join('\n')}\n`)
  await writeIn(path, '/etc/hostname', `${hostname}\n`)
  const own = `${hostname} ${hostname.split('.')[0]}`
  await writeIn(
    path,
    '/etc/hosts',
    `127.0.0.1 localhost\n::1 localhost\n${LAB_NETWORK.client4} ${own}\n${LAB_NETWORK.client6} ${own}\n`,
  )
  if (clock === true) {
    await writeIn(path, '/etc/faketimerc', '+0\n')
    // It covers programs with set-gid too, which ignore LD_PRELOAD.
    await writeIn(path, '/etc/ld.so.preload', `${await faketime(path)}\n`)
  }
}

/** The library's path in the root; its folder is named after the machine's architecture. */
async function faketime(path: string): Promise<string> {
  for (const name of await readdir(join(path, 'usr', 'lib')))
    if (name.includes('-linux-')) return `/usr/lib/${name}/faketime/libfaketimeMT.so.1`
  throw new Error(`no libfaketime in ${path}`)
}

/** Certificates of the bundle, and those that OpenSSL finds by the hash of their names. */
async function trust(root: ClientRoot, ca: string): Promise<void> {
  // File by file: where the kernel's tmpfs has no user attributes (before 6.6), an overlay of a user namespace cannot make
  // a folder anew that it has removed.
  const certificates = join(root.path, 'etc/ssl/certs')
  await Promise.all((await readdir(certificates)).map((name) => rm(join(certificates, name), { recursive: true })))
  await root.write('/etc/ssl/certs/ca-certificates.crt', ca, { mode: 0o644 })
  for (const [at, pem] of (ca.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----\n?/g) ?? []).entries()) {
    await root.write(`/etc/ssl/certs/badmx-${at}.pem`, new X509Certificate(pem).toString(), { mode: 0o644 })
  }
  const { code, stderr } = await root.run(['openssl', 'rehash', '/etc/ssl/certs'])
  if (code !== 0) throw new Error(`openssl rehash: ${stderr}`)
}

export class ClientRoot {
  /** The root's folder, visible inside the lab. Its symbolic links mean paths of the root: use {@link read} and {@link write}. */
  readonly path: string
  private readonly init: ChildProcess
  private readonly environment: Readonly<Record<string, string>>

  /** Made by {@link openRoot}. */
  constructor(path: string, init: ChildProcess, environment: Readonly<Record<string, string>>) {
    this.path = path
    this.init = init
    this.environment = environment
  }

  /** Resolves when programs can run. */
  async ready(onLog: (line: string) => void): Promise<void> {
    let complaint = ''
    this.init.stderr?.setEncoding('utf8').on('data', (text: string) => {
      complaint += text
    })
    await new Promise<void>((resolve, reject) => {
      let started = false
      let rest = ''
      // No line reader: those take U+2028 for the end of a line too, which is a way to forge one.
      this.init.stdout?.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines)
          if (started) onLog(line)
          else {
            started = true
            resolve()
          }
      })
      const fail = (): void => reject(new UserError(`a root cannot be started: ${complaint.trim()}`, undefined, 3))
      this.init.once('error', fail).once('close', fail)
    })
    // A root that nobody closes is no reason to go on: it ends with the lab.
    this.init.unref()
    for (const stream of [this.init.stdin, this.init.stdout, this.init.stderr]) (stream as Socket | null)?.unref()
  }

  /** Writes a file, following symbolic links as a program of the root would; its folder is made where it is missing. */
  write(file: string, content: string | Buffer, options: FileOptions = {}): Promise<void> {
    return writeIn(this.path, file, content, options)
  }

  read(file: string): Promise<string> {
    return readIn(this.path, file)
  }

  /**
   * Starts a program of the root, in a process group of its own unless it shares our terminal. A kill of the child kills
   * the program (SIGKILL, whatever the signal): to send it another signal, run `kill` or `pkill` in the root.
   */
  spawn(argv: readonly string[], { env = {}, stdio = 'pipe' }: SpawnOptions = {}): ChildProcess {
    const [program = '', ...words] = this.entering(argv)
    return spawn(program, words, { cwd: '/', env: this.variables(env), stdio, detached: stdio !== 'inherit' })
  }

  /** Runs a program of the root to its end; where that takes too long it is killed with all of its process group. */
  run(argv: readonly string[], { env = {}, signal, ...options }: RunOptions = {}): Promise<CommandResult> {
    return runCommand({ argv: this.entering(argv), cwd: '/', env: this.variables(env), ...options }, signal)
  }

  private entering(argv: readonly string[]): readonly string[] {
    const spaces = `/proc/${this.init.pid}/ns`
    const enter = [`--pid=${spaces}/pid_for_children`, `--uts=${spaces}/uts`, `--ipc=${spaces}/ipc`]
    return ['nsenter', ...enter, 'setpriv', '--pdeathsig', 'KILL', 'chroot', this.path, ...argv]
  }

  private variables(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    return { ...ENVIRONMENT, ...this.environment, ...env }
  }

  /** Moves the clock of the root to so many seconds after the machine's; seen at the next look at the time. */
  setClock(offsetSeconds: number): Promise<void> {
    return this.write('/etc/faketimerc', `${offsetSeconds < 0 ? '' : '+'}${offsetSeconds}\n`, { atomic: true })
  }

  /** Ends everything that runs in the root, and takes it down. */
  async close(): Promise<void> {
    const { init, path } = this
    if (init.exitCode === null && init.signalCode === null) {
      init.ref()
      init.stdin?.end()
      await once(init, 'exit')
    }
    await runCommand({ argv: ['umount', '--recursive', '--lazy', path], cwd: '/', env: process.env })
    await rm(join(path, '..'), { recursive: true, force: true })
  }
}
