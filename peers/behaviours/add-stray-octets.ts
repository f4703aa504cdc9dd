/**
 * The CBC fault of Windows Server 2003 (KB938857, KB2984448): the record is right, but what is written to the socket has room for
 * the longest padding, so that up to a block of stray octets stands between this record and the next. The client reads the
 * reply, and meets them when it wants the next one: the EHLO inside TLS is answered, the connection dies after MAIL FROM. How
 * many there are depends on the length of the reply, so that it looks intermittent. RC4 pads nothing and is immune.
 *
 * That the octets stand between records is the model that explains the reports; Microsoft says no more than "corrupted".
 */
import { z } from 'zod'
import { defineTlsBehaviour } from '../behaviour.ts'
import { passTls, type RecordUnit } from '../tls/legacy/layer.ts'
import { CONTENT } from '../tls/legacy/protocol.ts'

const parameters = z.strictObject({
  content: z
    .enum(['random', 'zero', 'padding'])
    .default('random')
    .describe('What the stray octets are: random, zeros, or the value that padding would have.'),
})

export const behaviour = defineTlsBehaviour<z.infer<typeof parameters>>({
  id: 'add-stray-octets',
  title: 'Leaves octets between records where the padding of a CBC cipher is not the longest',
  source: ['Microsoft KB938857', 'Microsoft KB2984448', 'postfix-users 2014 (Exchange 2003)'],
  plane: 'tls',
  parameters,
  shapes: ['ehlo-in-tls', 'mail', 'rcpt', 'data', 'quit'],
  hides: [],
  create({ content }, { random }) {
    let told = false
    const strayFor = ({ padding, block }: RecordUnit): Buffer =>
      Buffer.from(
        Array.from({ length: block - padding }, () =>
          content === 'random' ? Math.floor(random() * 256) : content === 'zero' ? 0 : block - 1,
        ),
      )
    return {
      on(event) {
        if (event.type !== 'record' || event.content !== CONTENT.applicationData || event.block === 0)
          return passTls(event)
        const stray = strayFor(event)
        const first = !told
        told = true
        return [
          ...(first ? [{ type: 'opportunity', detail: 'the client took a CBC cipher' } as const] : []),
          ...(stray.length === 0
            ? []
            : [{ type: 'fired', detail: `${stray.length} stray octets behind a record` } as const]),
          { ...event, bytes: Buffer.concat([event.bytes, stray]) },
        ]
      },
    }
  },
})
