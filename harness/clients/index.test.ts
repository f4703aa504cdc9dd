import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../../peers/package-root.ts'
import { POLICIES } from '../../scenarios/policy.ts'
import { policySupport } from './environment.ts'
import { knownClients } from './index.ts'
import { findNodemailer } from './nodemailer.ts'
import { PLACEHOLDERS } from './template.ts'

/** The clients of this folder that are somebody else's program, and the Debian packages of those that PATH finds. */
const PACKAGES: Readonly<Record<string, string>> = {
  curl: 'curl',
  esmtp: 'esmtp libnss-wrapper',
  'git-send-email': 'git-email libmailtools-perl libio-socket-ssl-perl libauthen-sasl-perl',
  'go-net-smtp': 'golang-go',
  'jakarta-mail': 'default-jre-headless ecj libjakarta-mail-java libgoogle-gson-java',
  msmtp: 'msmtp',
  'perl-net-smtp': 'perl libio-socket-ssl-perl libauthen-sasl-perl',
  phpmailer: 'php-cli libphp-phpmailer',
  'ruby-net-smtp': 'ruby',
  's-nail': 's-nail libnss-wrapper',
  smtplib: 'python3',
  swaks: 'swaks',
}
const FOREIGN = [...Object.keys(PACKAGES), 'nodemailer', 'ssmtp']

const clients = await knownClients()

t.test('clients are found by listing', async (t) => {
  const ids = clients.map((client) => client.id)
  t.same(ids, [...ids].sort())
  for (const id of FOREIGN) t.ok(ids.includes(id), id)
})

t.test('nonsense is unsupported everywhere', async (t) => {
  for (const client of clients)
    for (const word of ['', 'Verify', 'verify ', 'constructor', '__proto__', 'tls'])
      t.match(policySupport(client, word), { unsupported: /no policy/ }, `${client.id}: ${JSON.stringify(word)}`)
})

t.test('every policy has an answer', async (t) => {
  for (const client of clients)
    for (const policy of POLICIES) {
      const support = policySupport(client, policy)
      t.ok('options' in support ? support.options : support.unsupported, `${client.id} ${policy}`)
    }
})

t.test('a client that is missing says how to get it', async (t) => {
  const path = process.env.PATH
  t.teardown(() => {
    process.env.PATH = path
  })
  process.env.PATH = t.testdir({})
  for (const client of clients) {
    const packages = PACKAGES[client.id]
    if (packages === undefined) continue
    t.same(await client.probe(), { found: false, install: `apt-get install ${packages}` })
    await t.rejects(client.start(), { code: 'client-missing', next: `apt-get install ${packages}` })
  }
})

t.test("the user's nodemailer comes first, then ours", async (t) => {
  const folder = t.testdir({
    node_modules: {
      nodemailer: {
        'package.json': '{"name":"nodemailer","version":"0.0.7","main":"lib/entry.js"}',
        lib: { 'package.json': '{"type":"commonjs"}', 'entry.js': '' },
      },
    },
  })
  t.match(findNodemailer(folder), { version: '0.0.7', entry: join(folder, 'node_modules/nodemailer/lib/entry.js') })
  t.match(findNodemailer('/'), { version: /^\d+\.\d+\.\d+$/ })
  t.not(findNodemailer('/')?.version, '0.0.7')
})

t.test('README.md says what is run', async (t) => {
  const readme = await readFile(join(packageRoot(), 'harness/clients/README.md'), 'utf8')
  for (const [name, meaning] of Object.entries(PLACEHOLDERS))
    t.ok(readme.includes(`| \`{${name}}\` | ${meaning} |`), `{${name}}`)
  for (const client of clients.filter(({ id }) => FOREIGN.includes(id))) {
    const rows = POLICIES.map((policy) => {
      const support = client.policies[policy]
      const cell = 'options' in support ? `\`${support.options}\`` : `unsupported: ${support.unsupported}`
      return `| ${policy} | ${cell.replaceAll('|', '\\|')} |`
    })
    const { documented } = client
    const text = [
      `### ${client.id}\n`,
      ...['| policy | what is run |', '| --- | --- |', ...rows],
      `\n\`default\` is judged as \`${documented.policy}\`: ${documented.source}.`,
    ].join('\n')
    t.ok(readme.includes(text), `the section of ${client.id}; want\n${text}`)
  }
})
