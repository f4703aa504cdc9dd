/** An error that the person at the terminal can do something about: what is wrong, and the next step. Never a stack trace. */
export class UserError extends Error {
  override readonly name = 'UserError'
  readonly next: string | undefined
  /** 2: usage or configuration; 3: the harness or its surroundings. */
  readonly exitCode: 2 | 3

  constructor(message: string, next?: string, exitCode: 2 | 3 = 2) {
    super(message)
    this.next = next
    this.exitCode = exitCode
  }
}
