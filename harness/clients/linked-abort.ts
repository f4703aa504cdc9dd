/**
 * One signal out of several, and a deadline. In place of `AbortSignal.any` and `AbortSignal.timeout`: in Node 20 what these
 * return can be collected as garbage while somebody still waits for it, and then never aborts.
 */

import { setMaxListeners } from 'node:events'

export interface LinkedAbort {
  readonly signal: AbortSignal
  /** Lets go of the sources and the deadline; always call it. */
  release(): void
}

/** @param afterMs milliseconds after which it aborts by itself; never where absent. */
export function linkedAbort(sources: readonly AbortSignal[], afterMs?: number): LinkedAbort {
  const controller = new AbortController()
  const abort = (): void => controller.abort()
  // Each delivery under way listens to the same sources: no leak, and no warning of Node's is wanted on stderr.
  setMaxListeners(0, ...sources)
  for (const source of sources) {
    if (source.aborted) abort()
    else source.addEventListener('abort', abort)
  }
  const timer = afterMs === undefined ? undefined : setTimeout(abort, afterMs)
  return {
    signal: controller.signal,
    release() {
      clearTimeout(timer)
      for (const source of sources) source.removeEventListener('abort', abort)
    },
  }
}
