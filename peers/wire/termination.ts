/**
 * The innermost layers: where STARTTLS ends. A peer terminates TLS in front of its own server; an intercepting proxy
 * terminates the client's TLS and speaks TLS or cleartext to the real server; a pass-through has no such layer.
 *
 * RFC 3207 §4 (220 or nothing; no parameter; the command is the last of its group), §4.2 (both sides start afresh).
 */
import {
  type Command,
  type Layer,
  NOTHING,
  type Reply,
  replyTo,
  type Upgrade,
  type WireEvent,
  type WireOutput,
} from './units.ts'

/** STARTTLS of a sound server: 501 with a parameter, else 220 and TLS. */
export function terminateTls(upgrade: Upgrade): Layer {
  return {
    on(event) {
      return isPlainStarttls(event) ? startTls(event, upgrade) : afterHandshake(event)
    },
  }
}

/** 501 with a parameter (RFC 3207 §4), else 220 and TLS. */
function startTls(command: Command, upgrade: Upgrade): readonly WireOutput[] {
  if (command.argument !== '') return [replyTo(command, 501, '5.5.4 STARTTLS takes no parameter')]
  return [{ type: 'hold' }, { ...replyTo(command, 220, '2.0.0 Ready to start TLS'), upgrade }]
}

/**
 * Interception: TLS to the client with a certificate of ours, and to the server TLS of its own (`tls`) or cleartext
 * (`clear`). With `clear` STARTTLS is offered whether or not the server does.
 */
export function interceptTls(upgrade: Upgrade, toServer: 'tls' | 'clear', serverName?: string): Layer {
  return toServer === 'clear' ? interceptToClear(upgrade) : interceptToTls(upgrade, serverName)
}

function interceptToClear(upgrade: Upgrade): Layer {
  const greetings = new Set<number>()
  return {
    on(event) {
      if (isPlainStarttls(event)) return startTls(event, upgrade)
      if (event.type === 'command' && event.verb === 'EHLO') greetings.add(event.id)
      if (event.type === 'reply' && event.id !== null && event.code === 250 && greetings.delete(event.id)) {
        const rest = withoutKeyword(event, 'STARTTLS')
        return [event.secured ? rest : withKeyword(rest, 'STARTTLS')]
      }
      return passUnits(event)
    },
  }
}

function interceptToTls(upgrade: Upgrade, serverName: string | undefined): Layer {
  let asked: Command | undefined
  return {
    on(event) {
      if (isPlainStarttls(event)) {
        asked = event
        return [{ type: 'hold' }, event]
      }
      if (event.type === 'reply' && asked !== undefined && event.id === asked.id) {
        if (event.code !== 220) {
          if (event.last) asked = undefined
          return [event]
        }
        return [{ type: 'start-tls', end: 'server', ...(serverName === undefined ? {} : { serverName }) }]
      }
      if (event.type === 'tls' && event.end === 'server' && asked !== undefined && event.state !== 'hello') {
        const reply =
          event.state === 'up'
            ? { ...replyTo(asked, 220, '2.0.0 Ready to start TLS'), upgrade }
            : replyTo(asked, 454, '4.7.0 TLS not available due to temporary reason')
        asked = undefined
        return [reply]
      }
      return passUnits(event)
    },
  }
}

function isPlainStarttls(event: WireEvent): event is Command & { verb: 'STARTTLS'; secured: false } {
  return event.type === 'command' && event.verb === 'STARTTLS' && !event.secured
}

function afterHandshake(event: WireEvent): readonly WireOutput[] {
  if (event.type === 'tls' && event.end === 'client' && event.state === 'up') return [{ type: 'secure' }]
  return passUnits(event)
}

/** Lets units go on; other events end here. */
export function passUnits(event: WireEvent): readonly WireOutput[] {
  return event.type === 'open' || event.type === 'tls' || event.type === 'wake' ? NOTHING : [event]
}

/** The lines of a multi-line reply with their line ends. */
function rawLines(reply: Reply): string[] {
  return reply.bytes.toString('latin1').match(/[^\n]*\n|[^\n]+$/g) ?? []
}

/** Makes the last line final and the others continued again, whatever was taken out or put in. */
function joinLines(reply: Reply, lines: readonly string[]): Reply {
  const text = lines
    .map((line, at) => `${line.slice(0, 3)}${at < lines.length - 1 ? '-' : ' '}${line.slice(4)}`)
    .join('')
  return { ...reply, bytes: Buffer.from(text, 'latin1') }
}

/** The EHLO reply without a keyword (case-insensitive, RFC 5321 §4.1.1.1); the greeting line always stays. */
export function withoutKeyword(reply: Reply, keyword: string): Reply {
  const lines = rawLines(reply)
  const kept = lines.filter((line, at) => at === 0 || line.slice(4).trim().split(/\s/)[0]?.toUpperCase() !== keyword)
  return kept.length === lines.length ? reply : joinLines(reply, kept)
}

/** The EHLO reply with a keyword as its last line. */
export function withKeyword(reply: Reply, keyword: string): Reply {
  return joinLines(reply, [...rawLines(reply), `${reply.code} ${keyword}\r\n`])
}
