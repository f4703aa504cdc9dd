/** Reading the CPU time of other processes. */
import t from 'tap'
import { cpuOfProcess, parseStat } from './process-cpu.ts'

t.test('four fields are added up, whatever the name of the program', async (t) => {
  const rest = 'S 1 2 3 4 5 6 7 8 9 10 11 100 20 3 4 99 99'
  t.equal(parseStat(`42 (node) ${rest.replace(' 11 100', ' 100')}`), 1_270_000)
  t.equal(parseStat(`42 (a) b (c) ${rest.replace(' 11 100', ' 100')}`), 1_270_000)
})

t.test('of these, two are of children that have ended', async (t) => {
  t.equal(parseStat('42 (node) S 1 2 3 4 5 6 7 8 9 10 100 20 3 4 99 99', [13, 15]), 70_000)
})

t.test('a process that is not there has none', async (t) => {
  t.equal(await cpuOfProcess(2 ** 30), undefined)
})
