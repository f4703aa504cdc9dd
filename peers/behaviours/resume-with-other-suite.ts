/**
 * Resumes a session and names a cipher suite in the ServerHello that is not the session's, as IBM Domino did after its POODLE
 * fix. A client must stop: RFC 5246 §7.4.1.3, the suite is that of the session.
 *
 * What always holds: a full handshake is left alone, and so is a client that did not offer the other suite.
 */
import { z } from 'zod'
import { defineTlsBehaviour } from '../behaviour.ts'
import type { ClientHello } from '../tls/legacy/client-hello.ts'
import { passTls } from '../tls/legacy/layer.ts'
import { SUITES } from '../tls/legacy/suites.ts'

const NAMES = SUITES.map(({ name }) => name)

const parameters = z.strictObject({
  suite: z.enum(NAMES).default('AES256-SHA').describe('The cipher suite that is named, as OpenSSL calls it.'),
})

/** Message header, version and random, RFC 5246 §7.4.1.3. */
const TO_SESSION_ID = 4 + 2 + 32

export const behaviour = defineTlsBehaviour<z.infer<typeof parameters>>({
  id: 'resume-with-other-suite',
  title: 'Names another cipher suite in the ServerHello of a resumed session',
  source: ['RFC 5246 §7.4.1.3', 'IBM Domino 9.0.1 interim fix for TLS 1.0'],
  plane: 'tls',
  parameters,
  shapes: ['handshake'],
  hides: [],
  create({ suite }) {
    const other = SUITES.find(({ name }) => name === suite)?.id ?? 0
    let offered: ClientHello | undefined
    return {
      on(event) {
        if (event.type === 'hello') offered = event.hello
        if (event.type !== 'message' || event.from !== 'server' || event.name !== 'server-hello') return passTls(event)
        const length = event.bytes[TO_SESSION_ID] ?? 0
        const sessionId = event.bytes.subarray(TO_SESSION_ID + 1, TO_SESSION_ID + 1 + length)
        // A server that resumes sends the client's own id back; a new one is never the same.
        const resumed = length > 0 && offered?.sessionId.equals(sessionId) === true
        if (!resumed || !offered?.suites.includes(other)) return [event]
        const bytes = Buffer.from(event.bytes)
        bytes.writeUInt16BE(other, TO_SESSION_ID + 1 + length)
        return [
          { type: 'opportunity', detail: 'a session is resumed' },
          { type: 'fired', detail: `the ServerHello of the resumed session names ${suite}` },
          { ...event, bytes },
        ]
      },
    }
  },
})
