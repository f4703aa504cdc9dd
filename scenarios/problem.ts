/** A mistake in a file that a person wrote: where it is, what is wrong, and what was probably meant. */

export interface Problem {
  readonly file: string
  /** Counted from 1. */
  readonly line: number
  /** Counted from 1, in characters. */
  readonly column: number
  /** The key that it is about, dotted: `hosts.mx.stack.0.use`; empty for the whole file. */
  readonly path: string
  readonly message: string
  readonly expected?: string
  readonly nearest?: string
}

/** A problem before its place in the file is known. */
export interface Finding {
  readonly path: readonly (string | number)[]
  /** True where the key itself is wrong and not its value. */
  readonly atKey?: boolean
  readonly message: string
  readonly expected?: string
  readonly nearest?: string
}

/** One line as a compiler writes it: `file:line:column: path: message; want …; did you mean …?` */
export function problemText(problem: Problem): string {
  const parts = [problem.path === '' ? problem.message : `${problem.path}: ${problem.message}`]
  if (problem.expected !== undefined) parts.push(`want ${problem.expected}`)
  if (problem.nearest !== undefined) parts.push(`did you mean "${problem.nearest}"?`)
  return `${problem.file}:${problem.line}:${problem.column}: ${parts.join('; ')}`
}

/** By file and place, equal ones once. */
export function sortProblems(problems: readonly Problem[]): readonly Problem[] {
  const byText = new Map(problems.map((problem) => [problemText(problem), problem]))
  return [...byText.values()].sort(
    (a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.column - b.column,
  )
}
