/** Flaws in reading what the server says: lines, replies, keywords, and what is taken for an answer. */
import type { Keyword } from '../capabilities.ts'
import { Crash, Failure, type Stage } from '../failure.ts'
import type { FlawTable } from '../flaws.ts'
import { assemble, type ReplyLine, readLine } from '../replies.ts'

const NUL = 0
const MANY_LINES = 100
const SHORT_BUFFER = 512
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
