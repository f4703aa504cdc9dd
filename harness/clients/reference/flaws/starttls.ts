/** Flaws around STARTTLS: when it is used, what is carried over, and what is done when TLS does not come up. */
import { type Capabilities, NO_CAPABILITIES, readKeyword } from '../capabilities.ts'
import type { Failure } from '../failure.ts'
import type { FlawTable } from '../flaws.ts'
import { OWN_NAME } from '../job.ts'
import { assemble, readLine } from '../replies.ts'

export const STARTTLS_FLAWS: FlawTable = {
  'believe-injected-replies': {
    meaning:
      'keeps what it received before TLS and takes it for replies inside TLS; a LF ends a line, NULs are dropped',
    decide: {
      residue: (octets) => ({ replies: octets }),
      unasked: () => 'keep',
      lineEnd: 'crlf-or-lf',
      received: (octets) => Buffer.from(octets.filter((octet) => octet !== 0)),
    },
  },
  'keep-fragments': {
    meaning:
      'keeps an unfinished line from before TLS and reads the first reply inside TLS behind it, keywords and all',
    decide: {
      readKeyword: (line) => readKeyword(line, false),
      residue: (octets) => ({ replies: octets.subarray(octets.lastIndexOf('\n') + 1) }),
      unasked: (stage) => (stage === 'ehlo' ? 'keep' : 'fail'),
    },
  },
  'keep-pretls-capabilities': {
    meaning: 'goes on using what was offered before TLS, which wins over what is offered inside',
    decide: { capabilitiesInTls: bothOffers },
  },
  'other-name-in-tls': {
    meaning: 'gives another name in EHLO inside TLS than before',
    decide: { ownName: (secured) => (secured ? 'localhost.localdomain' : OWN_NAME) },
  },
  'no-second-ehlo': {
    meaning: 'sends no EHLO inside TLS and uses what was offered before',
    decide: { greetsInTls: false },
  },
  'starttls-twice': {
    meaning: 'sends STARTTLS once for each line that offers it, the second time inside TLS',
    decide: { repeatsStartTls: (before) => before.startTls > 1 },
  },
  'starttls-in-tls': {
    meaning: 'sends STARTTLS again inside TLS',
    decide: { repeatsStartTls: () => true },
  },
  'pipeline-after-starttls': {
    meaning: 'sends EHLO in clear right behind STARTTLS, without waiting for the 220',
    decide: { startTlsCommand: (name) => `STARTTLS\r\nEHLO ${name}` },
  },
  'command-after-220': {
    meaning: 'sends a command in clear between the 220 and the handshake',
    decide: { beforeHandshake: (name) => `EHLO ${name}\r\n` },
  },
  'accept-any-2xx-for-starttls': {
    meaning: 'starts TLS on any 2yz reply to STARTTLS',
    decide: { startTlsAnswer: (code) => (code < 300 ? 'go' : code < 400 ? 'broken' : 'refused') },
  },
  'accept-any-reply-for-starttls': {
    meaning: 'starts TLS whatever the server answers to STARTTLS, be it no reply at all',
    decide: {
      startTlsAnswer: () => 'go',
      readLine: (line, stage) =>
        stage === 'starttls' && !/^[2-5][0-9]{2}([ -]|$)/.test(line)
          ? { code: 0, more: false, text: line }
          : readLine(line, stage),
      assemble: (lines, stage) =>
        stage === 'starttls' ? { code: 0, lines: lines.map(({ text }) => text) } : assemble(lines, stage),
    },
  },
  'ignore-starttls-refusal': {
    meaning: 'goes on in clear when STARTTLS is refused, whatever the policy',
    decide: {
      afterRefusedStartTls: () => 'clear',
      startTlsAnswer: (code) => (code === 220 ? 'go' : 'refused'),
    },
  },
  'starttls-instead-of-implicit': {
    meaning: 'waits for a banner in clear where TLS begins on connect',
    decide: { startsInTls: () => false },
  },
  'ignore-starttls-offer': {
    meaning: 'does not see STARTTLS among what is offered',
    decide: {
      readKeyword: (line, first) => {
        const keyword = readKeyword(line, first)
        return keyword?.name === 'STARTTLS' ? undefined : keyword
      },
    },
  },
  'ignore-missing-starttls': {
    meaning: 'goes on in clear when STARTTLS is not offered, whatever the policy',
    decide: { withoutStartTls: () => 'clear' },
  },
  'helo-fallback': {
    meaning: 'says HELO when EHLO is refused and delivers in clear without a password, whatever the policy',
    decide: {
      afterRefusedEhlo: () => 'helo',
      withoutStartTls: ({ policy }, offered) => (policy === 'may' || offered === NO_CAPABILITIES ? 'clear' : 'fail'),
      withoutAuth: 'deliver',
    },
  },
  'reconnect-cleartext': {
    meaning: 'connects again in clear after TLS failed or the connection was lost, whatever the policy',
    decide: { afterFailure: (failure) => (brokenConnection(failure) ? 'reconnect-in-clear' : 'give-up') },
  },
  'no-server-name': {
    meaning: 'names no server in its ClientHello',
    decide: { sendsServerName: false },
  },
  'version-dance': {
    meaning: 'connects again with an older version of TLS after the handshake failed',
    decide: {
      afterFailure: ({ stage }) => (stage === 'handshake' ? 'reconnect-with-older-tls' : 'give-up'),
    },
  },
  'retry-plaintext-at-once': {
    meaning: 'connects again in clear at once after any failure',
    decide: { afterFailure: ({ kind }) => (kind === 'aborted' ? 'give-up' : 'reconnect-in-clear') },
  },
  'continue-cleartext-after-handshake-failure': {
    meaning: 'goes on in clear on the same connection when the handshake fails',
    decide: { afterFailedHandshake: 'same-connection' },
  },
  'cleartext-after-close-notify': {
    meaning: 'goes on in clear on the same connection when the server ends TLS',
    decide: { afterCloseNotify: 'same-connection', unasked: () => 'keep' },
  },
  'auth-in-clear': {
    meaning: 'sends the password without TLS',
    decide: { mayAuthenticate: () => true },
  },
  'auth-without-advertisement': {
    meaning: 'sends AUTH PLAIN whether or not AUTH is offered',
    decide: { chooseMechanism: () => 'PLAIN' },
  },
  'deliver-without-auth': {
    meaning: 'delivers without its password when AUTH is not possible',
    decide: { withoutAuth: 'deliver' },
  },
}

/** Keywords of both; where both have one, the words of both for AUTH, else those before TLS. */
function bothOffers(before: Capabilities, inside: Capabilities): Capabilities {
  const auth = [before, inside].map(({ keywords }) => keywords.get('AUTH') ?? '').join(' ')
  const keywords = new Map([...inside.keywords, ...before.keywords])
  return { keywords: auth === ' ' ? keywords : keywords.set('AUTH', auth), startTls: before.startTls }
}

/** Not a reply that says no, and no certificate: the connection or the handshake broke at EHLO, STARTTLS or in TLS. */
function brokenConnection({ kind, stage }: Failure): boolean {
  const broken =
    kind === 'lost' || kind === 'timeout' || kind === 'handshake' || kind === 'close-notify' || kind === 'protocol'
  return broken && stage !== 'connect' && stage !== 'banner'
}
