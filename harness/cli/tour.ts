/** `badmx tour`, which `npm start` gives: what badmx does, in less than a minute, with the clients that are here. */
import type { Argv } from 'yargs'
import { gate } from '../../reports/gate.ts'
import { renderTerminal } from '../../reports/terminal.ts'
import type { ClientAdapter } from '../../scenarios/client.ts'
import type { Scenario } from '../../scenarios/scenario.ts'
import { allScenarios } from '../catalogue.ts'
import { knownClients } from '../clients/index.ts'
import { interruptible } from '../interrupt.ts'
import { progressLine } from '../progress.ts'
import { run } from '../run.ts'
import type { Command, Done } from './commands.ts'
import { wantsColor, width } from './options.ts'
import { JOBS, TIME_SCALE } from './run-command.ts'

/** The client that comes with badmx and sees every critical and high scenario. */
const BUILT_IN = 'nodemailer'

/** What tells most about a client, for those that happen to be on the machine. */
export const TELLING: readonly string[] = [
  'control/ctl-selfsigned',
  'strip/strip-ehlo-omit',
  'strip/strip-ehlo-omit-passthrough',
  'strip/strip-ehlo-case-lower',
  'strip/strip-ehlo-502',
  'strip/strip-ehlo-beyond-512',
  'strip/strip-ehlo-after-final',
  'strip/strip-banner-asterisks',
  'strip/strip-cmd-noop',
  'strip/strip-reply-454',
  'strip/strip-reply-554',
  'strip/strip-reply-334',
  'strip/strip-reply-multiline-bad',
  'strip/strip-220-then-plain',
  'strip/strip-220-then-rst',
  'strip/strip-close-notify',
  'inject/inject-reply-single',
  'inject/inject-reply-ehlo',
  'inject/inject-reply-full',
  'inject/inject-fragment',
  'inject/inject-before-starttls-reply',
  'cert/cert-expired',
  'cert/cert-untrusted-ca',
  'cert/cert-wrong-name',
  'cert/cert-leaf-as-ca',
]

export function tourCommand(done: Done): Command {
  return {
    builder: (yargs: Argv) => yargs as Argv<object>,
    handler: async () => done(await tour()),
  }
}

async function tour(): Promise<number> {
  const scenarios = await allScenarios()
  const { here, missing } = await look()
  const { signal, release } = interruptible()
  const progress = progressLine()
  try {
    const result = await run({
      scenarios,
      clients: here,
      policies: ['may', 'encrypt', 'verify'],
      only: [],
      chosen: belongsToTour,
      seed: 1,
      timeScale: TIME_SCALE,
      jobs: JOBS,
      capture: false,
      repeat: 1,
      known: [],
      gate: {},
      signal,
      progress: progress.step,
    })
    progress.end()
    const fullRun = `npx badmx run --client ${here.map((client) => client.id).join(',')} --policy none,may,encrypt,verify,implicit`
    process.stdout.write(
      renderTerminal(result.record, {
        color: wantsColor(),
        width: width(),
        files: result.formats,
        findingsAreFine: true,
        fullRun,
        show: (cell) => `npx badmx show latest ${cell.id}`,
      }),
    )
    if (missing.length > 0) process.stdout.write(`\nNot on this machine: ${missing.join('; ')}\n`)
    if (signal.aborted) return 130
    // What the clients do wrong is the point of the tour, not its failure.
    return gate(result.record).exitCode === 3 ? 3 : 0
  } finally {
    progress.end()
    release()
  }
}

/** Whether the tour runs a scenario against a client. */
export function belongsToTour(scenario: Scenario, client: string): boolean {
  if (client !== BUILT_IN) return TELLING.includes(scenario.name)
  return scenario.severity === 'critical' || scenario.severity === 'high'
}

/** The known clients that are on this machine, the built-in one first. */
async function look(): Promise<{ here: ClientAdapter[]; missing: string[] }> {
  const here: ClientAdapter[] = []
  const missing: string[] = []
  for (const client of await knownClients()) {
    if (client.id === 'reference') continue
    const probe = await client.probe()
    if (!probe.found) missing.push(`${client.name} (${probe.install})`)
    else if (client.id === BUILT_IN) here.unshift(client)
    else here.push(client)
  }
  return { here, missing }
}
