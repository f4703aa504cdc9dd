/** `badmx strip`: the man in the middle at the command line. */
import type { Argv } from 'yargs'
import type { Behaviour, StackItem } from '../../peers/behaviour.ts'
import { loadBehaviours } from '../../peers/registry.ts'
import { interruptible } from '../interrupt.ts'
import { type StripOptions, strip } from '../strip.ts'
import { UserError } from '../user-error.ts'
import type { Command, Done } from './commands.ts'
import { endpoint, numberIn, personaOf } from './options.ts'

interface Given {
  readonly listen: string
  readonly target: string
  readonly behaviour?: string[]
  readonly persona?: string[]
  readonly per: 'connection' | 'client'
  readonly choose: 'round-robin' | 'seeded'
  readonly intercept?: 'untrusted' | 'self-signed' | 'test-ca'
  readonly upstream: 'tls' | 'clear'
  readonly name?: string
  readonly allowRemote: boolean
  readonly seed: number
  readonly timeScale: number
  readonly out?: string
}

const CERTIFICATES = { untrusted: 'untrusted-ca', 'self-signed': 'self-signed', 'test-ca': 'good' } as const

export function stripCommand(done: Done): Command {
  return {
    builder: (yargs: Argv) =>
      yargs
        .option('listen', { string: true, demandOption: true, requiresArg: true, describe: 'HOST:PORT for clients' })
        .option('target', {
          string: true,
          demandOption: true,
          requiresArg: true,
          describe: 'HOST:PORT of the real server',
        })
        .option('behaviour', {
          array: true,
          string: true,
          requiresArg: true,
          describe: 'ID or ID:key=value,key=value; + joins several into one vector; given again: another vector',
        })
        .option('persona', {
          array: true,
          string: true,
          requiresArg: true,
          describe:
            'the behaviours of a known product, as one vector (ID or ID:option=true; see `badmx list --personas`)',
        })
        .option('choose', {
          choices: ['round-robin', 'seeded'] as const,
          default: 'round-robin' as const,
          describe: 'how the next vector is chosen',
        })
        .option('per', {
          choices: ['connection', 'client'] as const,
          default: 'connection' as const,
          describe: 'whether a client address keeps its vector',
        })
        .option('intercept', {
          choices: ['untrusted', 'self-signed', 'test-ca'] as const,
          describe: 'terminate TLS with such a certificate instead of passing it through',
        })
        .option('upstream', {
          choices: ['tls', 'clear'] as const,
          default: 'tls' as const,
          describe: 'with --intercept: how to speak to the server',
        })
        .option('name', {
          string: true,
          requiresArg: true,
          describe: 'with --intercept: the name in the certificate (default: the target)',
        })
        .option('allow-remote', { boolean: true, default: false, describe: 'listen beyond loopback' })
        .option('seed', { number: true, default: 1, requiresArg: true, describe: 'for seeded choices' })
        .option('time-scale', { number: true, default: 1, requiresArg: true, describe: 'divide delays by this' })
        .option('out', {
          string: true,
          requiresArg: true,
          describe: 'folder for the event log (default badmx-out/<time>)',
        })
        .example('$0 strip --listen 127.0.0.1:2526 --target 127.0.0.1:2525 --behaviour hide-starttls', 'hide STARTTLS')
        .example(
          '$0 strip --listen :2526 --target 127.0.0.1:2525 --behaviour hide-starttls --behaviour refuse-starttls:code=454',
          'two vectors in turn',
        ) as unknown as Argv<object>,
    handler: async (given) => done(await handle(given as unknown as Given)),
  }
}

/** A vector for each behaviour option and each persona. @throws {UserError} */
async function vectorsOf({ behaviour = [], persona = [], intercept }: Given): Promise<(readonly StackItem[])[]> {
  const behaviours = await loadBehaviours()
  const personas = await Promise.all(persona.map(personaOf))
  const idle = personas.find(({ stack }) => stack.length === 0)
  if (idle !== undefined) {
    throw new UserError(
      `the persona ${idle.id} has no behaviours that a man in the middle could show`,
      '`badmx serve --persona` shows it as a server',
    )
  }
  const inTls = personas.find(({ stack }) => stack.some(({ use }) => behaviours.get(use)?.plane === 'record'))
  if (inTls !== undefined && intercept === undefined) {
    throw new UserError(
      `the persona ${inTls.id} shows itself in the handshake, and TLS passes through here`,
      'give --intercept, or see it as a server with `badmx serve --persona`',
    )
  }
  return [...behaviour.map((text) => vectorOf(text, behaviours)), ...personas.map(({ stack }) => stack)]
}

async function handle(given: Given): Promise<number> {
  const listen = endpoint(given.listen, '--listen')
  const target = endpoint(given.target, '--target')
  const vectors = await vectorsOf(given)
  if (vectors.length === 0 && given.intercept === undefined) {
    throw new UserError(
      'nothing to do to the sessions',
      'give --behaviour (see `badmx list --behaviours`), --persona or --intercept',
    )
  }
  const { intercept } = given
  const options: StripOptions = {
    listen,
    target,
    rotation: {
      vectors: vectors.length === 0 ? [[]] : vectors,
      per: given.per,
      order: given.choose,
    },
    ...(intercept === undefined
      ? {}
      : {
          intercept: {
            certificate: CERTIFICATES[intercept],
            toServer: given.upstream,
            name: given.name ?? target.address,
          },
        }),
    allowRemote: given.allowRemote,
    seed: numberIn(given.seed, 'seed', 0, 2 ** 32 - 1),
    timeScale: numberIn(given.timeScale, 'time-scale', 1, 1000, false),
    ...(given.out === undefined ? {} : { out: given.out }),
    line: (text) => process.stdout.write(`${text}\n`),
  }
  const { signal, release } = interruptible()
  try {
    const stripping = await strip(options)
    const { address, port } = stripping.peer
    process.stderr.write(
      `badmx: listening on ${address} port ${port}, in front of ${given.target}; events in ${stripping.folder.path}; Ctrl-C ends it\n`,
    )
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve()
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    await stripping.close()
    return 0
  } finally {
    release()
  }
}

/** `hide-starttls+refuse-starttls:code=502,text=no`. @throws {UserError} */
export function vectorOf(text: string, behaviours: ReadonlyMap<string, Behaviour>): StackItem[] {
  return text
    .split('+')
    .filter((part) => part !== '')
    .map((part) => {
      const colon = part.indexOf(':')
      if (colon === -1) return { use: part }
      const use = part.slice(0, colon)
      const given = part
        .slice(colon + 1)
        .split(',')
        .map((pair) => {
          const equals = pair.indexOf('=')
          if (equals < 1) throw new UserError(`--behaviour: got "${pair}" in "${part}", want key=value`)
          const key = pair.slice(0, equals)
          return [key, parameterValue(key, pair.slice(equals + 1), behaviours.get(use))]
        })
      return { use, with: Object.fromEntries(given) as Record<string, unknown> }
    })
}

/** JSON where it can be and the behaviour does not want the text: `visits=1` is a text, `code=454` is a number. */
function parameterValue(key: string, text: string, behaviour: Behaviour | undefined): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return text
  }
  const fits = (candidate: unknown): boolean => behaviour?.parameters.safeParse({ [key]: candidate }).success === true
  return !fits(value) && fits(text) ? text : value
}
