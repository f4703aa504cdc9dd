/**
 * Ends the TCP connection instead of answering: as near to a refused TCP port as one name server of many on one address
 * can come. Over UDP it does nothing.
 */
import { z } from 'zod'
import { defineFault } from '../fault.ts'

export const fault = defineFault({
  id: 'close-connection',
  title: 'Ends TCP connections without an answer',
  source: ['RFC 7766 §6.2.3', 'RFC 5966 §1'],
  parameters: z.strictObject({}),
  respond: ({ transport }) =>
    transport === 'udp' ? undefined : { send: 'close', detail: 'ended the connection without an answer' },
})
