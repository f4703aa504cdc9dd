/**
 * What a sound server offers in its EHLO reply, in clear and inside TLS (RFC 5321 §4.1.1.1, RFC 3207 §4.2). Stands between
 * the behaviours and the server, so that a scenario can say exactly what is offered when. Pure.
 */
import { passUnits } from './termination.ts'
import { type Layer, replyLines, replyTo } from './units.ts'

export interface Offer {
  /** Keywords with parameters, in order: `SIZE 10485760`. STARTTLS is added by {@link Offer.starttls}. */
  readonly beforeTls: readonly string[]
  readonly afterTls: readonly string[]
  /** STARTTLS is offered, last, outside TLS. A peer without it refuses the command with 502. */
  readonly starttls: boolean
}

/** What a sound peer offers; AUTH only inside TLS, and only where the client has a password (RFC 4954 §4, §9). */
export function soundOffer(starttls: boolean, passwords: boolean): Offer {
  const keywords = ['PIPELINING', '8BITMIME', 'SMTPUTF8', 'ENHANCEDSTATUSCODES', 'SIZE 104857600']
  return { beforeTls: keywords, afterTls: passwords ? [...keywords, 'AUTH PLAIN LOGIN'] : keywords, starttls }
}

export function offerExtensions(offer: Offer): Layer {
  const asked = new Set<number>()
  return {
    on(event) {
      if (event.type === 'command') {
        if (event.verb === 'EHLO') asked.add(event.id)
        if (event.verb === 'STARTTLS' && !offer.starttls && !event.secured) {
          return [replyTo(event, 502, '5.5.1 Command not implemented')]
        }
      }
      if (event.type === 'reply' && event.id !== null && asked.delete(event.id) && event.code === 250) {
        const greeting = replyLines(event)[0] ?? ''
        const keywords = event.secured ? offer.afterTls : [...offer.beforeTls, ...(offer.starttls ? ['STARTTLS'] : [])]
        return [{ ...replyTo({ id: event.id, secured: event.secured }, 250, greeting, ...keywords) }]
      }
      return passUnits(event)
    },
  }
}
