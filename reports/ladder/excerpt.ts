/** The rows of a ladder that a picture has room for: a session that floods has thousands. */
import type { LadderRow } from './rows.ts'

/** So many rows were left out here. */
export interface LeftOut {
  readonly kind: 'left-out'
  readonly rows: number
}

/** Rows that are drawn from the start, and from the end. */
const HEAD = 90
const TAIL = 30

/** All rows, or the first and the last with what was left out between them, counted. */
export function excerpt(rows: readonly LadderRow[]): readonly (LadderRow | LeftOut)[] {
  const left = rows.length - HEAD - TAIL
  if (left < 2) return rows
  return [...rows.slice(0, HEAD), { kind: 'left-out', rows: left }, ...rows.slice(-TAIL)]
}
