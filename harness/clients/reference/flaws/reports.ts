/** Flaws in time limits and in what the client tells its caller. */
import { CORRECT } from '../decisions.ts'
import type { FlawTable } from '../flaws.ts'

const FOR_EVER = Number.POSITIVE_INFINITY
const PATIENCE_S = 30

export const REPORT_FLAWS: FlawTable = {
  'wait-forever': {
    meaning: 'has no time limits',
    decide: { stageLimit: () => FOR_EVER, attemptLimit: () => FOR_EVER },
  },
  'weak-bounded-wait': {
    meaning: 'starts its time limits anew with every octet that comes, so that a trickle holds it for ever',
    decide: { limits: 'octet', attemptLimit: () => FOR_EVER },
  },
  impatient: {
    meaning: `waits ${PATIENCE_S} s for any answer, where RFC 5321 §4.5.3.2 grants minutes`,
    decide: {
      stageLimit: (stage, timeScale) => Math.min(CORRECT.stageLimit(stage, timeScale), (PATIENCE_S * 1000) / timeScale),
    },
  },
  'bounce-at-once': {
    meaning: 'gives the message up for good when TLS fails',
    decide: {
      report: (word, failure) => (failure?.concernsTls ? { ...word, state: 'bounced', kind: 'permanent' } : word),
    },
  },
  'bounce-when-tls-vanishes': {
    meaning: 'gives the message up for good when a host that had TLS before does not offer it',
    decide: {
      withoutStartTls: (job, offered, memory) =>
        memory.tls.has(job.hostName) ? 'fail' : CORRECT.withoutStartTls(job, offered, memory),
      report: (word, failure, { policy }) =>
        failure?.kind === 'no-tls' && policy === 'may' ? { ...word, state: 'bounced', kind: 'permanent' } : word,
    },
  },
  'bounce-on-4yz': {
    meaning: 'gives the message up for good on a temporary refusal',
    decide: {
      report: (word, failure) =>
        failure?.kind === 'refused' && !failure.permanent ? { ...word, state: 'bounced', kind: 'permanent' } : word,
    },
  },
  'success-when-lost': {
    meaning:
      'takes the message for delivered when the connection is lost while it waits for a reply, or the reply to the final dot does not come',
    decide: {
      report: (word, failure) => {
        const silent = failure?.kind === 'timeout' && failure.stage === 'dot'
        const lost = failure?.kind === 'lost' || failure?.kind === 'close-notify' || silent
        if (!lost) return word
        const { kind: _kind, ...rest } = word
        return { ...rest, state: 'delivered', reason: 'delivered' }
      },
    },
  },
  'quit-decides': {
    meaning: 'reports a failure when its QUIT gets no answer, though the message was accepted',
    decide: { afterUnansweredQuit: 'fail' },
  },
  'report-success-always': {
    meaning: 'reports a delivery over verified TLS whatever happened',
    decide: {
      report: ({ kind: _kind, ...word }) => ({
        ...word,
        state: 'delivered',
        claims: { encrypted: true, verified: true },
        reason: 'delivered',
      }),
    },
  },
}
