/** Answers with a header that counts more records than there are: no parser gets through. */
import { z } from 'zod'
import { defineFault } from '../fault.ts'
import { encodeMessage } from '../message.ts'

export const fault = defineFault({
  id: 'garble-header',
  title: 'Answers with counts that do not fit',
  source: ['danefail/list', 'RFC 1035 §4.1.1'],
  parameters: z.strictObject({}),
  respond({ answer }) {
    const octets = Buffer.from(encodeMessage(answer()))
    octets.writeUInt16BE(0xffff, 6)
    return { send: octets, detail: 'a header that counts 65535 answers' }
  },
})
