/** Flaws in the use of the password: when AUTH is sent, what is done when it is refused, and what the log gets of it. */
import { readKeyword } from '../capabilities.ts'
import type { FlawTable } from '../flaws.ts'
import type { Job } from '../job.ts'

export const PASSWORD_FLAWS: FlawTable = {
  'auth-before-starttls': {
    meaning: 'sends the password in clear where AUTH is offered there, and STARTTLS after it',
    decide: { authenticatesFirst: true, mayAuthenticate: () => true },
  },
  'pipeline-auth-after-starttls': {
    meaning: 'sends AUTH PLAIN in clear right behind STARTTLS, without waiting for its reply',
    decide: { startTlsCommand: (_, job) => `STARTTLS\r\nAUTH PLAIN ${initialResponse(job)}` },
  },
  'retry-with-weaker-mechanism': {
    meaning: 'takes SCRAM for safe in clear, and when that is refused tries PLAIN',
    decide: {
      mayAuthenticate: () => true,
      chooseMechanism: ({ keywords }) =>
        /\bSCRAM-SHA-256\b/i.test(keywords.get('AUTH') ?? '') ? 'SCRAM-SHA-256' : undefined,
      afterRefusedAuth: () => 'PLAIN',
    },
  },
  'answer-every-challenge': {
    meaning: 'answers every challenge of AUTH, however many come',
    decide: { strayChallenge: 'repeat' },
  },
  'no-auth-equals': {
    meaning: 'does not read the old form "AUTH=" of the keyword',
    decide: { readKeyword: (line, first) => (/^AUTH=/i.test(line) ? undefined : readKeyword(line, first)) },
  },
  'log-passwords': {
    meaning: 'writes its AUTH commands into its log as they go out',
    decide: { log: { secrets: true, escaped: true } },
  },
}

function initialResponse({ credentials }: Job): string {
  const { user, password } = credentials ?? { user: '', password: '' }
  return Buffer.from(`\0${user}\0${password}`, 'latin1').toString('base64')
}
