/** What is made of the runs of a suite in a lab. */
import t from 'tap'
import { compared } from './mta.ts'
import type { MtaReport } from './mta-process.ts'

t.test(
  'wall time is held against the critical path, and the CPU of the harness against that of the client',
  async (t) => {
    const round: MtaReport = {
      ...{ version: '3.7.11', cells: 1200, wallMs: 40_000, startMs: 2_000, slowestMs: 30_000 },
      ...{ harnessCpuMs: 45_000, clientCpuMs: 30_000 },
    }
    const slower = { ...round, wallMs: 48_000, clientCpuMs: 22_500 }
    const [wall, rate, cpu] = compared([round, slower, round])
    t.match(wall, { name: 'Postfix 3.7.11, 1200 cells', unit: 'wall time', against: { median: 1.25, max: 1.5 } })
    t.match(wall, { own: { median: 40_000 }, goal: { atMost: 1.2 } })
    t.match(rate, { unit: 'cells per second', own: { median: 30, min: 25 } })
    t.equal(rate?.base, undefined, 'it is compared with nothing')
    t.match(cpu, { unit: 'CPU time', base: "the client's", against: { median: 1.5, max: 2 }, own: { median: 45_000 } })
    t.equal(cpu?.goal, undefined)
  },
)
