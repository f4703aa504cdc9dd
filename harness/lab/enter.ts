/**
 * Into the lab, and how one knows inside that one is.
 *
 * To enter is to run a command line again as a process of namespaces of its own (mount, network, processes, host name, IPC):
 * the machine's files are visible as they are, the network is the lab's own. The first process of the namespaces is a small
 * shell that reaps; it has one end of a pipe whose other end is ours: signals to pass on come through it, and its end is our
 * death. When the first process ends, the kernel ends everything in the namespaces, and with it go their mounts.
 */
import { spawn } from 'node:child_process'
import { constants, networkInterfaces } from 'node:os'
import type { Writable } from 'node:stream'
import { UserError } from '../user-error.ts'
import { FOLDERS, IN_USE } from './cache.ts'
import type { Layer } from './layer.ts'
import { LAB_NETWORK, MAKE_NETWORK } from './network.ts'
import { searchPath } from './sandbox.ts'
import { namespaceArguments, type Support } from './support.ts'

/** Set inside: what is needed there. */
const VARIABLE = 'BADMX_LAB'

interface Lab {
  readonly support: Support
  readonly layers: readonly Layer[]
}

/** Exit code where the lab cannot be set up: trouble of the harness. */
const TROUBLE = 3

/** A command that SIGTERM has ended, and what badmx says when it was interrupted. */
const TERMINATED = 128 + constants.signals.SIGTERM
const INTERRUPTED = 130

/**
 * Arguments: cache, base, then the command line. File 3 is the pipe. A background process of a shell gets no standard
 * input, so that is handed over as file 4, and it ignores SIGINT until it has set a handler, so SIGTERM asks it to end.
 */
const FIRST_PROCESS = `
base=$2 here=$PWD
cd "$1"
shift 2
exec 9<${IN_USE}
flock --shared 9
set_up() {
${MAKE_NETWORK}
}
mount -t tmpfs -o mode=755 lab ${FOLDERS.mount} && said=$( (set -e; set_up) 2>&1 )
if [ $? -ne 0 ]; then
  printf 'badmx: the lab cannot be set up: %s\\n' "$said" >&2
  exit ${TROUBLE}
fi
exec 4<&0
cd "$here"
"$@" <&4 3<&- 4<&- 9<&- &
main=$!
exec 4<&-
{
  while read -r end; do kill -s TERM "$main"; done
  kill -s KILL "$main"
} <&3 >/dev/null 2>&1 9<&- &
exec 3<&-
wait "$main"
exit $?`

export interface EnterOptions extends Lab {
  /** The command is interactive: it shares our terminal, and with it Ctrl-C. Otherwise signals reach it through us. */
  readonly terminal?: boolean
}

/** Runs a command line in a lab that has these layers, at least one. Resolves with its exit code, when nothing of it is left. */
export async function enterLab(command: readonly string[], options: EnterOptions): Promise<number> {
  const [first] = options.layers
  if (first === undefined) throw new Error('a lab without layers')
  const lab: Lab = { support: options.support, layers: options.layers }
  const [program = '', ...words] = namespaceArguments(options.support, ['--net'])
  const arguments_ = [first.cache, first.base, ...command]
  const child = spawn(program, [...words, 'sh', '-c', FIRST_PROCESS, 'sh', ...arguments_], {
    env: { ...process.env, PATH: searchPath(), [VARIABLE]: JSON.stringify(lab) },
    detached: options.terminal !== true,
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
  })
  const pipe = child.stdio[3] as Writable
  // EPIPE: it has ended, which is told below
  pipe.on('error', () => undefined)
  let interrupted = false
  const pass = (signal: NodeJS.Signals): void => {
    // At a terminal Ctrl-C reaches the command by itself.
    if (options.terminal === true && signal === 'SIGINT') return
    interrupted = true
    pipe.write('end\n')
  }
  process.on('SIGINT', pass).on('SIGTERM', pass)
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', (error) => reject(new UserError(`the lab cannot be entered: ${error.message}`, undefined, 3)))
      child.once('exit', (code, signal) => resolve(code ?? 128 + (constants.signals[signal ?? 'SIGKILL'] ?? 0)))
    })
    return interrupted && code === TERMINATED ? INTERRUPTED : code
  } finally {
    process.off('SIGINT', pass).off('SIGTERM', pass)
    pipe.destroy()
  }
}

/** The command line of this process, to run it again in the lab. */
export function ownCommand(): readonly string[] {
  return [process.execPath, ...process.execArgv, '--', ...process.argv.slice(1)]
}

/** Whether this process runs in a lab. Nobody is in one by a variable alone: its network must be there too. */
export function insideLab(): boolean {
  if (process.env[VARIABLE] === undefined) return false
  const own = Object.values(networkInterfaces()).flat()
  return own.some((address) => address?.address === LAB_NETWORK.client4)
}

/** Inside: what the lab was entered with. */
export function labContents(): Lab {
  const text = process.env[VARIABLE]
  if (text === undefined || !insideLab()) throw new Error('this is not inside a lab')
  return JSON.parse(text) as Lab
}
