/**
 * Answers DATA with 354 and then reads nothing more: a message that is larger than what the kernels hold stays where it is,
 * and the TCP window is zero.
 *
 * RFC 5321 §4.5.3.2.5 (three minutes for a block of data); RFC 9293 §3.8.6.1 (zero window).
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'

export const behaviour = defineBehaviour({
  id: 'stop-reading',
  title: 'Reads nothing more after the 354 to DATA',
  source: ['RFC 5321 §4.5.3.2.5', 'RFC 9293 §3.8.6.1'],
  plane: 'smtp',
  parameters: z.strictObject({}),
  shapes: ['data'],
  hides: ['quit'],
  create() {
    let asked: number | undefined
    return {
      on(event) {
        if (event.type === 'command' && event.verb === 'DATA') {
          asked = event.id
          return [{ type: 'opportunity', detail: 'DATA arrived' }, event]
        }
        if (event.type !== 'reply' || event.id !== asked || event.code !== 354) return passUnits(event)
        asked = undefined
        return [event, { type: 'stop-reading' }, { type: 'fired', detail: 'reads nothing more' }]
      },
    }
  },
})
