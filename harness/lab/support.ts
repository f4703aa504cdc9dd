/** Whether, and how, this machine can have a lab: as root, or in a user namespace where the kernel permits one. */
import { spawnSync } from 'node:child_process'
import { UserError } from '../user-error.ts'

export interface Support {
  /**
   * `root`: we are. `subordinate`: a user namespace with the users of /etc/subuid, in which nearly everything works.
   * `one-user`: a user namespace with a single user: programs that change users (Postfix, Exim, Sendmail, …) do not work.
   */
  readonly kind: 'root' | 'subordinate' | 'one-user'
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
  'one-user': ['unshare', '--user', '--map-root-user'],
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
  const kinds: readonly Support['kind'][] = process.getuid?.() === 0 ? ['root'] : ['subordinate', 'one-user']
  let said = ''
  for (const kind of kinds) {
    const [program = '', ...words] = namespaceArguments({ kind }, ['--net'])
    const tried = spawnSync(program, [...words, 'true'], { encoding: 'utf8' })
    if (tried.error !== undefined)
      return {
        kind: 'none',
        reason: 'there is no program "unshare" in PATH',
        next: 'apt-get install util-linux; elsewhere too it is part of util-linux',
      }
    if (tried.status === 0) return { kind }
    said = tried.stderr.trim().replace(/^unshare: /, '')
  }
  return {
    kind: 'none',
    reason: `this machine gives no namespaces (${said})`,
    next: kinds[0] === 'root' ? 'in a container: start it with more rights, as docker run --privileged' : ROOTLESS,
  }
}

const ROOTLESS =
  'run badmx as root; or permit user namespaces (sysctl kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns, user.max_user_namespaces)'

/** @throws {UserError} where there can be no lab */
export function requireSupport(): Support {
  const support = labSupport()
  if (support.kind === 'none') throw new UserError(`no lab: ${support.reason}`, support.next, 3)
  return support
}
