/**
 * Ruby's Net::SMTP (the gem net-smtp 0.3 or later, which comes with Ruby 3.1), in worker processes that run
 * `ruby-net-smtp/shim.rb` with the `ruby` of PATH.
 *
 * Its constructor says what a policy means; untouched, it upgrades where STARTTLS is offered, and checks the
 * certificate.
 */
import type { ClientAdapter } from '../../scenarios/client.ts'
import { supportTable, withoutDns } from './environment.ts'
import { type CallTable, callsJob, scriptWorker } from './library.ts'
import { probeProgram } from './program-client.ts'
import { workerClient } from './worker-client.ts'

/** `open_timeout` and `read_timeout` have this in common that the longer one is 60 s. */
const OWN_LIMIT_MS = 60_000

const NEW = 'Net::SMTP.new({name}, {port}'
const TRUST = 'ssl_context_params: { ca_file: {ca} }'

const TABLE: CallTable = {
  none: { tls: 'never', check: false, calls: `${NEW}, starttls: false)` },
  may: { tls: 'offered', check: false, calls: `${NEW}, starttls: :auto, tls_verify: false)` },
  encrypt: { tls: 'always', check: false, calls: `${NEW}, starttls: :always, tls_verify: false)` },
  verify: { tls: 'always', check: true, calls: `${NEW}, starttls: :always, ${TRUST})` },
  implicit: { tls: 'connect', check: true, calls: `${NEW}, tls: true, starttls: false, ${TRUST})` },
  ...withoutDns('Net::SMTP connects to the host that it is given and looks up no TLSA record and no policy'),
  default: { tls: 'offered', check: true, calls: `${NEW}, ${TRUST})` },
}

export const client: ClientAdapter = workerClient({
  id: 'ruby-net-smtp',
  name: 'Ruby Net::SMTP',
  policies: supportTable(TABLE, ({ calls }) => calls),
  documented: {
    policy: 'may',
    source: 'Net::SMTP.new, starttls (by default :auto): "if :auto, use STARTTLS when the server supports it"',
  },
  passwords: true,
  namesPeers: true,
  probe: () =>
    probeProgram(
      ['ruby', '-rnet/smtp', '-e', 'puts %(net-smtp #{Net::SMTP::VERSION}, ruby #{RUBY_VERSION})'],
      'apt-get install ruby',
      /^net-smtp (\S+, ruby \S+)/m,
    ),
  worker: () => scriptWorker(['ruby'], 'ruby-net-smtp/shim.rb'),
  job: (delivery) => callsJob(TABLE, delivery, OWN_LIMIT_MS),
})
