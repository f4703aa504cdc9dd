/** Whether, and how, this machine can have a lab: as root, or in a user namespace where the kernel permits one. */
import { spawnSync } from 'node:child_process'
import { UserError } from '../user-error.ts'

export interface Support {
  /** `root`: we are. `subordinate`: a user namespace with the users that /etc/subuid gives us; clients work as for root. */
  readonly kind: 'root' | 'subordinate'
}

export interface NoSupport {
  readonly kind: 'none'
  readonly reason: string
  /** What to do. */
  readonly next: string
}

const MAPPINGS = {
  root: [],
  subordinate: ['unshare', '--user', '--map-root-user', '--map-auto'],
} as const

/** What to put before a program that has to see the users that a lab of this kind has. */
export function mappingArguments({ kind }: Support): readonly string[] {
  return MAPPINGS[kind]
}

/** What to put before a program that is to be the first process of namespaces of its own. */
export function namespaceArguments({ kind }: Support, more: readonly string[] = []): readonly string[] {
  const [, ...mapping] = MAPPINGS[kind]
  const spaces = ['--mount', '--pid', '--uts', '--ipc', ...more]
  return ['unshare', ...mapping, ...spaces, '--fork', '--kill-child=KILL', '--mount-proc']
}

/** Looks what works here, by doing it. Some milliseconds. */
export function labSupport(): Support | NoSupport {
  if (process.platform !== 'linux')
    return { kind: 'none', reason: `a lab needs Linux, this is ${process.platform}`, next: 'run it in a Linux machine' }
  const kind = process.getuid?.() === 0 ? 'root' : 'subordinate'
  const said = complaint(namespaceArguments({ kind }, ['--net']))
  if (said === undefined) return { kind }
  if (said === NO_PROGRAM)
    return { kind: 'none', reason: said, next: 'apt-get install util-linux; elsewhere too it is part of it' }
  const reason = `this machine gives no namespaces (${said})`
  if (kind === 'root') return { kind: 'none', reason, next: 'a container needs more rights: docker run --privileged' }
  // A namespace with a single user is no lab: neither can packages be installed in it nor can a mail server change users.
  if (complaint(['unshare', '--user', '--map-root-user', '--net']) === undefined)
    return { kind: 'none', reason: `no subordinate users (${said})`, next: SUBORDINATE }
  return { kind: 'none', reason, next: PERMIT }
}

const NO_PROGRAM = 'there is no program "unshare" in PATH'

const SUBORDINATE =
  'apt-get install uidmap, and lines for this user in /etc/subuid and /etc/subgid (usermod --add-subuids); or run badmx as root'

const PERMIT =
  'run badmx as root, or permit user namespaces: sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns'

/** What `unshare` says against it; undefined where it works. */
function complaint([program = '', ...words]: readonly string[]): string | undefined {
  const { error, status, stderr } = spawnSync(program, [...words, 'true'], { encoding: 'utf8' })
  if (error !== undefined) return NO_PROGRAM
  return status === 0 ? undefined : stderr.trim().replace(/^unshare: /, '')
}

/** @throws {UserError} where there can be no lab */
export function requireSupport(): Support {
  const support = labSupport()
  if (support.kind === 'none') throw new UserError(`no lab: ${support.reason}`, support.next, 3)
  return support
}
