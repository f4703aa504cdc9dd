/** For the tests: the same questions to our name server and to another with the same zones, and where the answers differ. */
import { Authority } from '../../../peers/dns/authority.ts'
import { Internet } from '../../../peers/dns/internet.ts'
import {
  decodeMessage,
  encodeMessage,
  type Message,
  queryFor,
  type ResourceRecord,
} from '../../../peers/dns/message.ts'
import { canonical } from '../../../peers/dns/name.ts'
import { rcodeText, TYPE, typeNumber, typeText } from '../../../peers/dns/numbers.ts'
import { rdataText } from '../../../peers/dns/rdata-text.ts'
import { drawer, ZONES } from '../../../peers/dns/testing/drawn-questions.ts'
import { exchange } from '../../../peers/dns/testing/stub.ts'
import type { Layer } from '../layer.ts'
import { startOther } from './name-servers.ts'

/** Other servers do not take NSEC3 with 200 iterations, or algorithms that they do not know. */
const OWN = ZONES.filter(({ origin }) => !/(^|\.)(costly|unknown)\.test$/.test(origin))

export interface Compared {
  readonly questions: number
  /** Of our answers: `NOERROR`, `NXDOMAIN`, and `referral`. */
  readonly kinds: readonly string[]
  readonly differences: readonly { readonly question: string; readonly ours: string; readonly theirs: string }[]
}

export async function compareWith(layer: Layer, count: number): Promise<Compared> {
  const internet = await Internet.create(OWN)
  const authority = new Authority({ internet, log: undefined, now: () => 0, timeScale: 1 })
  const other = await startOther(layer, internet, '127.0.0.1')
  const draw = drawer(20_261_128, 'others', OWN)
  const differences: Compared['differences'][number][] = []
  const kinds = new Set<string>()
  try {
    for (let left = count; left > 0; left--) {
      const [name, type] = draw()
      const query = encodeMessage(queryFor(name, typeNumber(type) ?? 0, { id: 1, rd: false, edns: { do: true } }))
      const theirs = await exchange({ address: other.address, port: 53 }, query, 'tcp')
      const ours = await new Promise<Buffer | 'close'>((resolve) => {
        const [local, from] = [
          { address: '198.18.0.1', port: 53 },
          { address: '127.0.0.1', port: 1 },
        ]
        authority.receive(query, local, from, 'tcp', resolve)
      })
      if (theirs === undefined || ours === 'close') throw new Error(`no answer to ${name} ${type}`)
      const [own, others] = [decodeMessage(ours), decodeMessage(theirs)]
      kinds.add(isReferral(own) ? 'referral' : rcodeText(own.rcode))
      if (shown(own) !== shown(others))
        differences.push({ question: `${name} ${type}`, ours: shown(own), theirs: shown(others) })
    }
  } finally {
    authority.close()
    await other.close()
  }
  return { questions: count, kinds: [...kinds].sort(), differences }
}

function isReferral({ aa, authorities }: Message): boolean {
  return !aa && authorities.some(({ type }) => type === TYPE.NS)
}

/**
 * What must be the same: the code, AA, the answer, and what proves it. TTLs of denials are left to the server; the NS records
 * of the zone beside an answer are a courtesy.
 */
function shown(message: Message): string {
  const { rcode, aa, answers, authorities } = message
  const kept = isReferral(message) ? authorities : authorities.filter((each) => !isNs(each))
  return [`${rcodeText(rcode)}${aa ? ' AA' : ''}`, ...lines(answers), 'authority', ...lines(kept)].join('\n')
}

function isNs({ type, data }: ResourceRecord): boolean {
  return type === TYPE.NS || (type === TYPE.RRSIG && data.readUInt16BE(0) === TYPE.NS)
}

/** Names within the data as signatures see them: Knot has them all in lower case (RFC 4034 §6.2). */
function lines(records: readonly ResourceRecord[]): readonly string[] {
  const dataText = ({ type, data }: ResourceRecord): string => {
    const text = rdataText(type, data)
    return NAMED.has(type) ? text.toLowerCase() : text
  }
  return records.map((each) => `${canonical(each.name)} ${typeText(each.type)} ${dataText(each)}`).sort()
}

const NAMED: ReadonlySet<number> = new Set([TYPE.MX, TYPE.CNAME, TYPE.DNAME, TYPE.NS, TYPE.SOA])
