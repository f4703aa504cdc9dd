/** The table of results. */
import t from 'tap'
import type { Comparison } from './contest.ts'
import { toTable } from './table.ts'

const figure = (median: number) => ({ median, min: median - 0.1, max: median + 0.1 })

t.test('says of each goal whether it is reached, and of a line without goal nothing', async (t) => {
  const comparisons: Comparison[] = [
    {
      name: 'peer',
      unit: 'CPU per session',
      base: 'smtp-server',
      by: 'ratio',
      against: figure(1.2),
      own: figure(400),
      goal: { atMost: 1.25 },
    },
    {
      name: 'proxy',
      unit: 'throughput',
      base: 'Node pipe',
      by: 'ratio',
      against: figure(0.8),
      own: figure(300),
      goal: { atLeast: 0.9 },
    },
    { name: 'socat', unit: 'throughput', base: 'Node pipe', by: 'ratio', against: figure(1), own: figure(300) },
    { name: 'haproxy', unit: 'CPU per session', base: 'Node pipe', by: 'ratio' },
    {
      name: 'idle',
      unit: 'octets per connection',
      base: 'Node socket',
      by: 'difference',
      against: { median: 5000, min: 4000, max: 6000 },
      own: figure(9000),
      goal: { atMost: 4096 },
    },
    { name: 'suite', unit: 'cells per second', by: 'ratio', own: figure(23) },
  ]
  const [head, ours, proxy, socat, haproxy, idle, suite] = toTable(comparisons).split('\n')
  t.match(head, /median +min–max +goal +reached/)
  t.match(ours, /^peer +CPU per session +smtp-server +1\.20 +1\.10–1\.30 +≤ 1\.25 +yes +400 µs$/)
  t.match(proxy, /^proxy +throughput +Node pipe +0\.80 +0\.70–0\.90 +≥ 0\.90 +no +300 MB\/s$/)
  t.match(socat, /^socat +throughput +Node pipe +1\.00 +0\.90–1\.10 +300 MB\/s$/)
  t.match(haproxy, /^haproxy .*not known here$/)
  t.match(idle, /^idle +octets per connection +Node socket +\+5000 +\+4000–\+6000 +≤ \+4096 +no +9000 octets$/)
  t.match(suite, /^suite +cells per second +23 \/s$/)
})
