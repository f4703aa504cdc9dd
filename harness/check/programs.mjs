/**
 * The programs that the tests drive, and how they come onto a Debian machine. A test whose program is missing is skipped
 * and says so; this is the one list of what to install so that none is.
 */
import { spawnSync } from 'node:child_process'

/** Debian package, and a command that succeeds where it is installed. */
export const PROGRAMS = [
  { package: 'curl', probe: ['curl', '--version'] },
  { package: 'swaks', probe: ['swaks', '--version'] },
  { package: 'msmtp', probe: ['msmtp', '--version'] },
  { package: 'gnutls-bin', probe: ['gnutls-cli', '--version'] },
  { package: 'sslscan', probe: ['sslscan', '--version'] },
  { package: 'nmap', probe: ['nmap', '--version'] },
  { package: 'testssl.sh', probe: ['testssl', '--version'] },
  { package: 'openssl', probe: ['openssl', 'version'] },
  { package: 'python3', probe: ['python3', '-c', 'import ssl, smtplib, xml.etree'] },
  // What swaks needs for TLS, and only recommends.
  { package: 'libnet-ssleay-perl', probe: ['perl', '-MNet::SSLeay', '-e', '1'] },
  { package: 'libio-socket-ssl-perl', probe: ['perl', '-MIO::Socket::SSL', '-e', '1'] },
  { package: 'libauthen-sasl-perl', probe: ['perl', '-MAuthen::SASL', '-e', '1'] },
  { package: 'libmailtools-perl', probe: ['perl', '-MMail::Address', '-e', '1'] },
  { package: 'git-email', probe: ['sh', '-c', 'test -e "$(git --exec-path)/git-send-email"'] },
  { package: 'ruby', probe: ['ruby', '-rnet/smtp', '-e', '1'] },
  { package: 'php-cli', probe: ['php', '-r', 'exit(extension_loaded("openssl") ? 0 : 1);'] },
  { package: 'libphp-phpmailer', probe: ['test', '-e', '/usr/share/php/libphp-phpmailer/autoload.php'] },
  { package: 'golang-go', probe: ['go', 'version'] },
  { package: 's-nail', probe: ['s-nail', '--version'] },
  { package: 'esmtp', probe: ['sh', '-c', 'command -v esmtp'] },
  // An MTA: apt replaces none that is there (see `provide`).
  { package: 'ssmtp', probe: ['env', 'PATH=/usr/sbin:/usr/bin:/bin', 'ssmtp', '-V'] },
  { package: 'default-jre-headless', probe: ['java', '-version'] },
  { package: 'ecj', probe: ['ecj', '-version'] },
  { package: 'libjakarta-mail-java', probe: ['test', '-e', '/usr/share/java/jakarta-mail.jar'] },
  { package: 'libgoogle-gson-java', probe: ['test', '-e', '/usr/share/java/gson.jar'] },
  // Subordinate users, for a lab without root.
  { package: 'uidmap', probe: ['sh', '-c', 'command -v newuidmap'] },
  // Show reports and read captures. Unattended, tshark's package lets nobody but root capture, which nothing here needs.
  { package: 'chromium', probe: ['chromium', '--version'] },
  { package: 'tshark', probe: ['tshark', '--version'] },
  // What checks and validates DNS beside our own.
  { package: 'unbound', probe: ['unbound', '-V'] },
  { package: 'unbound-host', probe: ['sh', '-c', 'command -v unbound-host'] },
  { package: 'bind9-dnsutils', probe: ['delv', '-v'] },
  { package: 'bind9-utils', probe: ['dnssec-verify', '-V'] },
  { package: 'knot-dnssecutils', probe: ['kzonecheck', '-V'] },
  // Gives programs that only know the resolver a hosts file; what cannot be preloaded is complained about, and that is no failure.
  {
    package: 'libnss-wrapper',
    probe: ['sh', '-c', 'test -z "$(LD_PRELOAD=libnss_wrapper.so sh -c : 2>&1)"'],
  },
]

function works([program, ...args]) {
  return spawnSync(program, args, { stdio: 'ignore', timeout: 30_000 }).status === 0
}

/** The packages of `programs` that are missing here. */
export function missing(programs = PROGRAMS) {
  return programs.filter(({ probe }) => !works(probe)).map((program) => program.package)
}

/**
 * Installs what is missing, as root or (with CI=true) through sudo; elsewhere says how to. `say` takes lines. Returns the
 * packages that are still missing.
 */
export function provide(say, environment = process.env) {
  const packages = missing()
  if (packages.length === 0) return []
  const root = process.getuid?.() === 0
  const ci = environment.CI === 'true'
  const aptGet = works(['apt-get', '--version'])
  if (!aptGet || !(root || ci)) {
    say(`missing, tests that need them are skipped: ${packages.join(' ')}`)
    if (aptGet) say(`to install them: sudo apt-get install --no-install-recommends ${packages.join(' ')}`)
    return packages
  }
  say(`installing Debian packages that the tests need: ${packages.join(' ')}`)
  const apt = (...args) => {
    const command = [...(root ? [] : ['sudo', '-n']), 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...args]
    return spawnSync(command[0], command.slice(1), { stdio: ['ignore', 2, 2], timeout: 300_000 }).status === 0
  }
  // --no-remove: an MTA that is here stays, and the test that needs another one is skipped
  const install = (names) => apt('install', '--yes', '--quiet', '--no-install-recommends', '--no-remove', ...names)
  if (!install(packages)) {
    say('apt-get could not; updating its lists, then once more, and then one by one')
    if (!(apt('update', '--quiet') && install(packages))) for (const name of missing()) install([name])
  }
  const still = missing()
  if (still.length > 0) say(`could not be installed: ${still.join(' ')}`)
  return still
}
