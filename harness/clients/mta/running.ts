/**
 * `smtp:HOST:PORT`: an MTA that somebody else has installed, configured and started, on this machine or in the lab that this
 * is in, and whose resolver is badmx's. badmx gives it messages by SMTP, and knows of it what crosses the wire and the bounces
 * that come home: it reads no log and no queue of it, sets none of its limits and asks for no attempt.
 */
import { createConnection } from 'node:net'
import { networkInterfaces } from 'node:os'
import { isLoopback } from '../../../peers/listener.ts'
import type {
  ClientAdapter,
  ClientStage,
  ClientWord,
  Delivery,
  PolicySupport,
  Probe,
  RunningClient,
} from '../../../scenarios/client.ts'
import type { Policy } from '../../../scenarios/policy.ts'
import type { Wire } from '../../../scenarios/wire.ts'
import { insideLab } from '../../lab/enter.ts'
import { LAB_PLAN, LOOPBACK_PLAN } from '../../lab/network.ts'
import { LabError } from '../../process/program.ts'
import { UserError } from '../../user-error.ts'
import { everyPolicy } from '../environment.ts'
import { Submission } from './submission.ts'
import { type VisitEnd, visit } from './visit.ts'

const PREFIX = 'smtp:'
/** Milliseconds for its greeting. */
const GREETING_MS = 20_000

interface Place {
  readonly address: string
  readonly port: number
}

/**
 * The client that a word names, or undefined where the word is none of this kind.
 *
 * @throws {UserError} for a place that is none, or not of this machine: whoever answers elsewhere could not reach the peers
 */
export function runningMta(word: string): ClientAdapter | undefined {
  if (!word.startsWith(PREFIX)) return undefined
  const place = placeOf(word)
  return {
    id: word,
    name: `the mail server at ${word.slice(PREFIX.length)}`,
    kind: 'queue',
    policies: everyPolicy(support),
    documented: { policy: 'none', source: 'unknown: badmx did not configure it' },
    passwords: false,
    namesPeers: true,
    resolves: true,
    probe: () => probe(place),
    start: async (stage) => {
      if (stage?.wire === undefined)
        throw new LabError(
          'client-start',
          'a mail server that runs already is judged by the wire, and none is seen',
          '',
        )
      return new RunningMta(place, stage, stage.wire)
    },
  }
}

function placeOf(word: string): Place {
  const found = /^smtp:(?:\[(?<six>[0-9a-f:.]+)\]|(?<four>[\d.]+)):(?<port>\d{1,5})$/i.exec(word)?.groups
  const address = found?.['six'] ?? found?.['four']
  const port = Number(found?.['port'])
  if (address === undefined || port < 1 || port > 65_535)
    throw new UserError(`--client: got "${word}", want smtp:ADDRESS:PORT, for example smtp:127.0.0.1:2525`)
  const own = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  if (isLoopback(address) || own.some((each) => each.address === address)) return { address, port }
  throw new UserError(
    `--client: ${address} is not an address of this machine, and a mail server elsewhere cannot reach the peers, which listen on loopback only`,
    'run badmx where the mail server runs: in the same machine, container or network namespace',
  )
}

function support(policy: Policy): PolicySupport {
  if (policy === 'default')
    return { unsupported: 'what an untouched one would do nobody knows here: name the policy that it is configured to' }
  return { options: 'as you have configured it, for all domains or for those that end in .POLICY.badmx.test' }
}

/** What it says of itself. */
function probe({ address, port }: Place): Promise<Probe> {
  return new Promise((resolve) => {
    const socket = createConnection(port, address)
    let said = ''
    const end = (trouble: string): void => {
      socket.destroy()
      const line = /^220[ -](.*?)\r?\n/.exec(said)?.[1]
      const install = `nothing sound answers at ${address} port ${port} (${trouble}): start it first`
      resolve(line === undefined ? { found: false, install } : { found: true, version: line })
    }
    socket.setTimeout(GREETING_MS, () => end('no greeting'))
    socket.on('error', (error) => end(error.message))
    socket.on('end', () => end('it closed the connection'))
    socket.on('data', (octets) => {
      said += octets.toString('latin1')
      if (said.includes('\n')) end(said.trim())
    })
  })
}

interface Submitted {
  /** Number of the cell's events when it was submitted, and when its last attempt was over. */
  readonly from: number
  readonly seen: number
}

class RunningMta implements RunningClient {
  readonly configuration: string
  private readonly wire: Wire
  private readonly submission: Submission
  private readonly policies: ReadonlyMap<string, Policy>
  private readonly messages = new WeakMap<Delivery, Submitted>()
  private readonly timeScale: number

  constructor({ address, port }: Place, stage: ClientStage, wire: Wire) {
    this.wire = wire
    this.timeScale = stage.timeScale
    this.submission = new Submission(address, port)
    this.policies = new Map(stage.foreseen.map(({ cell, policy }) => [cell, policy]))
    const resolver = insideLab() ? LAB_PLAN.resolver : LOOPBACK_PLAN.resolver
    this.configuration = [
      '# As its administrator has it: badmx has seen no file of it.',
      `# Messages are given to ${address} port ${port}; its resolver has to be ${resolver}.`,
      `# Its limits and its schedule are its own, and not divided by the time scale, ${stage.timeScale}.`,
      '# Messages that it could not deliver are left in its queue.',
      '',
    ].join('\n')
  }

  async deliver(delivery: Delivery, signal: AbortSignal): Promise<ClientWord> {
    const cannot = this.cannot(delivery)
    if (cannot !== undefined) return { state: 'unsupported', log: [], reason: cannot }
    const from = this.wire.eventsOf(delivery.cell).length
    this.messages.set(delivery, { from, seen: from })
    let reply: string
    try {
      reply = await this.submission.send(delivery, delivery.message)
    } catch (error) {
      throw new Error(`it did not take the message: ${(error as Error).message}`)
    }
    return this.attempt(delivery, reply, signal)
  }

  private cannot({ cell, policy, ciphers, clientCertificate }: Delivery): string | undefined {
    if (ciphers !== undefined)
      return 'the scenario sets the cipher suites of the client, and badmx configures nothing here'
    if (clientCertificate !== undefined)
      return 'the scenario sets a client certificate, and badmx configures nothing here'
    if (this.policies.get(cell) !== policy) return 'badmx cannot change its policy from one message to the next'
    return undefined
  }

  /** It comes back by itself, or not. */
  retry(delivery: Delivery, signal: AbortSignal): Promise<ClientWord> {
    return this.attempt(delivery, undefined, signal)
  }

  /** @param taken its reply to the submission, where that was just before */
  private async attempt(delivery: Delivery, taken: string | undefined, signal: AbortSignal): Promise<ClientWord> {
    const { cell, from: sender, deadlineMs } = delivery
    const { from, seen } = this.of(delivery)
    const end = await visit(this.wire, { cell, sender, from: taken === undefined ? seen : from, deadlineMs, signal })
    this.messages.set(delivery, { from, seen: this.wire.eventsOf(cell).length })
    return { log: taken === undefined ? [] : [taken], ...this.wordOf(end, deadlineMs, taken) }
  }

  private wordOf(end: VisitEnd, deadlineMs: number, taken: string | undefined): Omit<ClientWord, 'log'> {
    const within = `within ${Math.round(deadlineMs / 1000)} s`
    switch (end.how) {
      case 'accepted':
        return { state: 'unknown', reason: 'a peer accepted the message; what the client makes of it is not known' }
      case 'over':
        return {
          state: 'queued',
          reason: 'it took the message, delivered it to nobody, and no bounce came: it should have it still',
        }
      case 'notice': {
        const { action, reason } = end.notice
        if (action === 'failed') return { state: 'bounced', kind: 'permanent', reason }
        return { state: 'unknown', reason: `a notice came back that does not say that it failed (${action ?? reason})` }
      }
      case 'connected':
        if (this.timeScale === 1) return { state: 'hung', reason: `it was still connected ${within}` }
        return {
          state: 'unsupported',
          reason: `it was still connected after ${Math.round(deadlineMs / 1000)} s, and its limits are its own: --time-scale 1 waits as long as RFC 5321 has a client wait`,
        }
      case 'none':
        return {
          state: 'unknown',
          reason:
            taken === undefined
              ? `it did not come back ${within}, and no bounce came: whether it still has the message is not known`
              : `it took the message, asked badmx's resolver nothing and connected nowhere ${within}`,
        }
      case 'aborted':
        return { state: 'unknown', reason: 'the run was interrupted' }
    }
  }

  private of(delivery: Delivery): Submitted {
    const message = this.messages.get(delivery)
    if (message === undefined) throw new Error('the message was never submitted')
    return message
  }

  async stop(): Promise<void> {
    this.submission.close()
  }
}
