/** For the tests of the legacy engine: an RSA certificate, and Node's client in front of an engine without any socket. */

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { generate } from 'selfsigned'
import type { TlsBehaviour } from '../behaviour.ts'
import type { Certificate } from '../peer.ts'
import { octets, seeded } from '../random.ts'
import { type EngineOutput, LegacyEngine } from '../tls/legacy/engine.ts'
import type { TlsLayer } from '../tls/legacy/layer.ts'
import { type LegacyTlsInput, legacyTlsSchema } from '../tls/legacy/options.ts'
import { LegacyServer } from '../tls/legacy/server.ts'

let made: Promise<Certificate> | undefined

/** Self-signed, RSA, 2048 bits; one for a test file. */
export function rsaCertificate(): Promise<Certificate> {
  made ??= makeRsa()
  return made
}

async function makeRsa(): Promise<Certificate> {
  const { cert, private: keyPem } = await generate([{ name: 'commonName', value: 'mx.badmx.test' }], {
    algorithm: 'sha256',
    keySize: 2048,
  })
  const der = Buffer.from(cert.replace(/-----[^-]+-----|\s/g, ''), 'base64')
  return { id: 'good', certPem: cert, keyPem, chain: [der], detail: 'self-signed, RSA' }
}

export interface ServerExtras {
  readonly certificate?: Certificate
  readonly clientCertificate?: 'request' | 'require'
  readonly authorities?: readonly Buffer[]
}

export async function legacyServer(options: LegacyTlsInput = {}, extras: ServerExtras = {}): Promise<LegacyServer> {
  const { certificate = await rsaCertificate(), authorities = [], ...rest } = extras
  const { chain, keyPem } = certificate
  return new LegacyServer({ options: legacyTlsSchema.parse(options), chain, keyPem, authorities, ...rest })
}

/** Randomness that is the same each time for the same label. */
export function randomOctets(label: string): (length: number) => Buffer {
  const draw = seeded(1, label)
  return (length) => octets(draw, length)
}

/** What an engine said and heard in a session with a client. */
export class Conversation extends Duplex {
  readonly engine: LegacyEngine
  readonly outputs: EngineOutput[] = []
  /** What the client sent, write by write. */
  readonly sent: Buffer[] = []

  constructor(engine: LegacyEngine) {
    super({ decodeStrings: true })
    this.engine = engine
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.sent.push(chunk)
    this.perform(this.engine.receive(chunk))
    done()
  }

  override _final(done: () => void): void {
    this.perform(this.engine.end())
    done()
  }

  perform(outputs: readonly EngineOutput[]): void {
    for (const output of outputs) {
      this.outputs.push(output)
      if (output.type === 'send') this.push(output.bytes)
      else if (output.type === 'end' && output.how !== 'stall') this.push(null)
      if (output.type === 'up' || output.type === 'end') this.emit('settled')
    }
  }

  of<Type extends EngineOutput['type']>(type: Type): Extract<EngineOutput, { type: Type }>[] {
    return this.outputs.filter((output): output is Extract<EngineOutput, { type: Type }> => output.type === type)
  }

  /** All plaintext of the client. */
  get heard(): string {
    return Buffer.concat(this.of('data').map(({ bytes }) => bytes)).toString('latin1')
  }
}

export interface Talk {
  readonly conversation: Conversation
  readonly client: TLSSocket
  /** The error of the client, where its handshake failed. */
  readonly error?: NodeJS.ErrnoException
}

/** Node's client in front of an engine, until its handshake is over or has failed. Old versions and suites are allowed. */
export async function talk(
  server: LegacyServer,
  options: ConnectionOptions = {},
  layers: readonly TlsLayer[] = [],
  label = 'talk',
  keylog: (line: string) => void = () => {},
): Promise<Talk> {
  const conversation = new Conversation(new LegacyEngine(server, randomOctets(label), layers))
  const client = connect({
    socket: conversation as unknown as Socket,
    rejectUnauthorized: false,
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.2',
    ciphers: 'ALL:COMPLEMENTOFALL@SECLEVEL=0',
    servername: 'mx.badmx.test',
    ...options,
  })
  client.on('keylog', (line: Buffer) => keylog(line.toString('latin1').trim()))
  // At the end of a resumption the client is done before the server is.
  const settled = once(conversation, 'settled')
  settled.catch(() => {})
  try {
    await once(client, 'secureConnect')
    await settled
    return { conversation, client }
  } catch (error) {
    return { conversation, client, error: error as NodeJS.ErrnoException }
  }
}

/** Sends text from the engine and waits until the client has it; then the other way round. What each side got. */
export async function exchange({ conversation, client }: Talk, text: string): Promise<readonly [string, string]> {
  let got = ''
  const whole = new Promise<void>((resolve, reject) => {
    client.on('error', reject)
    client.on('close', () => reject(new Error('closed')))
    client.on('data', (chunk: Buffer) => {
      got += chunk.toString('latin1')
      if (got.length >= text.length) resolve()
    })
  })
  conversation.perform(conversation.engine.write(Buffer.from(text, 'latin1')))
  await whole
  const before = conversation.heard.length
  await new Promise<void>((resolve) => client.write(Buffer.from(text, 'latin1'), () => resolve()))
  return [got, conversation.heard.slice(before)]
}

export function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** A layer of `behaviour`; `parameters` are parsed by its schema, so that its defaults hold. */
export function tlsLayerOf<Parameters>(behaviour: TlsBehaviour<Parameters>, parameters: unknown = {}): TlsLayer {
  return behaviour.create(behaviour.parameters.parse(parameters), {
    visit: 1,
    random: seeded(1, behaviour.id),
    clientAddress: '198.18.0.1',
    hostName: 'mx.badmx.test',
    memory: new Map(),
  })
}

/** `opportunity the client offers 65 cipher suites`, `fired …`, in order. */
export function proofsOf({ conversation }: Talk): string[] {
  return conversation.outputs.flatMap((output) =>
    output.type === 'opportunity' || output.type === 'fired' ? [`${output.type} ${output.detail}`] : [],
  )
}
