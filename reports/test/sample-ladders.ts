/** Two small ladders that have everything that a drawing has to show. */
import { buildLadder } from '../ladder/build.ts'
import type { Ladder } from '../ladder/rows.ts'
import { LogBuilder } from './sample-log.ts'
import { cell } from './sample-record.ts'

export const LEAK = cell({
  verdict: 'leak',
  reason: 'sent the password in clear after the EHLO reply without STARTTLS',
  outcome: { first: 'delivered-cleartext', final: 'delivered-cleartext' },
  expected: 'V|w:D',
  findings: [
    { flag: 'leak.credentials-clear', weight: 'leak', detail: 'password in AUTH PLAIN', conn: 'c1', offset: 28 },
  ],
})

/** STARTTLS is hidden, a pause, and a password in clear. */
export function stripped(): Ladder {
  const log = new LogBuilder(LEAK.id, { timeScale: 10 })
    .add({ type: 'attempt', state: 'begun', attempt: 1, cause: 'first' })
    .open('c1')
  log.at(2).peer('c1', '220 mx ESMTP\r\n').at(3).client('c1', 'EHLO client.test\r\n')
  const proof = { conn: 'c1', behaviour: 'hide-starttls', host: 'mx' } as const
  log.at(4).add({ type: 'opportunity', ...proof, detail: 'the EHLO reply' })
  log.add({
    type: 'fired',
    ...proof,
    detail: 'removed "250 STARTTLS"',
    data: Buffer.from('250-mx\r\n250 STARTTLS\r\n'),
  })
  log
    .peer('c1', '250 mx\r\n')
    .at(4004)
    .client('c1', `AUTH PLAIN ${Buffer.from('\0me\0passwordcanary01').toString('base64')}\r\n`)
  log
    .at(4010)
    .close('c1')
    .add({ type: 'client', attempt: 1, word: { state: 'delivered', exitCode: 0, log: ['< 250 ok'], reason: 'sent' } })
  return buildLadder(log.events, LEAK)
}

/** Behind a proxy, three lanes: TLS to the client, clear to the server; two connections. */
export function encrypted(): Ladder {
  const log = new LogBuilder(LEAK.id).open('p', { upstream: { address: '127.0.0.1', port: 25 } })
  log.bytes('p', 'upstream', 'in', 'tcp', '220 real\r\n').peer('p', '220 real\r\n')
  log.client('p', 'STARTTLS\r\n').peer('p', '220 go\r\n')
  log.at(5).add({
    type: 'tls',
    state: 'up',
    conn: 'p',
    side: 'client',
    version: 'TLSv1.3',
    cipher: 'AES',
    resumed: false,
    clientChain: [],
  })
  log.client('p', 'EHLO \u001b[2Ja\r\n', 'tls').at(6).peer('p', '250-mx\r\n250 OK\r\n', 'tls')
  log.bytes('p', 'upstream', 'out', 'tcp', 'QUIT\r\n').close('p').open('q').close('q')
  return buildLadder(log.events, cell())
}
