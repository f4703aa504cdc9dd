/**
 * Bulk in the legacy TLS engine, in this process: records sealed and opened with RC4-SHA and AES128-SHA, against what OpenSSL
 * itself needs for the same AES and the same HMAC on one long buffer, without records.
 */
import { createCipheriv, createHmac, randomBytes } from 'node:crypto'
import { connectionKeys } from '../../peers/tls/legacy/key-schedule.ts'
import { protect } from '../../peers/tls/legacy/protection.ts'
import { CONTENT, TLS12 } from '../../peers/tls/legacy/protocol.ts'
import { suiteByName } from '../../peers/tls/legacy/suites.ts'
import type { Comparison } from './contest.ts'
import { pairedRatio, spread } from './statistics.ts'

/** Rounds that count; the one before them warms up and does not. */
const ROUNDS = 11
const RECORD = 16 * 1024
const RECORDS = 512
const MEGABYTES = (RECORD * RECORDS) / 1e6

/** MB per second of CPU. */
function throughput(work: () => void): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return MEGABYTES / ((user + system) / 1e6)
}

function records(name: string): () => void {
  const suite = suiteByName(name)
  if (suite === undefined) throw new Error(`no suite ${name}`)
  const randoms = { client: randomBytes(32), server: randomBytes(32) }
  const keys = connectionKeys(TLS12, suite, randomBytes(48), randoms)
  const sending = protect(TLS12, suite, keys.server, randomBytes)
  const receiving = protect(TLS12, suite, keys.server, randomBytes)
  const plain = Buffer.alloc(RECORD, 'x')
  return () => {
    for (let count = 0; count < RECORDS; count++) {
      const { fragment } = sending.seal(CONTENT.applicationData, plain)
      receiving.open(CONTENT.applicationData, fragment)
    }
  }
}

/** As much of AES-128-CBC and HMAC-SHA-1 as sealing and opening take. */
function bareOpenssl(): void {
  const plain = Buffer.alloc(RECORD * RECORDS, 'x')
  for (let direction = 0; direction < 2; direction++) {
    createHmac('sha1', 'key').update(plain).digest()
    createCipheriv('aes-128-cbc', Buffer.alloc(16), Buffer.alloc(16)).update(plain)
  }
}

/** Rejects when `signal` says so. */
export async function bulk(signal: AbortSignal, tell: (line: string) => void): Promise<Comparison[]> {
  tell('TLS engines: bulk')
  const contestants = [
    ['bare', bareOpenssl],
    ['legacy engine: AES128-SHA, sealed and opened', records('AES128-SHA')],
    ['legacy engine: RC4-SHA, sealed and opened', records('RC4-SHA')],
  ] as const
  const figures = new Map<string, number[]>(contestants.map(([name]) => [name, []]))
  for (let round = 0; round <= ROUNDS; round++) {
    signal.throwIfAborted()
    for (const [name, work] of round % 2 === 0 ? contestants : [...contestants].reverse()) {
      const figure = throughput(work)
      if (round > 0) figures.get(name)?.push(figure)
    }
    // Ctrl-C is heard between rounds.
    await new Promise((next) => setImmediate(next))
  }
  const base = figures.get('bare') ?? []
  return [...figures]
    .filter(([name]) => name !== 'bare')
    .map(([name, own]) => ({
      name,
      unit: 'throughput',
      base: 'bare OpenSSL (AES)',
      by: 'ratio',
      against: pairedRatio(own, base),
      own: spread(own),
    }))
}
