/** A flag before it is weighed, where its evidence stands, and how a client's words stand in it. */
import type { Flag } from './flag-table.ts'

export interface Raised {
  readonly flag: Flag
  /** One line of evidence. */
  readonly detail: string
  readonly conn?: string
  readonly atMs?: number
  readonly offset?: number
}

/** The place of an entry of the transcript. */
export function placeOf(entry: { readonly conn: string; readonly t: number; readonly offset?: number }) {
  const { conn, t, offset } = entry
  return { conn, atMs: t, ...(offset === undefined ? {} : { offset }) }
}

/** A verb as it can stand in a report. */
export function printed(verb: string): string {
  return /^[A-Z]{2,12}$/.test(verb) ? verb : 'a line that is no command'
}
