/**
 * Which instance of an MTA has which cells. One has nearly all; cells that leave a message to the MTA's own schedule go to
 * another, whose clock is moved. Of an MTA that a peer can end or block, each family of scenarios has one of its own: most
 * of what can do that is in few families, and what they take along has to be run again.
 */
import type { ClientStage, Foreseen } from '../../../scenarios/client.ts'
import type { Layer } from '../../lab/layer.ts'
import { Counter } from './counter.ts'
import type { MtaDefinition } from './definition.ts'
import { Instance } from './instance.ts'
import { OwnSchedule } from './own-schedule.ts'

export class Counters {
  private readonly definition: MtaDefinition
  private readonly stage: ClientStage
  private readonly layer: Layer
  private readonly leftAlone: ReadonlySet<string>
  private readonly counters = new Map<string, Counter>()

  constructor(definition: MtaDefinition, stage: ClientStage, layer: Layer) {
    this.definition = definition
    this.stage = stage
    this.layer = layer
    this.leftAlone = new Set(stage.foreseen.filter(isLeftAlone).map(({ cell }) => cell))
  }

  /** The cell leaves its message to the MTA's own schedule, and the clock of this MTA cannot be moved. */
  lacksClock(cell: string): boolean {
    return this.leftAlone.has(cell) && this.definition.looksEverySeconds === undefined
  }

  /** Of cells that do not wait for its schedule, where there are any. */
  get usual(): Counter {
    const { foreseen } = this.stage
    return this.of((foreseen.find((each) => !isLeftAlone(each)) ?? foreseen[0])?.cell ?? '')
  }

  of(cell: string): Counter {
    const every = this.leftAlone.has(cell) ? this.definition.looksEverySeconds : undefined
    const key = every !== undefined ? 'untouched' : this.definition.fragile === true ? (cell.split('/')[0] ?? '') : ''
    const counter =
      this.counters.get(key) ??
      new Counter(async () => {
        const { definition, layer } = this
        if (every === undefined)
          return { instance: await Instance.start(definition, this.stageFor(false), layer, 'scaled') }
        const instance = await Instance.start(definition, this.stageFor(true), layer, 'untouched')
        return { instance, schedule: new OwnSchedule(instance, every) }
      })
    this.counters.set(key, counter)
    return counter
  }

  private stageFor(leftAlone: boolean): ClientStage {
    return { ...this.stage, foreseen: this.stage.foreseen.filter((each) => isLeftAlone(each) === leftAlone) }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.counters.values()].map((counter) => counter.stop()))
  }
}

function isLeftAlone({ horizonSeconds }: Foreseen): boolean {
  return horizonSeconds !== undefined
}
