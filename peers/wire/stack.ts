/**
 * A row of layers and the way of units through it. Pure: everything that leaves the row goes to a sink.
 *
 * What always holds: outputs of a layer are routed in the order in which it returned them, each with all that follows
 * from it before the next; what a sink causes while it is called waits until the current event has been dealt with.
 */
import type { Layer, Unit, WireEvent, WireOutput } from './units.ts'

/** What leaves a stack. */
export interface StackSink {
  /** A reply, or bytes or eof from the server, that goes to the client. */
  toClient(unit: Unit): void
  /** A command or content, or bytes or eof from the client, that goes to the server. */
  toServer(unit: Unit): void
  /** Anything else that a layer asks for; `layer` is its index. */
  effect(output: Exclude<WireOutput, Unit>, layer: number): void
}

type Errand = { readonly event: WireEvent; readonly at: number }

export class Stack {
  private readonly layers: readonly Layer[]
  private readonly sink: StackSink
  /** Events that came while another was being dealt with, oldest first. */
  private readonly errands: Errand[] = []
  private running = false

  constructor(layers: readonly Layer[], sink: StackSink) {
    this.layers = layers
    this.sink = sink
  }

  /** A unit that came in at the client's end. */
  fromClient(unit: Unit): void {
    this.run({ event: unit, at: 0 })
  }

  /** A unit that came in at the server's end. */
  fromServer(unit: Unit): void {
    this.run({ event: unit, at: this.layers.length - 1 })
  }

  /** An event for every layer, outer layers first. */
  all(event: WireEvent): void {
    for (let at = 0; at < this.layers.length; at++) this.run({ event, at })
  }

  /** An event for one layer. */
  one(event: WireEvent, at: number): void {
    this.run({ event, at })
  }

  private run(errand: Errand): void {
    if (this.running) {
      this.errands.push(errand)
      return
    }
    this.running = true
    try {
      for (let next: Errand | undefined = errand; next !== undefined; next = this.errands.shift()) this.deliver(next)
    } finally {
      this.running = false
    }
  }

  private deliver({ event, at }: Errand): void {
    const layer = this.layers[at]
    if (layer === undefined) {
      if (at < 0) this.sink.toClient(event as Unit)
      else this.sink.toServer(event as Unit)
      return
    }
    for (const output of layer.on(event)) {
      const direction = directionOf(output)
      if (direction === 0) this.sink.effect(output as Exclude<WireOutput, Unit>, at)
      else this.deliver({ event: output as Unit, at: at + direction })
    }
  }
}

/** 1 for what goes to the server, -1 for what goes to the client, 0 for what does not travel. */
function directionOf(output: WireOutput): 1 | -1 | 0 {
  switch (output.type) {
    case 'command':
    case 'content':
      return 1
    case 'reply':
      return -1
    case 'bytes':
    case 'eof':
      return output.from === 'client' ? 1 : -1
    default:
      return 0
  }
}
