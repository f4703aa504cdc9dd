/**
 * The two field reports that this project began with, as the people met them who had them: the wrong denials of
 * internot.no and isphuset.no (PowerDNS), and the firewall of mail.mil.
 */
import t from 'tap'
import { Log } from '../testing/log.ts'
import { run } from '../testing/programs.ts'
import { Internet } from './internet.ts'
import { decodeMessage } from './message.ts'
import { typeText } from './numbers.ts'
import { startDns } from './start.ts'
import { inNamespace } from './testing/namespace.ts'
import { lacks, startUnbound } from './testing/unbound.ts'
import { type Zone, zone } from './zone.ts'

const inside = inNamespace(import.meta.url)
const skip = inside === true ? lacks('unbound', '-V') : inside

async function serve(t: Parameters<typeof startUnbound>[0], zones: readonly Zone[]) {
  const internet = await Internet.create(zones, { nameServer: { name: 'ns.test', address: '127.0.0.1' } })
  const log = new Log()
  const dns = await startDns({ internet, resolver: [], authority: { port: 53 }, log: log.sink })
  t.teardown(() => dns.close())
  return { log, unbound: await startUnbound(t, internet) }
}

t.test('internot.no: nodata proof failed', { skip: skip || lacks('unbound-host', '-h') }, async (t) => {
  const { unbound } = await serve(t, [
    zone('internot.test', ['@ MX 10 mx', 'mx A 198.18.0.25', '* A 198.18.0.26', '_dmarc TXT x'], {
      signing: { nsec3: { iterations: 1, salt: 'aabb' } },
      faults: [{ use: 'guess-wildcard-encloser' }],
    }),
  ])
  const ask = (name: string, type: string) => run('unbound-host', ['-v', '-C', unbound.configuration, '-t', type, name])
  const tlsa = await ask('_25._tcp.mail.internot.test', 'TLSA')
  t.match(tlsa.stdout, /\(BOGUS \(security failure\)\)/)
  t.match(tlsa.stdout, /validation failure <_25\._tcp\.mail\.internot\.test\. TLSA IN>: nodata proof failed/)
  const mx = await ask('internot.test', 'MX')
  t.match(mx.stdout, /mail is handled by 10 mx\.internot\.test\. \(secure\)/)
})

t.test('mail.mil: TLSA times out, A of the same name is NXDOMAIN with AD', { skip }, async (t) => {
  const { unbound, log } = await serve(t, [
    zone('mail.test', ['@ MX 10 mx', 'mx A 198.18.0.25', '_dmarc TXT x'], {
      servers: [{ name: 'ns.mail.test', address: '127.0.0.5', middlebox: '127.0.0.6' }],
      faults: [{ use: 'drop-queries', types: ['TLSA'], at: 'middlebox' }],
      cell: 'mail',
    }),
  ])
  t.equal(await unbound.says('_25._tcp.mx.mail.test', 'A'), 'NXDOMAIN AD')
  t.match(await unbound.says('_25._tcp.mx.mail.test', 'TLSA'), /^SERVFAIL/)
  t.equal(await unbound.says('mail.test', 'MX'), 'NOERROR AD', 'everything else goes through')
  const crossed = log
    .of('dns')
    .filter(({ cell }) => cell === 'mail')
    .map(({ at, direction, local, data }) => {
      const [question] = decodeMessage(data).questions
      return `${at} ${direction} ${local.address} ${typeText(question?.type ?? 0)}`
    })
  t.ok(crossed.includes('middlebox in 127.0.0.6 TLSA'), 'the box got it')
  t.notOk(crossed.some((line) => line.startsWith('middlebox out') && line.endsWith('TLSA')))
  t.notOk(
    crossed.some((line) => line.startsWith('authority in 127.0.0.5') && line.endsWith('TLSA')),
    'and let nothing through',
  )
  for (const line of ['middlebox in', 'authority in', 'authority out', 'middlebox out'])
    t.ok(crossed.includes(`${line} 127.0.0.${line.startsWith('m') ? 6 : 5} MX`), line)
  t.ok(log.events.some((event) => event.type === 'fired' && event.behaviour === 'dns:drop-queries'))
})
