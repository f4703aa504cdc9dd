/**
 * A cell of the catalogue, `D>C|C|D`, as data: what it allows, and whether an observed delivery is among it. Pure.
 *
 * Grammar (white space is not allowed):
 *
 *     cell        = "-" / choice / choice "~" choice     ; without "~" with a cached MTA-STS policy (RFC 8461 §5.1)
 *     choice      = alternative *("|" alternative)
 *     alternative = ["w:"] letter [">" letter]           ; w: tolerated but flagged; a>b first attempt a, in the end b
 *     letter      = "V" / "U" / "C" / "D" / "B"
 *
 * What always holds: an alternative without `>` speaks of the first attempt and of the end alike; no letter stands for
 * crashed, hung or lost, which no cell can allow.
 */
import type { FinalOutcome } from '../record.ts'

/** Verified, unauthenticated TLS, cleartext, deferred or failed to the caller, bounced. */
export type Letter = 'V' | 'U' | 'C' | 'D' | 'B'

export interface Alternative {
  readonly tolerated: boolean
  readonly first: Letter
  /** Equal to `first` where the alternative has no `>`. */
  readonly final: Letter
  /** As written: `w:C`, `D>C`. */
  readonly text: string
}

export type Expectation =
  | { readonly kind: 'not-planned' }
  | { readonly kind: 'choice'; readonly alternatives: readonly Alternative[] }
  /** Depends on whether the client has a cached MTA-STS policy. */
  | { readonly kind: 'cached'; readonly without: readonly Alternative[]; readonly with: readonly Alternative[] }

export type ExpectationParse =
  | { readonly ok: true; readonly expectation: Expectation }
  /** `position` counts characters from 0. */
  | { readonly ok: false; readonly position: number; readonly message: string }

const LETTERS = 'VUCDB'

/** Reads a cell; an error tells where it is and what would have been right there. */
export function parseExpectation(text: string): ExpectationParse {
  if (text === '-') return { ok: true, expectation: { kind: 'not-planned' } }
  const reader = new Reader(text)
  const first = reader.choice()
  if (reader.error !== undefined) return reader.error
  if (reader.take('~')) {
    const second = reader.choice()
    if (reader.error !== undefined) return reader.error
    if (!reader.done) return reader.fail('the end of the cell')
    return { ok: true, expectation: { kind: 'cached', without: first, with: second } }
  }
  if (!reader.done) return reader.fail('"|", ">", "~" or the end of the cell')
  return { ok: true, expectation: { kind: 'choice', alternatives: first } }
}

/** Undefined for a cell that can be read; else one line with the position and what was expected. */
export function checkExpectation(text: string): string | undefined {
  const parse = parseExpectation(text)
  return parse.ok ? undefined : `character ${parse.position + 1} of "${text}": ${parse.message}`
}

type Failure = Extract<ExpectationParse, { ok: false }>

class Reader {
  private readonly text: string
  private at = 0
  error: Failure | undefined

  constructor(text: string) {
    this.text = text
  }

  get done(): boolean {
    return this.at === this.text.length
  }

  take(word: string): boolean {
    if (!this.text.startsWith(word, this.at)) return false
    this.at += word.length
    return true
  }

  fail(expected: string): Failure {
    const got = this.done ? 'the end' : `"${this.text[this.at]}"`
    this.error ??= { ok: false, position: this.at, message: `got ${got}, want ${expected}` }
    return this.error
  }

  choice(): Alternative[] {
    const alternatives: Alternative[] = []
    do {
      const begin = this.at
      const tolerated = this.take('w:')
      const first = this.letter(tolerated ? 'one of V U C D B' : 'one of V U C D B, or "w:"')
      const final = this.take('>') ? this.letter('one of V U C D B') : first
      if (first === undefined || final === undefined) break
      alternatives.push({ tolerated, first, final, text: this.text.slice(begin, this.at) })
    } while (this.take('|'))
    return alternatives
  }

  private letter(expected: string): Letter | undefined {
    const letter = this.text[this.at]
    if (letter === undefined || !LETTERS.includes(letter)) {
      this.fail(expected)
      return undefined
    }
    this.at += 1
    return letter as Letter
  }
}

/** The alternatives that hold for a client; none for a cell that is not planned. */
export function alternativesOf(expectation: Expectation, cachedPolicy = false): readonly Alternative[] {
  if (expectation.kind === 'not-planned') return []
  if (expectation.kind === 'choice') return expectation.alternatives
  return cachedPolicy ? expectation.with : expectation.without
}

/** The letter of an outcome; undefined for those that no cell can allow and for `unknown`. */
export function letterOf(outcome: FinalOutcome): Letter | undefined {
  switch (outcome) {
    case 'delivered-verified':
      return 'V'
    case 'delivered-unauthenticated-tls':
      return 'U'
    case 'delivered-cleartext':
      return 'C'
    case 'deferred':
      return 'D'
    case 'bounced':
      return 'B'
    default:
      return undefined
  }
}

const STRENGTH: Readonly<Record<Letter, number>> = { C: 1, U: 2, V: 3, D: 0, B: 0 }

/** True for V, U and C. */
export function delivers(letter: Letter): boolean {
  return STRENGTH[letter] > 0
}

/** True when delivery `a` is protected less than delivery `b`. */
export function weaker(a: Letter, b: Letter): boolean {
  return STRENGTH[a] < STRENGTH[b]
}

/** What was seen of one message. */
export interface Seen {
  readonly first: Letter
  /** `unknown` when the run was limited to fewer attempts than the client would make. */
  readonly final: Letter | 'unknown'
  readonly oneShot: boolean
}

export type Match =
  | { readonly matched: true; readonly by: Alternative }
  /** `stage`: where the observation left the cell; `got` and `allowed` speak of that stage. */
  | {
      readonly matched: false
      readonly stage: 'first' | 'final'
      readonly got: Letter
      readonly allowed: readonly Letter[]
    }

/**
 * Finds the alternative that allows what was seen; one without `w:` wins. A failure reported by a one-shot client
 * satisfies D, and B too (it has no queue: giving up is its caller's); for it, and where the end is unknown, the prefix of
 * a sequence is enough (catalogue §3.4).
 */
export function match(alternatives: readonly Alternative[], seen: Seen): Match {
  const { first, final, oneShot } = seen
  const same = (allowed: Letter, got: Letter): boolean => allowed === got || (oneShot && got === 'D' && allowed === 'B')
  const begun = alternatives.filter((alternative) => same(alternative.first, first))
  if (begun.length === 0)
    return unmatched(
      'first',
      first,
      alternatives.map((alternative) => alternative.first),
    )
  // A client with a queue may defer where that is allowed, and come back for what would have been allowed at once.
  const later = begun.some((each) => each.first === 'D' && each.final === 'D')
    ? alternatives.filter((alternative) => first === 'D' && same(alternative.first, final as Letter))
    : []
  const prefixIsEnough = final === 'unknown' || (oneShot && first === 'D' && final === 'D')
  const ended = [...begun.filter((alternative) => prefixIsEnough || same(alternative.final, final as Letter)), ...later]
  const by = ended.find((alternative) => !alternative.tolerated) ?? ended[0]
  if (by !== undefined) return { matched: true, by }
  return unmatched(
    'final',
    final as Letter,
    begun.map((alternative) => alternative.final),
  )
}

function unmatched(stage: 'first' | 'final', got: Letter, allowed: readonly Letter[]): Match {
  return { matched: false, stage, got, allowed: [...new Set(allowed)] }
}
