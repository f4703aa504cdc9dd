/** The event log of the first cell of HOSTILE_RECORD: everywhere that a client or a server can write, hostile text. */
import type { LogEvent } from '../../scenarios/events.ts'
import { LogBuilder } from './sample-log.ts'
import { HOSTILE, HOSTILE_RECORD } from './sample-record.ts'

export function hostileLog(): readonly LogEvent[] {
  const id = HOSTILE_RECORD.cells[0]?.id ?? ''
  const log = new LogBuilder(id, { hostNames: { mx: HOSTILE }, client: HOSTILE, title: HOSTILE })
  const hello = {
    format: 'tls',
    recordVersion: 769,
    legacyVersion: 771,
    versions: [772],
    cipherSuites: [4865],
  } as const
  const lists = { groups: [], signatureAlgorithms: [], extensions: [], alpn: [HOSTILE] } as const
  log.add({ type: 'attempt', state: 'begun', attempt: 1, cause: 'first' } as never).open('c1', { host: HOSTILE })
  log.peer('c1', `220 ${HOSTILE}\r\n`).client('c1', `EHLO ${HOSTILE}\r\n`)
  log.add({ type: 'fired', conn: 'c1', behaviour: HOSTILE, host: HOSTILE, detail: HOSTILE, data: Buffer.from(HOSTILE) })
  log.peer('c1', `250 ${HOSTILE}\r\n`).at(9000).client('c1', `MAIL FROM:<${HOSTILE}>\r\n`)
  log.add({
    ...{ type: 'tls', state: 'hello', conn: 'c1', side: 'client', data: Buffer.from(HOSTILE) },
    hello: { ...hello, ...lists, serverName: HOSTILE },
  })
  log.add({ type: 'tls', state: 'presented', conn: 'c1', side: 'client', chain: [Buffer.from(HOSTILE)] })
  log.add({
    type: 'tls',
    state: 'up',
    conn: 'c1',
    side: 'client',
    version: HOSTILE,
    cipher: HOSTILE,
    resumed: false,
    clientChain: [],
  })
  log.add({ type: 'tls', state: 'failed', conn: 'c1', side: 'client', reason: HOSTILE, alert: HOSTILE })
  const address = { address: '127.0.0.1', port: 53 }
  log.add({
    type: 'dns',
    at: 'stub',
    direction: 'in',
    local: address,
    peer: address,
    transport: 'udp',
    data: Buffer.from(HOSTILE),
  })
  log.open('c2', { host: HOSTILE }).close('c2')
  log.add({ type: 'conn', state: 'closed', conn: 'c1', by: 'client', how: 'error', detail: HOSTILE })
  log.add({
    type: 'client',
    attempt: 1,
    word: { state: 'failed', log: [HOSTILE, HOSTILE], reason: HOSTILE, signal: HOSTILE },
  } as never)
  const [begun] = log.events
  return [
    {
      type: 'run',
      t: 0,
      schema: 'badmx/events/1',
      badmx: HOSTILE,
      seed: 1,
      startedAt: '2026-01-02T03:04:05.678Z',
      timeScale: 1,
      shard: HOSTILE,
      node: HOSTILE,
      openssl: HOSTILE,
      clients: [],
      plan: '',
      cells: [],
    },
    ...(begun === undefined ? [] : log.events),
  ]
}
