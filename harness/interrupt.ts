/** Ctrl-C and SIGTERM: the first asks everything to end and keeps what is done, the second ends the process at once. */

export function interruptible(): { readonly signal: AbortSignal; release(): void } {
  const controller = new AbortController()
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(130)
    process.stderr.write('\nbadmx: interrupted; ending what runs and writing what is done (again: at once)\n')
    controller.abort()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return {
    signal: controller.signal,
    release() {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
    },
  }
}
