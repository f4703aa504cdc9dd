/** Flaws around sessions that are resumed: whose they are, what they prove, and what is done when one is refused. */
import { doubt } from '../chain.ts'
import type { FlawTable } from '../flaws.ts'

export const SESSION_FLAWS: FlawTable = {
  'sessions-of-any-policy': {
    meaning: 'offers a session under another policy than it was made under, and checks no certificate where it goes on',
    decide: { sessionName: ({ hostName }) => hostName, checksPeerOf: (handshake) => handshake !== 'resumed' },
  },
  'sessions-of-any-host': {
    meaning: 'offers the session of one mail host of a domain to another, and checks no certificate where it goes on',
    decide: {
      sessionName: ({ policy, hostName }) => `${policy} ${hostName.replace(/^[^.]*/, '')}`,
      checksPeerOf: (handshake) => handshake !== 'resumed',
    },
  },
  'sessions-of-refused-peers': {
    meaning: 'keeps the session of a peer whose certificate it refused, and checks none where it goes on',
    decide: { keepsSessionsOf: 'any', checksPeerOf: (handshake) => handshake !== 'resumed' },
  },
  'offered-session-is-proof': {
    meaning: 'checks no certificate where it offers a session, whether or not the session goes on',
    decide: { checksPeerOf: (handshake) => handshake === 'full' },
  },
  'certificate-in-every-handshake': {
    meaning: 'looks for the certificate of a resumed handshake, which has none, and refuses the peer',
    decide: { resumedPeer: (then) => ({ ...then, chain: [] }) },
  },
  'insist-on-session': {
    meaning: 'gives up when the server does not go on with the session that it offers',
    decide: { afterRefusedSession: 'fail' },
  },
  'recheck-dates-on-resumption': {
    meaning: 'refuses to go on with a session whose certificate has expired since it was made',
    decide: { resumedPeer: (then) => ({ ...then, refusal: then.refusal ?? doubt(then, ['validity']) }) },
  },
}
