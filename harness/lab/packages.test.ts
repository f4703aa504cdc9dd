import t from 'tap'
import { layerName, layerSpec, PACKAGES } from './packages.ts'
import { archive, sources } from './releases.ts'

t.test('a client and a release by name', async (t) => {
  t.match(layerSpec('postfix'), { client: 'postfix', release: 'bookworm', packages: ['postfix'] })
  t.match(layerSpec('exim@sid'), { client: 'exim', release: 'sid' })
  t.strictSame(
    Object.keys(PACKAGES)
      .map((name) => layerName(layerSpec(`${name}@trixie`)))
      .at(-1),
    'powerdns@trixie',
  )
  for (const [name, message] of [
    ['postfxi', /^the lab has no client "postfxi"; did you mean "postfix"\?$/],
    ['toString', /no client "toString"/],
    ['', /no client ""/],
    ['postfix@trixi', /^the lab has no release "trixi"; did you mean "trixie"\?$/],
    ['postfix@', /no release ""/],
    ['postfix@sid@sid', /no release "sid@sid"/],
    ['../x', /no client "\.\.\/x"/],
  ] as const)
    t.throws(() => layerSpec(name), { name: 'UserError', message, exitCode: 2 })
})

t.test('where packages come from', async (t) => {
  const own = archive({ BADMX_DEBIAN_MIRROR: 'http://mirror.test/debian/', BADMX_EXPIRED_ARCHIVE: '1' })
  t.match(own, { mirror: 'http://mirror.test/debian', security: 'http://mirror.test/debian-security' })
  t.ok(own.options.includes('Acquire::Check-Valid-Until=false'))
  t.match(archive({}), { mirror: /^https?:\/\/.*[^/]$/, security: /^https?:\/\/.*security$/ })
  t.strictSame(sources('sid', own), ['deb http://mirror.test/debian sid main'])
  t.strictSame(sources('bookworm-backports', own), [
    'deb http://mirror.test/debian bookworm main',
    'deb http://mirror.test/debian bookworm-updates main',
    'deb http://mirror.test/debian-security bookworm-security main',
    'deb http://mirror.test/debian bookworm-backports main',
  ])
})
