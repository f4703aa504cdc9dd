/** What the client asked its resolver, each question with its answer, as rows of a ladder. Pure. */

import type { DnsCrossed } from '../../peers/events.ts'
import type { LogEvent } from '../../scenarios/events.ts'
import type { Placed } from '../../scenarios/judge/transcript.ts'
import { briefAnswer, messageOf, questionText } from '../dns-text.ts'
import { clip, visible } from '../text.ts'

/** Where a row belongs, and what it says. */
export interface LookUp {
  readonly seq: number
  readonly at: number
  readonly text: string
}

/** `at` is the time of the answer; of the last question where there was none. */
export function lookUpsOf(own: readonly Placed<LogEvent>[]): readonly LookUp[] {
  const told: LookUp[] = []
  /** Questions without an answer yet: a question that is sent again is one with its first. */
  const waiting = new Map<string, LookUp>()
  for (const { event, seq } of own) {
    if (event.type !== 'dns' || event.at !== 'stub') continue
    const read = messageOf(event)
    if (read === undefined) continue
    const key = `${placeOf(event)} ${read.id} ${questionText(read)}`
    if (!read.qr) waiting.set(key, { seq, at: event.t, text: row(`${questionText(read)}: no answer came`) })
    else {
      waiting.delete(key)
      told.push({ seq, at: event.t, text: row(briefAnswer(event, read)) })
    }
  }
  return [...told, ...waiting.values()]
}

function placeOf({ peer, transport }: DnsCrossed): string {
  return `${transport} ${peer.address}:${peer.port}`
}

function row(text: string): string {
  return `DNS ${clip(visible(text), 300)}`
}
