/** Where the capture of a cell lies in the folder of its run. */
import type { CellRecord } from '../../scenarios/record.ts'

/** `cells/strip/strip-ehlo-omit/may/curl/capture.pcapng`: no part of it can lead elsewhere, whatever a client is called. */
export function capturePath({ id }: Pick<CellRecord, 'id'>): string {
  const parts = id.split('/').map((part) => part.replace(/[^\w.@#+-]/g, '_').replace(/^\.+/, '_'))
  return ['cells', ...parts, 'capture.pcapng'].join('/')
}
