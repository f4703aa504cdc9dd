/**
 * The sequencer at the client's end: replies leave in the order of their commands, whoever makes them (RFC 2920 §3.2: a
 * server keeps the order of pipelined commands). Pure.
 *
 * What always holds: no reply overtakes the final reply of an earlier command; a reply to a command that has already been
 * answered, or to none (id null), leaves at once; nothing is lost or sent twice.
 */
import type { Reply } from './units.ts'

export class Sequencer {
  /** Ids that still want a final reply, in order of arrival; 0 is the banner. */
  private readonly open: number[] = [0]
  /** Made with the first reply that has to wait: few sessions have one. */
  private waiting: Map<number, Reply[]> | undefined

  /** A command has arrived. */
  expect(id: number): void {
    this.open.push(id)
  }

  /** The replies that may leave now that this one is there. */
  offer(reply: Reply): readonly Reply[] {
    if (reply.id === null || !this.open.includes(reply.id)) return [reply]
    if (reply.id !== this.open[0]) {
      this.waiting ??= new Map()
      const kept = this.waiting.get(reply.id)
      if (kept === undefined) this.waiting.set(reply.id, [reply])
      else kept.push(reply)
      return []
    }
    if (!reply.last) return [reply]
    this.open.shift()
    const ready = [reply]
    for (let next = this.open[0]; next !== undefined; next = this.open[0]) {
      const kept = this.waiting?.get(next)
      if (kept === undefined) break
      this.waiting?.delete(next)
      ready.push(...kept)
      if (kept.at(-1)?.last !== true) break
      this.open.shift()
    }
    return ready
  }

  /** Forget every open command: the session starts afresh inside TLS. */
  reset(): void {
    this.open.length = 0
    this.waiting = undefined
  }
}
