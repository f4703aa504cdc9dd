/** Words of the command line that several commands share, and their checks. */

import { nearestName } from '../../peers/nearest-name.ts'
import { type Persona, personaIds, readPersona } from '../../peers/personas.ts'
import { isPolicy, type Policy, RUNNABLE } from '../../scenarios/policy.ts'
import { UserError } from '../user-error.ts'

/** `a,b` and repeated options alike. @throws {UserError} where an option is given and says nothing, as `--only "$UNSET"`. */
export function words(value: readonly (string | number)[] | undefined, option: string): string[] {
  const found = (value ?? [])
    .flatMap((word) => String(word).split(','))
    .map((word) => word.trim())
    .filter((word) => word !== '')
  if (value !== undefined && found.length === 0) throw new UserError(`--${option}: got an empty text`)
  return found
}

/** @throws {UserError} for a word that is no policy, or one that this release cannot run. */
export function policiesOf(given: readonly string[]): Policy[] {
  return given.map((word) => {
    if (!isPolicy(word)) throw unknown('policy', word, RUNNABLE)
    if (!RUNNABLE.includes(word))
      throw new UserError(
        `the policy ${word} needs policy hosts (RFC 8461), which this release does not simulate yet`,
        `policies: ${RUNNABLE.join(', ')}`,
      )
    return word
  })
}

/** `exchange-2003`, or with an option of it `exchange-2003:kb948963=true`. @throws {UserError} for what is neither. */
export async function personaOf(text: string): Promise<Persona> {
  const [name = '', given] = text.split(/:(.*)/s)
  const known = await personaIds()
  if (!known.includes(name)) throw unknown('persona', name, known)
  const found = await readPersona(name)
  if (given === undefined) return found
  const [, option = '', value] = /^([^=]*)=(true|false)$/.exec(given) ?? []
  if (value === undefined) throw new UserError(`--persona: got "${given}" in "${text}", want OPTION=true`)
  const changed = found.options[option]
  if (changed === undefined) {
    const options = Object.keys(found.options)
    if (options.length > 0) throw unknown(`option of ${name}`, option, options)
    throw new UserError(`the persona ${name} has no options`, `take ${name} alone`)
  }
  return value === 'true' ? changed : found
}

/** `HOST:PORT`, `[::1]:25`, `:25`, `25`. @throws {UserError} */
export function endpoint(text: string, what: string): { address: string; port: number } {
  const found = /^(?:\[(?<six>[0-9a-f:.]+)\]:|(?<four>[^:]*):)?(?<port>\d{1,5})$/i.exec(text)
  const port = Number(found?.groups?.['port'] ?? Number.NaN)
  if (found === null || port > 65535)
    throw new UserError(`${what}: got "${text}", want HOST:PORT, for example 127.0.0.1:2526`)
  return { address: found.groups?.['six'] ?? (found.groups?.['four'] || '127.0.0.1'), port }
}

/** @throws {UserError} unless it is a number within the limits. */
export function numberIn(value: number, name: string, least: number, most: number, whole = true): number {
  if (!Number.isFinite(value) || value < least || value > most || (whole && !Number.isInteger(value))) {
    throw new UserError(`--${name}: got ${value}, want a ${whole ? 'whole ' : ''}number from ${least} to ${most}`)
  }
  return value
}

/** What is wrong with a word, and what there is. */
export function unknown(what: string, word: string, names: readonly string[]): UserError {
  const nearest = nearestName(word, names)
  return new UserError(
    `there is no ${what} "${word}"${nearest === undefined ? '' : `; did you mean "${nearest}"?`}`,
    `there are: ${names.join(', ')}`,
  )
}

/** Colour for a person at a terminal, unless they said otherwise. */
export function wantsColor(): boolean {
  return process.stdout.isTTY === true && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb'
}

export function width(): number {
  return process.stdout.columns ?? 100
}
