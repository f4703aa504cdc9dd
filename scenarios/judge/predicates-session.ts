/** Predicates about the mail session: greetings refused, mail handed over and lost. Pure. RFC 5321 §3.1, §4.1.4, §6.1. */
import { type Connection, replyFor } from './connection.ts'
import { protocolFlags } from './flags-protocol.ts'
import { notApplicable, unless } from './holding.ts'
import { clearMails, isOurs, type Observation } from './observe.ts'
import type { Predicate } from './predicates.ts'
import { printed } from './raised.ts'
import type { CommandEntry } from './transcript.ts'

const GREETINGS: ReadonlySet<string> = new Set(['EHLO', 'HELO', 'LHLO'])

/** The first command after a banner that was none of welcome; undefined where the banner was 220, or there was none. */
function afterRefusedBanner(connection: Connection): { readonly command: CommandEntry | undefined } | undefined {
  const banner = connection.replies.find(({ answers }) => answers === 0)
  if (banner === undefined || banner.code < 400) return undefined
  return { command: connection.commands.find(({ verb, seq }) => verb !== 'QUIT' && verb !== '' && seq > banner.seq) }
}

/** Whether every greeting of a layer was refused, and the MAIL that came all the same. */
function refusedGreeting(connection: Connection): { readonly refused: boolean; readonly mail?: CommandEntry } {
  for (const layer of ['clear', 'tls'] as const) {
    const commands = connection.commands.filter((command) => command.layer === layer)
    const codes = commands
      .filter(({ verb }) => GREETINGS.has(verb))
      .map((command) => replyFor(connection, command)?.code ?? 0)
    if (codes.length === 0 || codes.some((code) => code < 400)) continue
    const mail = commands.find(({ verb }) => verb === 'MAIL')
    return { refused: true, ...(mail === undefined ? {} : { mail }) }
  }
  return { refused: false }
}

/** Where content went to a peer inside TLS that never said whether it took it: the place in the log. */
function lostInTls(observation: Observation, connections: readonly Connection[]): number | undefined {
  const lost = connections
    .flatMap(({ transactions }) => transactions)
    .find(
      (transaction) =>
        transaction.layer === 'tls' &&
        transaction.content.length > 0 &&
        transaction.acceptedBy === undefined &&
        isOurs(observation, transaction),
    )
  return lost?.content.at(-1)?.seq
}

export const SESSION_PREDICATES: Readonly<Record<string, Predicate>> = {
  'no-command-after-refused-banner': {
    title: 'After a banner that turns the client away it says QUIT or nothing',
    source: 'RFC 5321 §3.1, §4.3.2',
    weight: 'flagged',
    check({ connections }) {
      const refused = connections.flatMap((connection) => afterRefusedBanner(connection) ?? [])
      if (refused.length === 0) return notApplicable('no banner turned the client away')
      const said = refused.flatMap(({ command }) => (command === undefined ? [] : [command]))
      return unless(
        said.map(({ verb }) => `${printed(verb)} after a banner that turned the client away`),
        'the client went',
      )
    },
  },
  'no-mail-after-refused-greeting': {
    title: 'No MAIL where EHLO and HELO were refused',
    source: 'RFC 5321 §4.1.1.1, §4.1.4',
    weight: 'fail',
    check({ connections }) {
      const seen = connections.map(refusedGreeting).filter(({ refused }) => refused)
      if (seen.length === 0) return notApplicable('no greeting was refused for good')
      return unless(
        seen.flatMap(({ mail }) => (mail === undefined ? [] : ['MAIL although every greeting was refused'])),
        'no MAIL after a refused greeting',
      )
    },
  },
  'nothing-behind-starttls': {
    title: 'STARTTLS is the last command of its group: nothing follows before its reply',
    source: 'RFC 3207 §4; RFC 2920 §3.1',
    weight: 'fail',
    check(observation) {
      const asked = observation.connections.some(({ commands }) => commands.some(({ verb }) => verb === 'STARTTLS'))
      if (!asked) return notApplicable('STARTTLS was not sent')
      const early = protocolFlags(observation).filter(({ flag }) => flag === 'protocol.pipelined-after-starttls')
      return unless(
        early.map(({ detail }) => detail),
        'nothing behind STARTTLS before its reply',
      )
    },
  },
  'no-clear-resend-at-once': {
    title: 'Mail that was lost inside TLS is not sent again in clear in the same attempt',
    source: 'RFC 5321 §4.5.3.2.6, §4.5.4.1; RFC 7435 §3',
    weight: 'leak',
    check(observation) {
      const seen = observation.attempts.flatMap(({ connections }) => {
        const at = lostInTls(observation, connections)
        return at === undefined ? [] : [clearMails(observation, connections).find(({ seq }) => seq > at)]
      })
      if (seen.length === 0) return notApplicable('no content was lost inside TLS')
      return unless(
        seen.flatMap((mail) => (mail === undefined ? [] : ['MAIL in clear after the message was lost inside TLS'])),
        'not sent again in clear',
      )
    },
  },
}
