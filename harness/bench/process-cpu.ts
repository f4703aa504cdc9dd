/** The CPU time of a process that is not ours, from proc(5). Linux only. */
import { readFile } from 'node:fs/promises'

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

/** utime, stime, cutime and cstime are the fields 14 to 17; the second, a name in brackets, may hold anything. */
export function parseStat(line: string): number {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * TICK_US
}
