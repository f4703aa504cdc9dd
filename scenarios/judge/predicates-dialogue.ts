/** Predicates about the SMTP dialogue around TLS. Pure. RFC 3207 §4, §4.2; RFC 5321 §3.2, §4.2; RFC 8689 §4.2.1. */
import { goAhead, offerBefore, offeredTls, offersIn, replyFor, triedTls } from './connection.ts'
import { injectedBehindGo } from './flags-downgrade.ts'
import { authCarriedOver, hastyCommands, mailAfterRefusedGreeting } from './flags-inject.ts'
import { protocolFlags } from './flags-protocol.ts'
import { desync, handshakes, handshakeWithoutGo, replyFlags } from './flags-reply.ts'
import { held, notApplicable, unless } from './holding.ts'
import { acceptances, isOurs, type Observation } from './observe.ts'
import type { Predicate } from './predicates.ts'
import { printed } from './raised.ts'

function starttlsSent(observation: Observation): boolean {
  return observation.connections.some(({ commands }) => commands.some(({ verb }) => verb === 'STARTTLS'))
}

const details = (observation: Observation, flag: string): string[] =>
  [...protocolFlags(observation), ...replyFlags(observation)]
    .filter((raised) => raised.flag === flag)
    .map(({ detail }) => detail)

export const DIALOGUE_PREDICATES: Readonly<Record<string, Predicate>> = {
  'starttls-once': {
    title: 'STARTTLS is sent once on a connection',
    source: 'RFC 3207 §4.2',
    weight: 'fail',
    check(observation) {
      if (!starttlsSent(observation)) return notApplicable('STARTTLS was not sent')
      const repeated = observation.connections
        .map(({ commands }) => commands.filter(({ verb }) => verb === 'STARTTLS').length)
        .filter((count) => count > 1)
      return unless(
        repeated.map((count) => `STARTTLS ${count} times on one connection`),
        'STARTTLS once',
      )
    },
  },
  'ehlo-after-tls': {
    title: 'After the handshake the session begins with a new EHLO',
    source: 'RFC 3207 §4.2 (SHOULD)',
    weight: 'flagged',
    check(observation) {
      const firsts = observation.connections
        .filter(({ opened, ups }) => !opened.event.tlsOnConnect && ups.length > 0)
        .flatMap(({ commands }) => commands.filter(({ layer }) => layer === 'tls').slice(0, 1))
        .filter(({ verb }) => verb !== 'QUIT')
      if (firsts.length === 0) return notApplicable('no command inside TLS after STARTTLS')
      const wrong = firsts.filter(({ verb }) => verb !== 'EHLO' && verb !== 'LHLO')
      return unless(
        wrong.map(({ verb }) => `the first command inside TLS is ${printed(verb)}`),
        'EHLO came first inside TLS',
      )
    },
  },
  'same-ehlo-name': {
    title: 'The client gives the same name in EHLO before TLS and inside it',
    source: 'RFC 5321 §4.1.1.1; RFC 3207 §4.2',
    weight: 'flagged',
    check({ connections }) {
      const pairs = connections.flatMap(({ commands }) => {
        const named = (layer: 'clear' | 'tls') =>
          commands.find(({ verb, layer: at }) => verb === 'EHLO' && at === layer)
        const [before, inside] = [named('clear'), named('tls')]
        return before === undefined || inside === undefined
          ? []
          : [{ before: before.argument, inside: inside.argument }]
      })
      if (pairs.length === 0) return notApplicable('no EHLO both before TLS and inside it')
      const wrong = pairs.filter(({ before, inside }) => before.toLowerCase() !== inside.toLowerCase())
      return unless(
        wrong.map(({ before, inside }) => `EHLO ${quoted(before)} before TLS, EHLO ${quoted(inside)} inside`),
        'the same name before TLS and inside',
      )
    },
  },
  'sends-ehlo': {
    title: 'The client begins with EHLO',
    source: 'RFC 5321 §3.2',
    weight: 'fail',
    check(observation) {
      const firsts = observation.connections
        .flatMap(({ commands }) => commands.slice(0, 1))
        .filter(({ verb }) => verb !== 'QUIT')
      if (firsts.length === 0) return notApplicable('the client sent no command')
      const wrong = firsts.filter(({ verb }) => verb !== 'EHLO' && verb !== 'LHLO')
      return unless(
        wrong.map(({ verb }) => `the first command is ${printed(verb)}`),
        'EHLO came first',
      )
    },
  },
  'only-post-tls-extensions': {
    title: 'Inside TLS only what was offered there is used',
    source: 'RFC 3207 §4.2',
    weight: 'fail',
    check(observation) {
      if (!observation.connections.some((connection) => offersIn(connection, 'tls').length > 0)) {
        return notApplicable('no EHLO inside TLS')
      }
      return unless(details(observation, 'protocol.used-pretls-caps'), 'nothing that was offered only before TLS')
    },
  },
  'no-handshake-on-bad-reply': {
    title: 'TLS begins on no reply but 220',
    source: 'RFC 3207 §4',
    weight: 'fail',
    check(observation) {
      if (!starttlsSent(observation)) return notApplicable('STARTTLS was not sent')
      return unless(
        observation.connections.flatMap((connection) => handshakeWithoutGo(connection) ?? []),
        'no handshake without a 220',
      )
    },
  },
  'no-handshake-before-220': {
    title: 'TLS does not begin before STARTTLS has been answered',
    source: 'RFC 5321 §4.2; RFC 3207 §4',
    weight: 'fail',
    check(observation) {
      if (!starttlsSent(observation)) return notApplicable('STARTTLS was not sent')
      const early = observation.connections.flatMap((connection) => {
        const asked = connection.commands.find(({ verb, layer }) => verb === 'STARTTLS' && layer === 'clear')
        const [hello] = handshakes(connection)
        if (asked === undefined || hello === undefined) return []
        const reply = replyFor(connection, asked)
        return reply === undefined || hello.seq < reply.seq ? ['began TLS before STARTTLS was answered'] : []
      })
      return unless(early, 'TLS waited for the reply')
    },
  },
  'no-deliver-by-stale-reply': {
    title: 'No message is delivered by taking one reply for another',
    source: 'RFC 5321 §4.2',
    weight: 'fail',
    check(observation) {
      const delivered = acceptances(observation, observation.connections)
      if (delivered.length === 0) return held('nothing was delivered')
      const wrong = observation.connections
        .filter(({ conn }) => delivered.some((transaction) => transaction.conn === conn))
        .flatMap((connection) => desync(connection).map(({ detail }) => `delivered out of step: ${detail}`))
      return unless(wrong, 'no delivery out of step')
    },
  },
  'no-command-after-withheld-ehlo': {
    title: 'No command while the reply to EHLO inside TLS is withheld',
    source: 'RFC 3207 §4.2; CVE-2021-38371',
    weight: 'leak',
    check(observation) {
      const watched = observation.connections.flatMap((connection) => {
        const hasty = hastyCommands(observation, connection)
        return hasty === undefined ? [] : [hasty]
      })
      if (watched.length === 0) return notApplicable('no EHLO inside TLS whose reply could be withheld')
      return unless(
        watched.flat().map(({ verb }) => `${printed(verb)} while the EHLO reply was withheld`),
        'the client waited',
      )
    },
  },
  'no-auth-never-offered-in-tls': {
    title: 'Inside TLS the client uses no AUTH mechanism that was offered only before TLS',
    source: 'RFC 3207 §4.2; RFC 4954 §4',
    weight: 'leak',
    check(observation) {
      if (!observation.connections.some((connection) => offersIn(connection, 'tls').length > 0))
        return notApplicable('no EHLO inside TLS')
      const used = observation.connections.flatMap((connection) => {
        const found = authCarriedOver(connection)
        return found === undefined
          ? []
          : [`AUTH ${printed(found.mechanism)} inside TLS, which was offered only before it`]
      })
      return unless(used, 'no AUTH mechanism from before TLS')
    },
  },
  'no-mail-after-refused-ehlo': {
    title: 'No MAIL inside TLS after EHLO was refused there',
    source: 'RFC 5321 §4.1.4',
    weight: 'leak',
    check(observation) {
      const greeted = observation.connections.some(({ commands }) => commands.some(({ layer }) => layer === 'tls'))
      if (!greeted) return notApplicable('no command inside TLS')
      const sent = observation.connections.flatMap((connection) => mailAfterRefusedGreeting(connection) ?? [])
      return unless(
        sent.map(() => 'MAIL inside TLS after EHLO was refused there'),
        'no MAIL after a refused EHLO',
      )
    },
  },
  'no-tls-over-injected-bytes': {
    title: 'TLS does not come up over octets that were injected into its stream',
    source: 'RFC 8446 §5.1',
    weight: 'leak',
    check(observation) {
      const touched = observation.connections.filter((connection) => {
        const go = goAhead(connection)
        return (
          go !== undefined &&
          (injectedBehindGo(connection).length > 0 ||
            connection.entries.some(
              (entry) =>
                entry.from === 'peer' && entry.layer === 'clear' && entry.seq > go.seq && entry.bytes.length > 0,
            ))
        )
      })
      if (touched.length === 0) return notApplicable('nothing was injected')
      const up = touched.filter(({ commands }) => commands.some(({ layer }) => layer === 'tls'))
      return unless(
        up.map(() => 'TLS came up and was used over injected octets'),
        'TLS broke',
      )
    },
  },
  'tries-tls-on-each-visit': {
    title: 'Wherever STARTTLS is offered the client sends it',
    source: 'RFC 7435 §3',
    weight: 'fail',
    check(observation) {
      if (observation.cell.judgedAs === 'none') return notApplicable('the policy asks for no TLS')
      const offered = observation.connections.filter(offeredTls)
      if (offered.length === 0) return notApplicable('STARTTLS was never offered')
      const passed = offered.filter((connection) => !triedTls(connection))
      return unless(
        passed.map(() => 'STARTTLS was offered and not used'),
        `STARTTLS on each of ${offered.length} connections that offered it`,
      )
    },
  },
  'mail-carries-requiretls': {
    title: 'MAIL carries REQUIRETLS',
    source: 'RFC 8689 §4.2.1',
    weight: 'fail',
    check(observation) {
      const mails = observation.connections
        .flatMap(({ transactions }) => transactions)
        .filter((transaction) => isOurs(observation, transaction))
      if (mails.length === 0) return notApplicable('no MAIL')
      const bare = mails.filter(({ mail }) => !/\sREQUIRETLS(\s|$)/i.test(mail.argument))
      return unless(
        bare.map(() => 'MAIL without REQUIRETLS'),
        'MAIL carries REQUIRETLS',
      )
    },
  },
  'no-requiretls-learned-before-tls': {
    title: 'REQUIRETLS is used only where it was offered inside TLS',
    source: 'RFC 8689 §2, §4.2.1',
    weight: 'leak',
    check(observation) {
      const used = observation.connections.flatMap((connection) =>
        connection.commands
          .filter((command) => command.verb === 'MAIL' && /\sREQUIRETLS(\s|$)/i.test(command.argument))
          .filter(
            (command) =>
              command.layer === 'clear' || offerBefore(connection, command)?.keywords.has('REQUIRETLS') !== true,
          ),
      )
      return unless(
        used.map(() => 'MAIL with REQUIRETLS that was not offered inside TLS'),
        'no REQUIRETLS that was not offered',
      )
    },
  },
  'unasked-starttls-may-work': {
    title: 'A client that sends STARTTLS unasked may reach TLS',
    source: 'catalogue §3.4',
    weight: 'flagged',
    check: (observation) => held(starttlsSent(observation) ? 'STARTTLS was sent' : 'STARTTLS was not sent'),
  },
  'parse-lenient-recorded': {
    title: 'Whether a reply that breaks the grammar was taken as good is on record',
    source: 'catalogue §3.3',
    weight: 'flagged',
    check: (observation) => held(details(observation, 'resp.parse-lenient')[0] ?? 'nothing illegal was taken as good'),
  },
}

/** An argument, for a person. */
function quoted(argument: string): string {
  return JSON.stringify(argument.slice(0, 60))
}
