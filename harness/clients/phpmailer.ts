/**
 * PHPMailer 6, in worker processes that run `phpmailer/shim.php` with the `php` of PATH. It is the one below
 * `vendor/` of the current folder (Composer), else Debian's.
 *
 * Its properties say what a policy means; untouched, it upgrades where STARTTLS is offered, and PHP checks the
 * certificate. PHP's resolver cannot be told an address for a name: it connects to the address, and `peer_name`, PHP's
 * own option for that, gives SNI and the name to check.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { ClientAdapter } from '../../scenarios/client.ts'
import { clientEnvironment, supportTable, withoutDns } from './environment.ts'
import { type CallTable, callsJob, clientScript } from './library.ts'
import { probeProgram } from './program-client.ts'
import { workerClient } from './worker-client.ts'

/** `Timeout`, by default 300 s. */
const OWN_LIMIT_MS = 300_000

const HOST = '$mail->Host = {host}; $mail->Port = {port};'
const OPTIONS = "$mail->SMTPOptions = ['ssl' => ['peer_name' => {name}"
const CHECKED = `${OPTIONS}, 'cafile' => {ca}]];`
const UNCHECKED = `${OPTIONS}, 'verify_peer' => false, 'verify_peer_name' => false, 'allow_self_signed' => true]];`

const TABLE: CallTable = {
  none: { tls: 'never', check: false, calls: `${HOST} $mail->SMTPAutoTLS = false;` },
  may: { tls: 'offered', check: false, calls: `${HOST} ${UNCHECKED}` },
  encrypt: {
    tls: 'always',
    check: false,
    calls: `${HOST} ${UNCHECKED} $mail->SMTPSecure = PHPMailer::ENCRYPTION_STARTTLS;`,
  },
  verify: {
    tls: 'always',
    check: true,
    calls: `${HOST} ${CHECKED} $mail->SMTPSecure = PHPMailer::ENCRYPTION_STARTTLS;`,
  },
  implicit: {
    tls: 'connect',
    check: true,
    calls: `${HOST} ${CHECKED} $mail->SMTPSecure = PHPMailer::ENCRYPTION_SMTPS;`,
  },
  ...withoutDns('PHPMailer connects to the host that it is given and looks up no TLSA record and no policy'),
  default: { tls: 'offered', check: true, calls: `${HOST} ${CHECKED}` },
}

/** Composer's autoloader first, then that of the package libphp-phpmailer. */
const DEBIAN = '/usr/share/php/libphp-phpmailer/autoload.php'

function autoloader(): string {
  const composer = join(process.cwd(), 'vendor/autoload.php')
  return existsSync(join(process.cwd(), 'vendor/phpmailer')) ? composer : DEBIAN
}

const PRINT_VERSION =
  "require $argv[1]; echo 'PHPMailer ', PHPMailer\\PHPMailer\\PHPMailer::VERSION, ', PHP ', PHP_VERSION, PHP_EOL;"

export const client: ClientAdapter = workerClient({
  id: 'phpmailer',
  name: 'PHPMailer',
  policies: supportTable(TABLE, ({ calls }) => calls),
  documented: {
    policy: 'may',
    source:
      'PHPMailer.php, $SMTPAutoTLS (true): "Whether to enable TLS encryption automatically if a server supports it"',
  },
  passwords: true,
  namesPeers: true,
  probe: () =>
    probeProgram(
      ['php', '-r', PRINT_VERSION, '--', autoloader()],
      'apt-get install php-cli libphp-phpmailer',
      /^PHPMailer (\S+, PHP \S+)/m,
    ),
  worker: async () => ({
    argv: ['php', clientScript('phpmailer/shim.php'), autoloader()],
    env: clientEnvironment(),
    cwd: process.cwd(),
  }),
  job: (delivery) => callsJob(TABLE, delivery, OWN_LIMIT_MS),
})
