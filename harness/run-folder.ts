/**
 * The folder of a run: `badmx-out/<time>-<random>` and the link `badmx-out/latest`, or the folder that the user named.
 * Events are written as they happen; reports are written whole, beside their place first and then moved there, so that no
 * half-written report is ever found.
 */
import { randomBytes } from 'node:crypto'
import { createWriteStream, type WriteStream } from 'node:fs'
import { access, mkdir, readdir, rename, rm, rmdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { encodeEvent } from '../peers/events.ts'
import { EVENTS_SCHEMA, type ServingBegun } from '../scenarios/events.ts'
import { UserError } from './user-error.ts'
import { VERSION } from './version.ts'

const ROOT = 'badmx-out'

/** Where `badmx show latest` looks. */
export const LATEST = join(ROOT, 'latest')

export class RunFolder {
  readonly path: string
  private readonly stream: WriteStream
  private readonly written: string[] = []
  private failure: Error | undefined
  /** Called once when events can no longer be written. */
  onFailure: (error: Error) => void = () => {}

  private constructor(path: string, stream: WriteStream) {
    this.path = path
    this.stream = stream
    stream.on('error', (error) => {
      if (this.failure !== undefined) return
      this.failure = unwritable(path, error)
      this.onFailure(this.failure)
    })
  }

  /** Makes the folder. @throws {UserError} when it cannot be written, or holds a run already. */
  static async create(out: string | undefined, startedAt: Date): Promise<RunFolder> {
    const stamp = startedAt
      .toISOString()
      .replace(/\.\d+Z$/, '')
      .replace(/[-:]/g, '')
      .replace('T', '-')
    const path = out ?? join(ROOT, `${stamp}-${randomBytes(2).toString('hex')}`)
    try {
      await makeFolder(path)
      if ((await readdir(path)).includes('events.ndjson')) {
        throw new UserError(`${path} holds a run already`, 'name another folder with --out, or remove it')
      }
      // `wx`: two runs that start in the same folder at once do not both get it.
      const stream = createWriteStream(join(path, 'events.ndjson'), { flags: 'wx' })
      await new Promise<void>((done, failed) => stream.once('open', () => done()).once('error', failed))
      return new RunFolder(path, stream)
    } catch (error) {
      throw error instanceof UserError ? error : unwritable(path, error as Error)
    }
  }

  /** Begins a log of sessions that belong to no run. */
  serving(startedAt: Date): void {
    const began: ServingBegun = {
      ...{ type: 'serving', t: 0, schema: EVENTS_SCHEMA, badmx: VERSION },
      ...{ startedAt: startedAt.toISOString(), capture: true },
    }
    this.event(began)
  }

  event(event: object): void {
    if (this.failure === undefined) this.stream.write(`${encodeEvent(event)}\n`)
  }

  /** Resolves when every event is on disk. @throws {UserError} when one could not be written. */
  async closeEvents(): Promise<void> {
    await new Promise<void>((done) => {
      if (this.stream.destroyed) done()
      else this.stream.once('close', done).end()
    })
    if (this.failure !== undefined) throw this.failure
  }

  /** Takes the folder back: nothing has been run. */
  async discard(): Promise<void> {
    await new Promise<void>((done) => this.stream.once('close', done).destroy())
    for (const file of ['events.ndjson', ...this.written])
      await rm(join(this.path, file), { force: true }).catch(() => {})
    // Only where they are empty: whatever else is in them is not ours.
    await rmdir(this.path).catch(() => {})
    if (dirname(this.path) === ROOT) await rmdir(ROOT).catch(() => {})
  }

  /** @throws {UserError} */
  async write(file: string, content: string | Buffer): Promise<void> {
    const place = join(this.path, file)
    try {
      await makeFolder(dirname(place))
      await writeFile(`${place}.part`, content)
      await rename(`${place}.part`, place)
      this.written.push(file)
    } catch (error) {
      await rm(`${place}.part`, { force: true }).catch(() => {})
      throw unwritable(place, error as Error)
    }
  }

  /** Points `badmx-out/latest` here. Runs in parallel may race: the last one wins, and there is always a link. */
  async publish(): Promise<void> {
    await makeFolder(ROOT).catch(() => {})
    const fresh = join(ROOT, `.latest-${randomBytes(4).toString('hex')}`)
    try {
      await symlink(resolve(this.path), fresh)
      await rename(fresh, LATEST)
    } catch {
      // A file system without links, or a read-only folder: `latest` is a convenience.
      await rm(fresh, { force: true }).catch(() => {})
    }
  }
}

/** Makes a folder and those above it. Node's own `recursive` never returns where the file system refuses with ENOENT (/proc). */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return
    const above = dirname(path)
    if (code !== 'ENOENT' || above === path || (await exists(above))) throw error
    await makeFolder(above)
    await mkdir(path)
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

/** The folder that a person means by `latest` or a path. @throws {UserError} when there is no run. */
export async function findRun(name: string): Promise<string> {
  const path = name === 'latest' ? LATEST : name
  const folder = path.endsWith('.ndjson') ? dirname(path) : path
  try {
    await access(join(folder, 'events.ndjson'))
    return folder
  } catch {
    throw new UserError(`there is no run in ${folder}`, 'run `badmx run` first, or name the folder of a run')
  }
}

function unwritable(path: string, error: NodeJS.ErrnoException): UserError {
  const why =
    error.code === 'ENOSPC'
      ? 'the disk is full'
      : error.code === 'EEXIST'
        ? 'another run is being written there'
        : error.code === 'EACCES' || error.code === 'EROFS'
          ? 'it is not writable for this user'
          : error.message
  return new UserError(`cannot write ${path}: ${why}`, 'free it, or name another folder with --out')
}
