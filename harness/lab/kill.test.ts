/**
 * A lab that is killed at twenty points: while it builds, while it is entered, while a client runs; by a signal to the
 * program, or by the death of the first process of its namespaces. Nothing is left then: no process, no mount, no file.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { seeded } from '../../peers/random.ts'
import type { Ended, Program, Test } from '../test/program.ts'
import { FOLDERS } from './cache.ts'
import { ownCache, PATIENCE_MS, SHARED_CACHE, sharedLayers, visit } from './testing/visit.ts'

const POINTS = 20

/** Milliseconds that the system may take to end what was killed, on a busy machine. */
const GONE_MS = 30_000

type Way = 'SIGINT' | 'SIGTERM' | 'SIGKILL' | 'first process'

interface Process {
  readonly pid: number
  readonly parent: number
  /** Ticks since boot; with the pid it names one process for good. */
  readonly started: string
}

function processes(): Process[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const text = readFileSync(`/proc/${name}/stat`, 'latin1')
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
      return fields[0] === 'Z' ? [] : [{ pid: Number(name), parent: Number(fields[1]), started: fields[19] ?? '' }]
    } catch {
      return []
    }
  })
}

/** The process and all below it, whatever namespaces they are in. */
function familyOf(pid: number): Process[] {
  const all = processes()
  const family = all.filter((one) => one.pid === pid)
  for (const one of family) family.push(...all.filter(({ parent }) => parent === one.pid))
  return family
}

function isAlive({ pid, started }: Process): boolean {
  return processes().some((one) => one.pid === pid && one.started === started)
}

/** The first process of the first namespace that is below ours. */
function firstProcess(family: readonly Process[]): number | undefined {
  return family.find(({ pid }) => {
    try {
      const line = /^NSpid:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]?.split(/\s+/) ?? []
      return line.length > 1 && line[1] === '1'
    } catch {
      return false
    }
  })?.pid
}

async function until(look: () => boolean, what: string): Promise<void> {
  for (const end = performance.now() + GONE_MS; !look(); await delay(20))
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`)
}

/** Ends it in this way; resolves with everything that ran then, and how it ended. */
async function end(program: Program, way: Way): Promise<{ family: Process[]; ended: Ended }> {
  const outer = program.child.pid ?? 0
  const family = familyOf(outer)
  const first = way === 'first process' ? firstProcess(family) : undefined
  if (first !== undefined) process.kill(first, 'SIGKILL')
  else program.child.kill(way === 'first process' ? 'SIGKILL' : way)
  return { family, ended: await program.ended }
}

const random = seeded(20, 'kill')
const WAYS: readonly Way[] = ['SIGINT', 'SIGTERM', 'SIGKILL', 'first process']

/** Starts it, waits for so many lines of what it says and a moment more, and kills it. */
async function killed(t: Test, cwd: string, cache: string, errand: string, lines: number, way: Way) {
  const program = visit(t, { cwd, cache }, 'dma', errand)
  await program.until(({ stderr }) => stderr.split('\n').length > lines)
  await delay(random() * 60)
  return end(program, way)
}

t.setTimeout(PATIENCE_MS)
const layers = await sharedLayers('dma')

t.test('killed', typeof layers === 'string' ? { skip: layers } : { timeout: PATIENCE_MS }, async (t) => {
  const cwd = t.testdir({ tmp: {}, cache: {} })
  const cache = await ownCache(join(cwd, 'cache'))
  for (let point = 0; point < POINTS; point += 1) {
    // Building takes longer: seven points of twenty.
    const building = point % 3 === 0
    const way = WAYS[point % WAYS.length] ?? 'SIGKILL'
    const lines = 1 + Math.floor(random() * (building ? 15 : 4))
    await t.test(
      `${building ? 'building' : 'running'}, ${way} after line ${lines}`,
      { timeout: PATIENCE_MS },
      async (t) => {
        const where = building ? cache : SHARED_CACHE
        const { family, ended } = await killed(t, cwd, where, building ? 'build' : 'stay', lines, way)
        t.notMatch(ended, { code: 0 }, `it did not get to its end\n${ended.stderr}`)
        t.notMatch(ended.stderr, /\n {4}at /, 'no stack trace')
        await until(() => !family.some(isAlive), `${family.length} processes to be gone`)
        const left = (name: string): string[] => readdirSync(join(where, 'lab', name))
        if (building) await until(() => left(FOLDERS.building).length === 0, 'the half-built layer to be gone')
        if (building) t.strictSame(left(FOLDERS.layers), [], 'no layer')
        t.strictSame(left(FOLDERS.mount), [], 'nothing where roots are mounted')
        t.strictSame(readdirSync(join(cwd, 'tmp')), [], 'no temporary file')
        t.notOk(readFileSync('/proc/self/mountinfo', 'utf8').includes(join(where, 'lab')), 'no mount')
      },
    )
  }
  const { code, stderr } = await visit(t, { cwd, cache }, 'dma', 'build').ended
  t.equal(code, 0, `and after all that it builds\n${stderr}`)
})
