/**
 * Runs nodemailer in a process of its own, one job at a time; the protocol is that of `../workers.ts`. Started with the
 * URL of nodemailer's entry file. It does what a program that uses nodemailer does: `createTransport(options)` and
 * `sendMail(message)`. An error that nodemailer lets escape ends the process, as it would end that program's.
 *
 * After `sendMail` has settled it waits a moment for the job's sockets: a process that still has one is retired, so
 * that nothing of one job can happen in another's time.
 */
import { createInterface } from 'node:readline'
import { format } from 'node:util'

interface Job {
  readonly id: number
  /** What `createTransport` gets, but for the logger. */
  readonly options: Readonly<Record<string, unknown>>
  readonly envelope: { readonly from: string; readonly to: readonly string[] }
  /** The message, base64. */
  readonly raw: string
}

/** The part of nodemailer that is used, the same since its version 2. */
interface Nodemailer {
  createTransport(options: object): { sendMail(message: object): Promise<{ response?: unknown }>; close?(): void }
}

/** How long sockets may take to close after a job, in milliseconds, and how often that is looked at. */
const SOCKETS_MS = 250
const LOOK_MS = 5

/** Message texts of nodemailer's log that say that TLS is up. */
const TLS_UP = ['Connection upgraded with STARTTLS', '%s established to %s:%s']

const loaded = (await import(process.argv[2] ?? '')) as Partial<Nodemailer> & { default?: Nodemailer }
const nodemailer = (loaded.createTransport === undefined ? loaded.default : loaded) as Nodemailer
// a library's own console output belongs to the log, not between the answers
console.log = console.error

process.stdin.on('end', () => process.exit(0))
say({ ready: true })
for await (const line of createInterface({ input: process.stdin })) await serve(JSON.parse(line) as Job)

async function serve(job: Job): Promise<void> {
  let encrypted = false
  const logger = makeLogger((template, words) => {
    if (TLS_UP.includes(template) && (words.length === 0 || words[0] === 'Secure connection')) encrypted = true
  })
  const transport = nodemailer.createTransport({ ...job.options, logger, debug: true })
  const raw = Buffer.from(job.raw, 'base64')
  const answer = await transport.sendMail({ envelope: job.envelope, raw }).then(
    (info) => ({ delivered: true, text: String(info.response ?? '') }),
    (error: unknown) => ({ delivered: false, ...told(error) }),
  )
  transport.close?.()
  say({ id: job.id, answer: encrypted ? { ...answer, encrypted } : answer, retire: !(await socketsClosed()) })
}

function told(error: unknown): { text: string; code?: number } {
  const fields = (typeof error === 'object' && error !== null ? error : {}) as {
    code?: unknown
    responseCode?: unknown
  }
  const text = error instanceof Error ? error.message : String(error)
  return {
    text: typeof fields.code === 'string' ? `${fields.code}: ${text}` : text,
    ...(typeof fields.responseCode === 'number' ? { code: fields.responseCode } : {}),
  }
}

async function socketsClosed(): Promise<boolean> {
  for (let waited = 0; waited < SOCKETS_MS; waited += LOOK_MS) {
    if (!process.getActiveResourcesInfo().includes('TCPSocketWrap')) return true
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
  return false
}

/** A logger as nodemailer wants it: it writes to standard error and shows `watch` what nodemailer itself says. */
function makeLogger(watch: (template: string, words: readonly unknown[]) => void): Record<string, unknown> {
  const write = (entry: { tnx?: string } | undefined, template: unknown, ...words: unknown[]) => {
    const tnx = entry?.tnx ?? ''
    // the message itself, line by line: eight million octets of it in one scenario
    if (tnx === 'message' && words.length === 0) return
    if (tnx !== 'server' && tnx !== 'client' && tnx !== 'message') watch(String(template), words)
    const text = words.length === 0 ? String(template) : format(template, ...words)
    for (const line of text.split('\n')) process.stderr.write(`${tnx}: ${line.replace(/\r$/, '')}\n`)
  }
  return Object.fromEntries(['trace', 'debug', 'info', 'warn', 'error', 'fatal'].map((level) => [level, write]))
}

function say(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}
