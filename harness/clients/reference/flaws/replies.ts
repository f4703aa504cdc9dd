/** Flaws in reading what the server says: lines, replies, keywords, and what is taken for an answer. */
import { type Keyword, readKeyword } from '../capabilities.ts'
import { Crash, Failure, type Stage } from '../failure.ts'
import type { FlawTable } from '../flaws.ts'
import { assemble, type Reply, type ReplyLine, readLine } from '../replies.ts'

const FOR_EVER = Number.POSITIVE_INFINITY
const NUL = 0
const MANY_LINES = 100
const SHORT_BUFFER = 512
const HUGE_LINE = 1024 * 1024
/** Octets that are no printable ASCII. */
const GARBAGE = /[^\t\x20-\x7e]/

export const REPLY_FLAWS: FlawTable = {
  'stop-at-first-reply-line': {
    meaning: 'takes the first line of the reply to STARTTLS for all of it, and the other lines for TLS',
    decide: {
      readLine: (line, stage) => onlyLine(line, stage, 'starttls'),
      residue: (octets) => ({ tls: octets }),
    },
  },
  'one-line-banner': {
    meaning: 'takes the first line of the banner for all of it',
    decide: { readLine: (line, stage) => onlyLine(line, stage, 'banner') },
  },
  'refuse-bare-codes': {
    meaning: 'refuses a reply line that is a code alone',
    decide: {
      readLine: (line, stage) => {
        if (/^[0-9]{3}$/.test(line)) throw new Failure('protocol', stage, `the code ${line} without a text`)
        return readLine(line, stage)
      },
    },
  },
  'lose-partial-lines': {
    meaning: 'drops a line that has not arrived whole, as if a segment were a line',
    decide: { received: (octets) => octets.subarray(0, octets.lastIndexOf('\n') + 1) },
  },
  'first-lines-only': {
    meaning: `looks at the first ${MANY_LINES} lines of a reply only`,
    decide: { assemble: (lines, stage) => assemble(lines.slice(0, MANY_LINES), stage) },
  },
  'short-line-buffer': {
    meaning: `drops the rest of a reply after a line of more than ${SHORT_BUFFER} octets`,
    decide: {
      assemble: (lines, stage) => {
        const long = lines.findIndex(({ text }) => text.length + '250-\r\n'.length > SHORT_BUFFER)
        return assemble(long < 0 ? lines : lines.slice(0, long + 1), stage)
      },
    },
  },
  'truncate-at-nul': {
    meaning: 'takes a NUL as the end of what was received, and loses the rest',
    decide: {
      received: (octets) => (octets.includes(NUL) ? octets.subarray(0, octets.indexOf(NUL)) : octets),
    },
  },
  'ignore-nul': {
    meaning: 'drops NULs, so that START NUL TLS reads STARTTLS',
    decide: { received: withoutNul },
  },
  'stale-replies': {
    meaning: 'takes reply lines that were waiting already for the answer to its next command',
    decide: { unasked: () => 'keep' },
  },
  'believe-early-success': {
    meaning: 'takes a 250 that came before the message was sent for the answer to its final dot',
    decide: { unasked: (stage) => (stage === 'block' || stage === 'dot' ? 'keep' : 'fail') },
  },
  'ignore-banner-code': {
    meaning: 'takes any banner for a welcome',
    decide: { assemble: (lines, stage) => withCode(assemble(lines, stage), stage === 'banner' ? 220 : undefined) },
  },
  'ignore-refused-greeting': {
    meaning: 'goes on with MAIL when EHLO is refused',
    decide: {
      assemble: (lines, stage) => {
        const reply = assemble(lines, stage)
        return stage === 'ehlo' && reply.code >= 400 ? { code: 250, lines: [] } : reply
      },
    },
  },
  'any-2yz': {
    meaning: 'takes any 2yz reply to EHLO, MAIL and the final dot for the 250 that it wants',
    decide: {
      assemble: (lines, stage) => {
        const reply = assemble(lines, stage)
        const wants250 = stage === 'ehlo' || stage === 'mail' || stage === 'dot'
        return withCode(reply, wants250 && reply.code < 300 ? 250 : undefined)
      },
    },
  },
  'crash-on-garbage': {
    meaning: 'dies of an uncaught error when a reply or a handshake is garbage',
    decide: {
      readLine: (line, stage) => {
        if (GARBAGE.test(line)) throw new Crash(`cannot handle ${JSON.stringify(line.slice(0, 80))}`)
        return readLine(line, stage)
      },
      afterFailure: ({ kind }) => (kind === 'protocol' || kind === 'handshake' ? 'crash' : 'give-up'),
    },
  },
  'crash-on-bare-code': {
    meaning: 'dies of an uncaught error on a reply line of three or four octets',
    decide: {
      readLine: (line, stage) => {
        if (/^[0-9]{3}[ -]?$/.test(line)) throw new Crash(`reads behind the end of ${JSON.stringify(line)}`)
        return readLine(line, stage)
      },
    },
  },
  'crash-on-format-string': {
    meaning: 'dies of an uncaught error on a conversion like %n in a reply',
    decide: {
      readLine: (line, stage) => {
        if (/%n/.test(line)) throw new Crash('writes to where %n points')
        return readLine(line, stage)
      },
    },
  },
  'crash-on-odd-size': {
    meaning: 'dies of an uncaught error when the parameter of SIZE is no number of up to 20 digits',
    decide: {
      readKeyword: (line, first) => {
        const keyword = readKeyword(line, first)
        const odd = keyword?.name === 'SIZE' && !/^([0-9]{1,20})?$/.test(keyword.parameters)
        if (odd) throw new Crash(`SIZE ${keyword.parameters}`)
        return keyword
      },
    },
  },
  'endless-replies': {
    meaning: 'takes lines and replies of any length, and the silence between two octets for its only limit',
    decide: {
      longest: { line: FOR_EVER, reply: FOR_EVER },
      limits: 'octet',
      attemptLimit: () => FOR_EVER,
    },
  },
  'many-lines-cut-short': {
    meaning: `takes replies of any length and looks at their first ${MANY_LINES} lines`,
    decide: {
      longest: { line: FOR_EVER, reply: FOR_EVER },
      assemble: (lines, stage) => assemble(lines.slice(0, MANY_LINES), stage),
    },
  },
  'crash-on-long-line': {
    meaning: `dies of an uncaught error on a line of more than ${HUGE_LINE} octets`,
    decide: {
      longest: { line: HUGE_LINE, reply: FOR_EVER },
      afterFailure: ({ kind }) => (kind === 'protocol' ? 'crash' : 'give-up'),
    },
  },
  'continue-odd-lines': {
    meaning: 'takes a line without a code for one more line of the reply',
    decide: {
      readLine: (line, stage) =>
        /^[2-5][0-9]{2}([ -]|$)/.test(line) ? readLine(line, stage) : { code: 250, more: true, text: line },
    },
  },
  'raw-log': {
    meaning: 'copies the text of replies into its log as it came',
    decide: { log: { secrets: false, escaped: false } },
  },
  'answer-334-with-credentials': {
    meaning: 'answers any 334 with the user name and the password',
    decide: {
      answerStrayChallenge: ({ credentials }) =>
        credentials === undefined
          ? []
          : [Buffer.from(`\0${credentials.user}\0${credentials.password}`, 'utf8').toString('base64')],
    },
  },
  'case-sensitive-keywords': {
    meaning: 'knows EHLO keywords in upper case only',
    decide: { readKeyword: (line, first) => (first ? undefined : exactKeyword(line.replace(/^[ \t]+|[ \t]+$/g, ''))) },
  },
  'strict-ehlo-lines': {
    meaning: 'ignores STARTTLS on a line with anything else on it, be it a blank, and on the first line',
    decide: {
      readKeyword: (line, first) => {
        const keyword = first ? undefined : exactKeyword(line)
        const irregular = keyword !== undefined && /^STARTTLS$/i.test(keyword.name) && line.length > keyword.name.length
        return keyword === undefined || irregular ? undefined : { ...keyword, name: keyword.name.toUpperCase() }
      },
    },
  },
  'substring-keywords': {
    meaning: 'takes any line with STARTTLS in it for the offer, the greeting line and longer words too',
    decide: {
      readKeyword: (line, first) => {
        if (line.toUpperCase().includes('STARTTLS')) return { name: 'STARTTLS', parameters: '' }
        return first ? undefined : exactKeyword(line)
      },
    },
  },
  'no-esmtp-no-ehlo': {
    meaning: 'says HELO unless the banner says ESMTP',
    decide: { greetWith: (banner) => (/\bESMTP\b/i.test(banner.lines.join('\n')) ? 'EHLO' : 'HELO') },
  },
  'pix-mode': {
    meaning: 'says HELO when the banner is bare or masked with asterisks',
    decide: { greetWith: (banner) => (/^[ *02]*$/.test(banner.lines.join('')) ? 'HELO' : 'EHLO') },
  },
}

/** The reply with another code, where there is one. */
function withCode(reply: Reply, code: number | undefined): Reply {
  return code === undefined ? reply : { ...reply, code }
}

/** A reply of `at` ends with its first line. */
function onlyLine(line: string, stage: Stage, at: Stage): ReplyLine {
  const parsed = readLine(line, stage)
  return stage === at ? { ...parsed, more: false } : parsed
}

function withoutNul(octets: Buffer): Buffer {
  return Buffer.from(octets.filter((octet) => octet !== NUL))
}

/** The first word as it stands, with a single space behind it. */
function exactKeyword(line: string): Keyword {
  const end = line.indexOf(' ')
  return end < 0 ? { name: line, parameters: '' } : { name: line.slice(0, end), parameters: line.slice(end + 1) }
}
