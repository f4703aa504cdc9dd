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
  const { soft, hard } = unfold(octets)
  for (const { name, value, base64 } of soughtOf(canaries)) {
    const plain = octets.indexOf(value, 0, 'latin1')
    if (plain !== -1) hits.push({ name, form: 'plain', offset: plain })
    else if (soft !== undefined) {
      const quoted = soft.octets.indexOf(value, 0, 'latin1')
      if (quoted !== -1) hits.push({ name, form: 'quoted-printable', offset: soft.origin(quoted) })
    }
    for (const form of base64) {
      const direct = octets.indexOf(form, 0, 'latin1')
      const folded = direct !== -1 || hard === undefined ? -1 : hard.octets.indexOf(form, 0, 'latin1')
      if (direct === -1 && folded === -1) continue
      hits.push({ name, form: 'base64', offset: direct !== -1 ? direct : (hard?.origin(folded) ?? folded) })
      break
    }
  }
  return hits
}

interface Sought extends CanaryText {
  /** The forms in base64 that are long enough to be searched for. */
  readonly base64: readonly string[]
}

/** The same canaries are searched for in every chunk of a connection. */
const SOUGHT = new WeakMap<readonly CanaryText[], readonly Sought[]>()

function soughtOf(canaries: readonly CanaryText[]): readonly Sought[] {
  const before = SOUGHT.get(canaries)
  if (before !== undefined) return before
  const sought = canaries
    .filter(({ value }) => value !== '')
    .map(({ name, value }) => {
      return { name, value, base64: base64Forms(value).filter(({ length }) => length >= SHORTEST_BASE64) }
    })
  SOUGHT.set(canaries, sought)
  return sought
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

/** Without quoted-printable soft line breaks, and without line breaks at all; undefined where there are none of the kind. */
function unfold(octets: Buffer): { readonly soft?: Unfolded; readonly hard?: Unfolded } {
  if (!octets.includes(LF)) return {}
  const text = octets.toString('latin1')
  const hard = without(text, /\r?\n/g)
  return SOFT_BREAKS.some((each) => octets.includes(each)) ? { soft: without(text, /=\r?\n/g), hard } : { hard }
}

const LF = 0x0a
const SOFT_BREAKS = ['=\r\n', '=\n']

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
