/**
 * Perl's Net::SMTP (libnet, a part of Perl) with IO::Socket::SSL, in worker processes that run `perl-net-smtp/shim.pl`
 * with the `perl` of PATH.
 *
 * A library without a policy of its own: what a policy means is what its caller does. The calls are those that its
 * documentation shows; each returns false where it fails, and the caller looks at that.
 */
import type { ClientAdapter } from '../../scenarios/client.ts'
import { supportTable, withoutDns } from './environment.ts'
import { type CallTable, callsJob, scriptWorker } from './library.ts'
import { probeProgram } from './program-client.ts'
import { workerClient } from './worker-client.ts'

/** `Timeout`, by default 120 s. */
const OWN_LIMIT_MS = 120_000

const NEW = '$smtp = Net::SMTP->new({name}, Port => {port}'
const TRUST = 'SSL_ca_file => {ca}'
const UNCHECKED = 'SSL_verify_mode => SSL_VERIFY_NONE'

const TABLE: CallTable = {
  none: { tls: 'never', check: false, calls: `${NEW})` },
  may: {
    tls: 'offered',
    check: false,
    calls: `${NEW}); !defined $smtp->supports('STARTTLS') or $smtp->starttls(${UNCHECKED}) or die`,
  },
  encrypt: { tls: 'always', check: false, calls: `${NEW}); $smtp->starttls(${UNCHECKED}) or die` },
  verify: { tls: 'always', check: true, calls: `${NEW}); $smtp->starttls(${TRUST}) or die` },
  implicit: { tls: 'connect', check: true, calls: `${NEW}, SSL => 1, ${TRUST})` },
  ...withoutDns('Net::SMTP connects to the host that it is given and looks up no TLSA record and no policy'),
  default: { tls: 'never', check: false, calls: `${NEW})` },
}

const MODULES = ['Net::SMTP', 'IO::Socket::SSL', 'Authen::SASL']
const PRINT_VERSIONS = 'print "Net::SMTP $Net::SMTP::VERSION, IO::Socket::SSL $IO::Socket::SSL::VERSION\\n"'

export const client: ClientAdapter = workerClient({
  id: 'perl-net-smtp',
  name: 'Perl Net::SMTP',
  policies: supportTable(TABLE, ({ calls }) => calls),
  documented: {
    policy: 'none',
    source: 'Net::SMTP(3perl), starttls: "Upgrade existing plain connection to SSL", by this call only',
  },
  passwords: true,
  namesPeers: true,
  probe: () =>
    probeProgram(
      ['perl', ...MODULES.map((name) => `-M${name}`), '-e', PRINT_VERSIONS],
      'apt-get install perl libio-socket-ssl-perl libauthen-sasl-perl',
      /^Net::SMTP (\S+, IO::Socket::SSL \S+)/m,
    ),
  worker: () => scriptWorker(['perl'], 'perl-net-smtp/shim.pl'),
  job: (delivery) => callsJob(TABLE, delivery, OWN_LIMIT_MS),
})
