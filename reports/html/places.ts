/** The views of the page: each is an element with a place as its `id`, and the fragment of the URL names it. */
import type { CellRecord } from '../../scenarios/record.ts'
import { visible } from '../text.ts'

/** `cell/strip/strip-ehlo-omit/may/curl` */
export function cellPlace(cell: Pick<CellRecord, 'id'>): string {
  return `cell/${visible(cell.id)}`
}

/** `scenario/strip/strip-ehlo-omit` */
export function scenarioPlace(scenario: string): string {
  return `scenario/${visible(scenario)}`
}

/** `client/curl` */
export function clientPlace(client: string): string {
  return `client/${visible(client)}`
}

/** The matrix with a filter: `#?q=client%3Acurl`. */
export function queryPlace(key: string, value: string): string {
  const shown = visible(value)
  const quoted = /[\s",]/.test(shown) ? `"${shown.replaceAll('"', '')}"` : shown
  return `#?q=${encodeURIComponent(`${key}:${quoted}`)}`
}
