/** An event log that cannot be read: what was wrong, where, and what was expected there. */
export class LogError extends Error {
  readonly want: string

  /** `got` with its place, `file:line: …`, where it has one. */
  constructor(got: string, want: string) {
    super(`${got}; want ${want}`)
    this.name = 'LogError'
    this.want = want
  }
}
