/**
 * What the name servers cost: answers per second over UDP, against a socket that sends back what it gets, and against a
 * responder made of dns-packet, and against nsd, which has no goal; and how long a whole internet takes until its first signed answer.
 */
import { spawn } from 'node:child_process'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { Authority } from '../../peers/dns/authority.ts'
import { Internet } from '../../peers/dns/internet.ts'
import { decodeMessage, encodeMessage, queryFor } from '../../peers/dns/message.ts'
import { TYPE } from '../../peers/dns/numbers.ts'
import { zone } from '../../peers/dns/zone.ts'
import { Children } from './children.ts'
import type { Comparison } from './contest.ts'
import { pairedDifference, pairedRatio, spread } from './statistics.ts'
import { DNS_NAME } from './subjects.ts'

const ROUNDS = 11
/** Of a round. */
const QUERIES = 20_000
const WARM_UP = 40_000
/** Queries on their way at once: fewer than what any socket's buffer holds. */
const AT_ONCE = 64
/** On loopback nothing is lost; a round that gets no answer for so many milliseconds has failed. */
const PATIENCE_MS = 10_000

const ZONES = 1_000
const STARTS = 5

export async function dns(signal: AbortSignal, tell: (line: string) => void): Promise<Comparison[]> {
  tell('name server: TLSA queries over UDP')
  const children = new Children(signal)
  const contestants: Contestant[] = []
  let figures: ReadonlyMap<string, readonly number[]>
  try {
    for (const name of ['udp-echo', 'dns-packet', 'name-server'] as const)
      contestants.push({ name, port: (await children.subject(name)).port, echoes: name === 'udp-echo' })
    figures = await contest(contestants, signal)
  } finally {
    await children.end()
  }
  tell('name server: nsd, in a lab')
  const nsd = await insideLab(signal, tell)
  return [
    { ...against('Node UDP echo', figures, 'udp-echo'), goal: { atLeast: 0.95 } },
    { ...against('dns-packet responder', figures, 'dns-packet'), goal: { atLeast: 1.35 } },
    nsd ?? { ...ASKED, base: 'nsd' },
    await firstAnswer(tell),
  ]
}

/** A server of 127.0.0.1. */
export interface Contestant {
  readonly name: string
  readonly port: number
  /** It sends back what it gets. */
  readonly echoes?: boolean
}

/** Answers per second of each, round by round. */
export async function contest(
  contestants: readonly Contestant[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const figures = new Map<string, number[]>()
  for (let round = 0; round <= ROUNDS; round++)
    for (const { name, port, echoes = false } of round % 2 === 0 ? contestants : [...contestants].reverse()) {
      const perSecond = await asked(port, round === 0 ? WARM_UP : QUERIES, echoes, signal)
      if (round > 0) figures.set(name, [...(figures.get(name) ?? []), perSecond])
    }
  return figures
}

const ASKED = { name: 'name server: the same TLSA query again', unit: 'queries per second', by: 'ratio' } as const

/** The name server against another. */
export function against(base: string, figures: ReadonlyMap<string, readonly number[]>, name: string): Comparison {
  const own = figures.get('name-server') ?? []
  return { ...ASKED, base, against: pairedRatio(own, figures.get(name) ?? []), own: spread(own) }
}

/** The comparison with nsd, made by nsd-contest.ts; undefined where there is no lab, or no nsd to be had. */
async function insideLab(signal: AbortSignal, tell: (line: string) => void): Promise<Comparison | undefined> {
  const script = fileURLToPath(new URL('nsd-contest.js', import.meta.url))
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'pipe'], signal })
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  if (code === 0) return JSON.parse(stdout) as Comparison
  tell(`no nsd: ${stderr.trim().split('\n').at(-1)}`)
  return undefined
}

/** Answers per second. */
async function asked(port: number, queries: number, echoes: boolean, signal: AbortSignal): Promise<number> {
  const socket = createSocket('udp4')
  socket.connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const message = encodeMessage(queryFor(DNS_NAME, TYPE.TLSA, { edns: { do: true } }))
  try {
    const began = performance.now()
    await exchanged(socket, message, queries, echoes, signal)
    return (queries * 1000) / (performance.now() - began)
  } finally {
    socket.close()
  }
}

function exchanged(
  socket: Socket,
  message: Buffer,
  queries: number,
  echoes: boolean,
  signal: AbortSignal,
): Promise<void> {
  let sent = 0
  let heard = 0
  const send = (): void => {
    const query = Buffer.from(message)
    query.writeUInt16BE(sent & 0xffff)
    sent += 1
    socket.send(query)
  }
  return new Promise((resolve, reject) => {
    const over = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
    }
    const fail = (error: Error): void => {
      over()
      reject(error)
    }
    const abort = (): void => fail(new Error('interrupted'))
    const timer = setTimeout(() => fail(new Error(`${queries - heard} queries got no answer`)), PATIENCE_MS)
    signal.addEventListener('abort', abort)
    socket.once('error', fail)
    socket.on('message', (answer) => {
      heard += 1
      if (heard === 1 && !echoes && decodeMessage(answer).answers.length !== 2)
        fail(new Error('an answer is not a TLSA record and its signature'))
      if (sent < queries) send()
      if (heard < queries) return
      over()
      resolve()
    })
    for (let left = AT_ONCE; left > 0; left--) send()
  })
}

async function firstAnswer(tell: (line: string) => void): Promise<Comparison> {
  tell(`first signed answer of ${ZONES} zones`)
  const small: number[] = []
  const large: number[] = []
  for (let round = 0; round <= STARTS; round++) {
    const [one, many] = [await untilAnswer(1), await untilAnswer(ZONES)]
    if (round === 0) continue
    small.push(one)
    large.push(many)
  }
  return {
    name: `first signed answer of ${ZONES} zones`,
    ...{ unit: 'wall time', base: 'one zone', by: 'difference', goal: { atMost: 1000 } },
    ...{ against: pairedDifference(large, small), own: spread(large) },
  }
}

/** Milliseconds. */
async function untilAnswer(count: number): Promise<number> {
  const began = performance.now()
  const zones = Array.from({ length: count }, (_, at) => zone(`z${at}.test`, ['@ MX 10 mx', 'mx A 198.18.0.25']))
  const authority = new Authority({
    internet: await Internet.create(zones),
    log: undefined,
    now: () => 0,
    timeScale: 1,
  })
  const query = encodeMessage(queryFor('mx.z0.test', TYPE.A, { edns: { do: true } }))
  const [local, from] = [
    { address: '198.18.0.1', port: 53 },
    { address: '127.0.0.1', port: 1 },
  ]
  const answer = await new Promise<Buffer | 'close'>((resolve) => authority.receive(query, local, from, 'udp', resolve))
  const took = performance.now() - began
  authority.close()
  if (answer === 'close' || !decodeMessage(answer).answers.some(({ type }) => type === TYPE.RRSIG))
    throw new Error('the first answer is not signed')
  return took
}
