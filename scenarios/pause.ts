/** Waits so many milliseconds, or until the run is interrupted. */
export function pause(limitMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (limitMs <= 0 || signal.aborted) return resolve()
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, limitMs)
    signal.addEventListener('abort', done)
  })
}
