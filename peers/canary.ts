/**
 * Canaries in octets: each text in every form in which mail software carries it. Pure.
 *
 * The forms: as it is; in base64 at all three alignments (RFC 4648; so inside AUTH PLAIN, LOGIN and encoded bodies, also
 * with line breaks every 76 octets); in quoted-printable with soft line breaks (RFC 2045 §6.7).
 */

export interface CanaryText {
  readonly name: string
  readonly value: string
}

export interface CanaryHit {
  readonly name: string
  readonly form: 'plain' | 'base64' | 'quoted-printable'
  /** Octets from the start of what was searched. */
  readonly offset: number
}

/** The longest form of a canary in octets: how much of a stream has to be kept to find one across chunks. */
export function longestForm(canaries: readonly CanaryText[]): number {
  return canaries.reduce((most, { value }) => Math.max(most, value.length * 4), 0)
}

/** The fewest characters of base64 that are searched for: fewer stand in any text by chance. */
const SHORTEST_BASE64 = 6

/** The first hit of each canary in each form. A value without octets is nowhere. */
export function findCanaries(octets: Buffer, canaries: readonly CanaryText[]): CanaryHit[] {
  const hits: CanaryHit[] = []
  if (canaries.length === 0 || octets.length === 0) return hits
  const unfolded = unfold(octets)
  for (const { name, value } of canaries) {
    if (value === '') continue
    const plain = octets.indexOf(value, 0, 'latin1')
    if (plain !== -1) hits.push({ name, form: 'plain', offset: plain })
    else {
      const quoted = unfolded.soft.octets.indexOf(value, 0, 'latin1')
      if (quoted !== -1) hits.push({ name, form: 'quoted-printable', offset: unfolded.soft.origin(quoted) })
    }
    for (const form of base64Forms(value)) {
      if (form.length < SHORTEST_BASE64) continue
      const direct = octets.indexOf(form, 0, 'latin1')
      const offset = direct !== -1 ? direct : unfolded.hard.octets.indexOf(form, 0, 'latin1')
      if (offset === -1) continue
      hits.push({ name, form: 'base64', offset: direct !== -1 ? direct : unfolded.hard.origin(offset) })
      break
    }
  }
  return hits
}

/** The base64 of `value` at the three places it can have in a group of three octets, without what its neighbours decide. */
export function base64Forms(value: string): string[] {
  const octets = Buffer.from(value, 'latin1')
  return [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), octets])
      .toString('base64')
      .replace(/=+$/, '')
    const skipped = Math.ceil((before * 8) / 6)
    const whole = Math.floor(((before + octets.length) * 8) / 6)
    return text.slice(skipped, whole)
  })
}

interface Unfolded {
  readonly octets: Buffer
  /** The offset in the original of an offset in the unfolded octets. */
  origin(offset: number): number
}

/** Without quoted-printable soft line breaks, and without line breaks at all. */
function unfold(octets: Buffer): { soft: Unfolded; hard: Unfolded } {
  const text = octets.toString('latin1')
  return { soft: without(text, /=\r?\n/g), hard: without(text, /\r?\n/g) }
}

function without(text: string, pattern: RegExp): Unfolded {
  const cuts: { at: number; length: number }[] = []
  const rest = text.replace(pattern, (found, at: number) => {
    cuts.push({ at, length: found.length })
    return ''
  })
  return {
    octets: Buffer.from(rest, 'latin1'),
    origin(offset) {
      let moved = offset
      for (const cut of cuts) {
        if (cut.at > moved) break
        moved += cut.length
      }
      return moved
    },
  }
}
