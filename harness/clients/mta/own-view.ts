/**
 * A program that sees folders and files of its own at some paths: for MTAs whose settings and queue are at fixed places and
 * hold for all messages, so that each message can have its own.
 */

/** Arguments: what is seen, where, and so on; `--`; the program and its arguments. */
const SCRIPT = 'while [ "$1" != -- ]; do mount --bind "$1" "$2"; shift 2; done; shift; exec "$@"'

/**
 * The program's words with that in front.
 *
 * @param view by path, what is seen there instead: paths of the root, which exist.
 */
export function withOwnView(view: Readonly<Record<string, string>>, argv: readonly string[]): readonly string[] {
  const mounts = Object.entries(view).flatMap(([path, own]) => [own, path])
  return ['unshare', '--mount', 'sh', '-euc', SCRIPT, 'sh', ...mounts, '--', ...argv]
}
