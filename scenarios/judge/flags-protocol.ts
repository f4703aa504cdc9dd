/** The flags `protocol.*`: the rules of RFC 3207 §4 and §4.2 for the dialogue around TLS. Pure. */
import { type Connection, goAhead, offerBefore, offersIn, replyFor } from './connection.ts'
import { mechanisms } from './flags-inject.ts'
import { handshakes } from './flags-reply.ts'
import type { Observation } from './observe.ts'
import { placeOf, printed, type Raised } from './raised.ts'
import type { CommandEntry } from './transcript.ts'

export function protocolFlags(observation: Observation): readonly Raised[] {
  return observation.connections.flatMap((connection) => [...aroundGo(connection), ...insideTls(connection)])
}

/** Commands of the client in clear after the 220 to STARTTLS and before TLS came up, QUIT apart. */
export function commandsAfterGo(connection: Connection): readonly CommandEntry[] {
  const go = goAhead(connection)
  const up = connection.ups[0]?.seq ?? Number.POSITIVE_INFINITY
  if (go === undefined) return []
  return connection.commands.filter(
    ({ layer, seq, verb }) => layer === 'clear' && seq > go.seq && seq < up && verb !== 'QUIT' && verb !== '',
  )
}

function aroundGo(connection: Connection): Raised[] {
  const raised: Raised[] = []
  const [after] = commandsAfterGo(connection)
  if (after !== undefined) {
    raised.push({
      flag: 'protocol.command-after-220',
      detail: `${printed(after.verb)} in clear after the 220`,
      ...placeOf(after),
    })
  }
  for (const command of connection.commands) {
    if (command.verb !== 'STARTTLS' || command.layer !== 'clear') continue
    const reply = replyFor(connection, command)
    const [hello] = handshakes(connection).filter(({ seq }) => seq > command.seq && seq < (reply?.seq ?? -1))
    const text = connection.entries.find(
      (entry) =>
        entry.from === 'client' &&
        entry.layer === 'clear' &&
        entry.kind !== 'eof' &&
        entry.kind !== 'tls' &&
        entry.offset > command.offset &&
        entry.seq < (reply?.seq ?? -1) &&
        !(entry.kind === 'command' && entry.verb === 'QUIT'),
    )
    const between = hello ?? text
    if (between !== undefined) {
      const what = between === hello ? 'TLS records' : `${between.bytes.length} octets`
      const detail = `${what} after STARTTLS before its reply`
      raised.push({ flag: 'protocol.pipelined-after-starttls', detail, ...placeOf(between) })
    }
  }
  return raised
}

function insideTls(connection: Connection): Raised[] {
  const inside = connection.commands.filter(({ layer }) => layer === 'tls')
  const raised: Raised[] = []
  const [first] = inside
  if (
    first !== undefined &&
    !connection.opened.event.tlsOnConnect &&
    !['EHLO', 'HELO', 'LHLO', 'QUIT'].includes(first.verb)
  ) {
    raised.push({
      flag: 'protocol.no-second-ehlo',
      detail: `the first command inside TLS is ${printed(first.verb)}`,
      ...placeOf(first),
    })
  }
  const again = inside.find(({ verb }) => verb === 'STARTTLS')
  if (again !== undefined)
    raised.push({ flag: 'protocol.second-starttls', detail: 'STARTTLS inside TLS', ...placeOf(again) })
  const used = usedPreTls(connection)
  if (used !== undefined) {
    const detail = `${used.keyword} inside TLS, offered only before it`
    raised.push({ flag: 'protocol.used-pretls-caps', detail, ...placeOf(used.command) })
  }
  return raised
}

/** The service extension that a command rests on, by its verb or a parameter of MAIL or RCPT. */
const RESTS_ON: readonly (readonly [RegExp, string])[] = [
  [/^MAIL .*\sSIZE=/i, 'SIZE'],
  [/^MAIL .*\sBODY=8BITMIME/i, '8BITMIME'],
  [/^MAIL .*\sSMTPUTF8(\s|$)/i, 'SMTPUTF8'],
  [/^MAIL .*\sREQUIRETLS(\s|$)/i, 'REQUIRETLS'],
  [/^(MAIL .*\s(RET|ENVID)=|RCPT .*\s(NOTIFY|ORCPT)=)/i, 'DSN'],
  [/^BDAT /i, 'CHUNKING'],
]

/** A command inside TLS that uses what had been offered only before it (RFC 3207 §4.2). */
function usedPreTls(connection: Connection): { readonly command: CommandEntry; readonly keyword: string } | undefined {
  const outside = offersIn(connection, 'clear').at(-1)
  if (outside === undefined) return undefined
  for (const command of connection.commands) {
    const inside = command.layer === 'tls' ? offerBefore(connection, command) : undefined
    if (inside === undefined) continue
    const line = `${command.verb} ${command.argument}`
    for (const [pattern, keyword] of RESTS_ON) {
      if (pattern.test(line) && outside.keywords.has(keyword) && !inside.keywords.has(keyword))
        return { command, keyword }
    }
    if (isPipelined(connection, command) && outside.keywords.has('PIPELINING') && !inside.keywords.has('PIPELINING')) {
      return { command, keyword: 'PIPELINING' }
    }
    const mechanism = command.argument.split(/\s/)[0]?.toUpperCase() ?? ''
    if (command.verb === 'AUTH' && mechanisms(outside).includes(mechanism) && !mechanisms(inside).includes(mechanism)) {
      return { command, keyword: `AUTH ${mechanism}` }
    }
  }
  return undefined
}

/** It came while the command before it still wanted its reply. */
function isPipelined(connection: Connection, command: CommandEntry): boolean {
  const before = connection.commands.find(({ id }) => id === command.behind)
  return before !== undefined && before.layer === command.layer && command.verb !== 'QUIT'
}
