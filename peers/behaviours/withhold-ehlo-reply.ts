/**
 * Keeps the reply to the first EHLO (or HELO) inside TLS back for a while and watches: a client that sends a command in
 * that time has taken a reply which the server never gave. This is how injected replies are decided (the catalogue's
 * withheld EHLO reply): the firing marks the beginning, a second one, `released …`, the end.
 *
 * What always holds: nothing that came too early reaches the server, QUIT apart; from the first such command on every other
 * one is refused with 503, so that no message is accepted in that session and a client that reports success has lost it.
 */
import { z } from 'zod'
import { defineBehaviour } from '../behaviour.ts'
import { passUnits } from '../wire/termination.ts'
import { type Command, NOTHING, type Reply, replyTo, type WireOutput } from '../wire/units.ts'

const parameters = z.strictObject({
  withholdMs: z
    .int()
    .min(100)
    .max(60_000)
    .default(3000)
    .describe(
      'How long, in milliseconds of the wall clock (the client under test has one of its own), 100 to 60000. ' +
        'Less than clients wait, so that one that believes nothing goes on when it ends.',
    ),
})

export const behaviour = defineBehaviour<z.infer<typeof parameters>>({
  id: 'withhold-ehlo-reply',
  title: 'Withholds the EHLO reply inside TLS and watches for commands',
  source: ['NO STARTTLS (USENIX Security 2021): B_1', 'RFC 3207 §4.2'],
  plane: 'smtp',
  parameters,
  shapes: ['ehlo-in-tls'],
  hides: [],
  create({ withholdMs }) {
    let state: 'before' | 'withheld' | 'released' = 'before'
    let greeting: Command | undefined
    let hasty = false
    const kept: Reply[] = []
    const early: Command[] = []

    const refuse = (command: Command): Command | Reply =>
      command.verb === 'QUIT'
        ? command
        : replyTo(command, 503, '5.5.1 This command came before the reply that it rests on')
    const release = (): WireOutput[] => {
      state = 'released'
      const count = early.length === 0 ? 'no command' : early.map(({ verb }) => verb || 'an empty line').join(', ')
      return [
        {
          type: 'fired',
          detail: `released the ${greeting?.verb ?? 'EHLO'} reply after ${withholdMs} ms; ${count} came before`,
        },
        ...kept,
        ...early.map(refuse),
      ]
    }
    return {
      on(event) {
        if (event.type === 'wake') return state === 'withheld' ? release() : NOTHING
        if (
          event.type === 'command' &&
          state === 'before' &&
          event.secured &&
          (event.verb === 'EHLO' || event.verb === 'HELO')
        ) {
          state = 'withheld'
          greeting = event
          return [
            { type: 'opportunity', detail: `${event.verb} arrived inside TLS` },
            { type: 'fired', detail: `withheld the ${event.verb} reply` },
            { type: 'wake-me', alarm: 'release', afterMs: withholdMs, clock: 'wall' },
            event,
          ]
        }
        if (event.type === 'reply' && state === 'withheld' && event.id === greeting?.id) {
          kept.push(event)
          return NOTHING
        }
        if (event.type === 'command' && state !== 'before') {
          if (state === 'withheld') {
            early.push(event)
            if (event.verb !== 'QUIT') hasty = true
            return NOTHING
          }
          return hasty ? [refuse(event)] : [event]
        }
        if (event.type === 'content' && hasty) return NOTHING
        return passUnits(event)
      },
    }
  },
})
