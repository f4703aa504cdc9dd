/** The CPU time of processes that are not ours, from proc(5). Linux only. */
import { readdir, readFile } from 'node:fs/promises'

/** Microseconds in one tick of proc(5): USER_HZ is 100 on every Linux that Node runs on. */
const TICK_US = 10_000

/** Microseconds of CPU of a process and of its children that have ended; undefined where there is no such file. */
export async function cpuOfProcess(pid: number): Promise<number | undefined> {
  try {
    return parseStat(await readFile(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return undefined
  }
}

/**
 * Microseconds of CPU of all processes that this one sees, but for its own: of those that are alive, of their children that
 * have ended, and of its own that have. Inside a lab these are the lab's.
 */
export async function cpuOfOthers(): Promise<number> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
  const others = await Promise.all(names.map((name) => cpuOfProcess(Number(name))))
  const ended = parseStat(await readFile('/proc/self/stat', 'latin1'), CHILDREN)
  // One may have ended while its turn had not come.
  return others.reduce<number>((sum, cpuUs) => sum + (cpuUs ?? 0), ended)
}

/** cutime and cstime alone. */
const CHILDREN = [13, 15] as const

/** utime, stime, cutime and cstime are the fields 14 to 17; the second, a name in brackets, may hold anything. */
export function parseStat(line: string, [from, to]: readonly [number, number] = [11, 15]): number {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
  return fields.slice(from, to).reduce((sum, ticks) => sum + Number(ticks), 0) * TICK_US
}
