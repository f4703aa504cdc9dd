/** The families of the catalogue: their titles, and the words that the ids of their scenarios begin with. */
import { nearestName } from '../peers/nearest-name.ts'
import { FAMILIES } from './schema.ts'

export type Family = (typeof FAMILIES)[number]

interface FamilyText {
  readonly title: string
  /** First words of the ids: `ctl` of `ctl-tls13-pkix`. */
  readonly words: readonly string[]
}

export const FAMILY_TEXT: Readonly<Record<Family, FamilyText>> = {
  control: { title: 'Controls: what must work before any other result is believed', words: ['ctl'] },
  strip: { title: 'Stripping: the EHLO answer, the banner, the STARTTLS command and its reply', words: ['strip'] },
  smtp: { title: 'SMTP faults around TLS', words: ['smtp'] },
  inject: { title: 'Injection of commands and replies across the TLS switch', words: ['inject'] },
  tls: { title: 'TLS handshake faults after the 220', words: ['tls'] },
  legacy: { title: 'Legacy TLS stacks', words: ['legacy'] },
  cert: { title: 'Certificate faults', words: ['cert'] },
  'client-cert': { title: 'Client certificates', words: ['cc'] },
  resume: { title: 'Session resumption', words: ['resume'] },
  dns: { title: 'DNS, DNSSEC and DANE', words: ['dns', 'dane'] },
  'mta-sts': { title: 'MTA-STS', words: ['sts'] },
  tlsrpt: { title: 'TLS reporting', words: ['tlsrpt'] },
  requiretls: { title: 'REQUIRETLS', words: ['rtls', 'tlsrequired'] },
  mx: { title: 'Several mail hosts, failover, IPv6', words: ['mx'] },
  time: { title: 'Retries, back-off and fleets', words: ['time'] },
  post: { title: 'Faults after the TLS handshake', words: ['post'] },
  auth: { title: 'Leakage of credentials', words: ['auth'] },
  dos: { title: 'Attacks on resources', words: ['dos'] },
}

export function isFamily(word: string): word is Family {
  return (FAMILIES as readonly string[]).includes(word)
}

/** The family that an id says it is of, by its first word. */
export function familyOf(id: string): Family | undefined {
  const word = id.split('-', 1)[0] ?? ''
  return FAMILIES.find((family) => FAMILY_TEXT[family].words.includes(word))
}

/** The first words that ids can have, and the one nearest to that of `id`. */
export function familyWords(id: string): { readonly words: readonly string[]; readonly nearest?: string } {
  const words = FAMILIES.flatMap((family) => FAMILY_TEXT[family].words)
  const nearest = nearestName(id.split('-', 1)[0] ?? '', words)
  return nearest === undefined ? { words } : { words, nearest }
}
