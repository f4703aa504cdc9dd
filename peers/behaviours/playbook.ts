/**
 * Plays a behaviour without sockets, for tests: events in, outputs out, and outputs as lines that can be compared.
 *
 * Alarms do not ring by themselves: the book's author sends the `wake` events.
 */
import type { BehaviourContext, WireBehaviour } from '../behaviour.ts'
import type { Command, Layer, Reply, WireEvent, WireOutput } from '../wire/units.ts'

/** A layer of `behaviour`; `parameters` are parsed by its schema, so that its defaults hold. Random is always 0.5. */
export function layerOf<Parameters>(
  behaviour: WireBehaviour<Parameters>,
  parameters: unknown = {},
  context: Partial<BehaviourContext> = {},
): Layer {
  return behaviour.create(behaviour.parameters.parse(parameters), {
    visit: 1,
    random: () => 0.5,
    clientAddress: '198.18.0.1',
    hostName: 'mx.badmx.test',
    memory: new Map(),
    ...context,
  })
}

/** All that the behaviour puts out for these events, in order. */
export function play<Parameters>(
  behaviour: WireBehaviour<Parameters>,
  parameters: unknown,
  events: readonly WireEvent[],
  context: Partial<BehaviourContext> = {},
): WireOutput[] {
  const layer = layerOf(behaviour, parameters, context)
  return events.flatMap((event) => [...layer.on(event)])
}

/** A command as the framing makes it; `line` without its line end, octets as latin1. */
export function command(id: number, line: string, secured = false): Command {
  const [word = ''] = line.split(' ')
  return {
    type: 'command',
    id,
    verb: word.toUpperCase(),
    argument: line.slice(word.length + 1),
    bytes: Buffer.from(`${line}\r\n`, 'latin1'),
    secured,
  }
}

/** A final reply as the framing makes it; `text` with its line ends, octets as latin1. */
export function reply(id: number | null, text: string, secured = false): Reply {
  const code = Number.parseInt(text.slice(0, 3), 10) || 0
  return { type: 'reply', id, code, bytes: Buffer.from(text, 'latin1'), last: true, secured }
}

/** One line per output: `reply 1 "250 mx\r\n"`, `fired removed "250-STARTTLS"`, `close client fin`. */
export function show(outputs: readonly WireOutput[]): string[] {
  return outputs.map(showOne)
}

function showOne(output: WireOutput): string {
  switch (output.type) {
    case 'command':
      return `command ${output.id} ${quote(output.bytes)}`
    case 'content':
      return `content ${output.id} ${quote(output.bytes)}${said(!output.last, 'more follows')}`
    case 'reply':
      return [
        `reply ${output.id} ${quote(output.bytes)}`,
        said(!output.last, 'more follows'),
        said(output.upgrade, 'then TLS'),
      ].join('')
    case 'bytes':
      return `bytes from ${output.from} ${quote(output.bytes)}`
    case 'eof':
      return `eof from ${output.from}`
    case 'close':
      return [
        `close ${output.end} ${output.how}`,
        said(output.withoutNotify, 'without notify'),
        said(output.keepTcp, 'keep tcp'),
      ].join('')
    case 'wake-me':
      return `wake ${output.alarm} after ${output.afterMs} ms ${output.clock}${said(output.drained, 'drained')}`
    case 'opportunity':
      return `opportunity ${output.detail}`
    case 'fired':
      return `fired ${output.detail}${output.original ? ` was ${quote(output.original)}` : ''}`
    case 'start-tls':
      return `start-tls ${output.end}${output.serverName ? ` as ${output.serverName}` : ''}`
    case 'secure':
    case 'hold':
    case 'opaque':
    case 'stop-reading':
    case 'no-tls':
      return output.type
  }
}

/** ` text` where it holds. */
function said(holds: unknown, text: string): string {
  return holds ? ` ${text}` : ''
}

/** Octets as a JSON string of latin1 characters. */
function quote(octets: Buffer): string {
  return JSON.stringify(octets.toString('latin1'))
}
