/**
 * Reads only the first cipher suites of a ClientHello: 64 as Windows Server 2003 does, 128 as old Cisco ASAs. A client whose
 * common suites stand further back has nothing in common with such a server.
 *
 * What always holds: a hello with no more suites than that gives no opportunity; the rest of the hello is read as it is.
 */
import { z } from 'zod'
import { defineTlsBehaviour } from '../behaviour.ts'
import { passTls } from '../tls/legacy/layer.ts'

const parameters = z.strictObject({
  suites: z.int().min(1).max(1000).default(64).describe('How many cipher suites are read, signalling values included.'),
})

export const behaviour = defineTlsBehaviour<z.infer<typeof parameters>>({
  id: 'read-first-suites',
  title: 'Reads only the first cipher suites of the ClientHello',
  source: ['postfix-users 2014 (Exchange 2003, 64 suites)', 'nmap ssl-enum-ciphers', 'Postfix TLS_README'],
  plane: 'tls',
  parameters,
  shapes: ['handshake'],
  hides: [],
  create({ suites }) {
    return {
      on(event) {
        if (event.type !== 'hello' || event.hello.suites.length <= suites) return passTls(event)
        const offered = event.hello.suites.length
        return [
          { type: 'opportunity', detail: `the client offers ${offered} cipher suites` },
          { type: 'fired', detail: `read the first ${suites} of ${offered} cipher suites` },
          { type: 'hello', hello: { ...event.hello, suites: event.hello.suites.slice(0, suites) } },
        ]
      },
    }
  },
})
