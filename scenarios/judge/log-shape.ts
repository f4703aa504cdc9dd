/**
 * The shape of every event of `badmx/events/1`, checked when a log is read, so that nothing behind it meets a field that is
 * not there. Pure. Fields that are not named here pass as they are.
 */
import { readTlsaText } from '../../peers/dns/dane.ts'
import { EVENTS_SCHEMA } from '../events.ts'
import { POLICIES } from '../policy.ts'

type Kind =
  | 'text'
  | 'number'
  | 'boolean'
  | 'octets'
  | 'octets[]'
  | 'texts'
  | 'object'
  | 'objects'
  | 'hosts'
  | 'numbers'
  | 'limits'
  | readonly string[]
/** A name that ends with `?` may be absent. */
type Shape = Readonly<Record<string, Kind>>

const SIDE = ['client', 'upstream'] as const
const CONN: Shape = { conn: 'text' }
const TLS: Shape = { conn: 'text', side: SIDE }
const PROOF: Shape = {
  behaviour: 'text',
  host: 'text',
  detail: 'text',
  'conn?': 'text',
  'offset?': 'number',
  'data?': 'octets',
}

const SHAPES: Readonly<Record<string, Shape>> = {
  run: {
    schema: [EVENTS_SCHEMA],
    badmx: 'text',
    seed: 'number',
    startedAt: 'text',
    timeScale: 'number',
    clients: 'objects',
    plan: 'text',
    cells: 'texts',
  },
  cell: {
    cell: 'text',
    scenario: 'text',
    title: 'text',
    severity: ['critical', 'high', 'medium', 'low'],
    policy: POLICIES,
    judgedAs: POLICIES.filter((policy) => policy !== 'default'),
    client: 'text',
    kind: ['one-shot', 'queue'],
    role: ['scenario', 'harness-control', 'client-control'],
    expected: 'text',
    clause: 'text',
    asserts: 'texts',
    verbMayWork: 'boolean',
    noVerdict: 'boolean',
    'alone?': 'boolean',
    proof: 'objects',
    domain: 'text',
    hostNames: 'object',
    hosts: 'hosts',
    clock: 'text',
    roots: 'octets[]',
    canaries: 'objects',
    credentials: 'boolean',
    messages: 'number',
    timeScale: 'number',
    deadlineMs: 'number',
    reproduce: 'text',
  },
  phase: { cell: 'text', phase: 'text', hosts: 'hosts' },
  'attempt begun': { cell: 'text', attempt: 'number', cause: ['first', 'forced', 'aged', 'own'], 'policy?': POLICIES },
  'attempt ended': { cell: 'text', attempt: 'number', cause: ['first', 'forced', 'aged', 'own'], 'policy?': POLICIES },
  client: { cell: 'text', attempt: 'number', word: 'object', 'logAt?': 'numbers' },
  notice: { cell: 'text', attempt: 'number', data: 'octets' },
  'resolver-log': { cell: 'text', line: 'text' },
  late: { ms: 'number' },
  configured: { client: 'text', configuration: 'text', 'version?': 'text' },
  'cell-end': {
    cell: 'text',
    status: ['done', 'unsupported', 'error', 'interrupted', 'spoilt'],
    'reason?': 'text',
  },
  end: { finishedAt: 'text', interrupted: 'boolean' },
  'conn open': { ...CONN, host: 'text', local: 'object', remote: 'object', tlsOnConnect: 'boolean' },
  upstream: { ...CONN, local: 'object', remote: 'object' },
  serving: { schema: 'text', badmx: 'text', startedAt: 'text', 'capture?': 'boolean' },
  'conn closed': { ...CONN, by: ['client', 'peer', 'server', 'harness'], how: ['fin', 'rst', 'error', 'deadline'] },
  bytes: {
    ...CONN,
    side: SIDE,
    direction: ['in', 'out'],
    layer: ['tcp', 'tls', 'cipher'],
    data: 'octets',
    'elided?': 'object',
  },
  'tls hello': { ...TLS, hello: 'object', data: 'octets' },
  'tls presented': { ...TLS, chain: 'octets[]' },
  'tls up': { ...TLS, version: 'text', cipher: 'text', resumed: 'boolean', clientChain: 'octets[]' },
  'tls failed': { ...TLS, reason: 'text', 'alert?': 'text' },
  'tls closed': { ...TLS, by: ['client', 'peer'] },
  'tls secret': { ...TLS, line: 'text' },
  armed: PROOF,
  opportunity: PROOF,
  fired: PROOF,
  dns: { at: ['stub', 'resolver', 'middlebox', 'authority'], direction: ['in', 'out'], data: 'octets' },
}

/** Shapes of the objects inside events. */
const WITHIN: Readonly<Record<string, Shape>> = {
  word: {
    state: ['delivered', 'failed', 'queued', 'bounced', 'crashed', 'hung', 'unsupported', 'unknown'],
    log: 'texts',
    reason: 'text',
    'ageSeconds?': 'number',
    'coarseSeconds?': 'number',
    'claims?': 'object',
    'limits?': 'object',
  },
  limits: { seconds: 'limits', source: 'text' },
  hello: {
    format: ['tls', 'sslv2', 'none'],
    legacyVersion: 'number',
    versions: 'numbers',
    cipherSuites: 'numbers',
    'serverName?': 'text',
    alpn: 'texts',
    groups: 'numbers',
    'pointFormats?': 'numbers',
    signatureAlgorithms: 'numbers',
    extensions: 'numbers',
    'session?': ['psk', 'ticket', 'session-id'],
  },
  elided: { length: 'number', hits: 'texts' },
  canaries: { name: 'text', value: 'text' },
  proof: { behaviour: 'text', host: 'text', fires: ['must', 'may', 'must-not'] },
  clients: { id: 'text', name: 'text', version: 'text' },
}

export interface ShapeProblem {
  readonly got: string
  readonly want: string
}

/** Undefined for an event of the right shape; else the first thing that is wrong. */
export function shapeProblem(value: unknown): ShapeProblem | undefined {
  if (!isRecord(value)) return { got: 'got no object', want: 'one event of badmx/events/1' }
  const { type, state } = value
  const name =
    typeof state === 'string' && (type === 'conn' || type === 'tls' || type === 'attempt')
      ? `${type} ${state}`
      : String(type)
  const shape = Object.hasOwn(SHAPES, name) ? SHAPES[name] : undefined
  if (shape === undefined) return { got: `got the event "${name}"`, want: `one of ${Object.keys(SHAPES).join(', ')}` }
  return fieldsProblem(value, { t: 'number', 'cell?': 'text', ...shape }, name)
}

function fieldsProblem(
  value: Readonly<Record<string, unknown>>,
  shape: Shape,
  where: string,
): ShapeProblem | undefined {
  for (const [key, kind] of Object.entries(shape)) {
    const optional = key.endsWith('?')
    const name = optional ? key.slice(0, -1) : key
    const field = value[name]
    if (field === undefined && optional) continue
    if (!isOf(field, kind)) return { got: `got ${shown(field)} in ${where}.${name}`, want: wanted(kind) }
    const inner = WITHIN[name]
    if (inner === undefined) continue
    for (const each of kind === 'objects' ? (field as unknown[]) : kind === 'object' ? [field] : []) {
      const problem = fieldsProblem(each as Record<string, unknown>, inner, `${where}.${name}`)
      if (problem !== undefined) return problem
    }
  }
  return undefined
}

function isOf(field: unknown, kind: Kind): boolean {
  if (Array.isArray(kind)) return kind.includes(field)
  switch (kind) {
    case 'text':
      return typeof field === 'string'
    case 'number':
      return typeof field === 'number' && Number.isFinite(field)
    case 'boolean':
      return typeof field === 'boolean'
    case 'octets':
      return Buffer.isBuffer(field)
    case 'octets[]':
      return Array.isArray(field) && field.every((each) => Buffer.isBuffer(each))
    case 'texts':
      return Array.isArray(field) && field.every((each) => typeof each === 'string')
    case 'numbers':
      return Array.isArray(field) && field.every((each) => typeof each === 'number')
    case 'hosts':
      return isRecord(field) && Object.values(field).every(isHost)
    case 'limits':
      return isRecord(field) && Object.values(field).every((each) => each === 'none' || typeof each === 'number')
    case 'objects':
      return Array.isArray(field) && field.every(isRecord)
    default:
      return isRecord(field)
  }
}

/** What a mail host is to its domain, by its id. */
function isHost(value: unknown): boolean {
  if (!isRecord(value)) return false
  const { preference, tls, tlsa } = value
  return (
    (preference === 'none' || typeof preference === 'number') &&
    HOST_TLS.includes(String(tls)) &&
    (tlsa === undefined || isTlsa(tlsa))
  )
}

function isTlsa(value: unknown): boolean {
  if (!isRecord(value)) return false
  const { secure, base, records } = value
  return (
    typeof secure === 'boolean' &&
    typeof base === 'string' &&
    Array.isArray(records) &&
    records.every((text) => typeof text === 'string' && readTlsaText(text) !== undefined)
  )
}

const HOST_TLS: readonly string[] = ['starttls', 'connect', 'none']

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value)
}

function shown(field: unknown): string {
  const text = field === undefined ? 'nothing' : (JSON.stringify(field) ?? String(field))
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}

const WANTED: Readonly<Record<string, string>> = {
  text: 'a text',
  number: 'a number',
  boolean: 'true or false',
  octets: 'base64 text',
  'octets[]': 'a list of base64 texts',
  hosts:
    'by host id a preference (a number or "none"), tls (starttls, connect or none), and perhaps tlsa (secure, base, records)',
  limits: 'by wait a number of seconds, or none',
  texts: 'a list of texts',
  numbers: 'a list of numbers',
  objects: 'a list of objects',
  object: 'an object',
}

function wanted(kind: Kind): string {
  return typeof kind === 'string' ? (WANTED[kind] ?? kind) : `one of ${kind.join(', ')}`
}
