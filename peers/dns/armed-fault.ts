/** The faults of a zone, checked, with the queries that are theirs. Pure. */
import { z } from 'zod'
import { nearestName } from '../nearest-name.ts'
import type { Fault, FaultItem } from './fault.ts'
import type { Question } from './message.ts'
import { canonical, isWithin, type Name, parseName, ROOT, ZoneError } from './name.ts'
import { typeNumber } from './numbers.ts'
import type { Zone } from './zone.ts'

/** A fault that cannot be put where it was put: its author's to mend. */
export class FaultError extends Error {
  override readonly name = 'FaultError'
  readonly code = 'dns-fault'
}

export interface ArmedFault {
  readonly fault: Fault
  readonly item: FaultItem
  /** Parameters as its schema returned them. */
  readonly parameters: unknown
  /** Whether a query for `question` at the name server `server` is its own. */
  matches(question: Question, server: Name, transport: 'udp' | 'tcp'): boolean
}

/** @throws {FaultError} on the first item that is wrong, naming zone, item, and what was expected. */
export function armFaults(zone: Zone, faults: ReadonlyMap<string, Fault>): readonly ArmedFault[] {
  const sides = new Set(zone.faults.map(({ at = 'server' }) => at))
  if (sides.size > 1)
    throw new FaultError(
      `${zone.origin}: faults both at the server and at the middlebox: one would hide the other's evidence`,
    )
  return zone.faults.map((item, index) => arm(item, zone, faults, `${zone.origin}: faults.${index}`))
}

function arm(item: FaultItem, zone: Zone, faults: ReadonlyMap<string, Fault>, where: string): ArmedFault {
  const fault = faults.get(item.use)
  if (fault === undefined) {
    const nearest = nearestName(item.use, [...faults.keys()])
    const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`
    throw new FaultError(`${where}: there is no DNS fault "${item.use}"${hint}`)
  }
  const parameters = fault.parameters.safeParse(item.with ?? {})
  if (!parameters.success) throw new FaultError(`${where}: ${item.use}: ${z.prettifyError(parameters.error)}`)
  const types = item.types?.map((text) => {
    const type = typeNumber(text)
    if (type === undefined) throw new FaultError(`${where}: ${JSON.stringify(text)} is no record type`)
    return type
  })
  if (item.at === 'middlebox' && zone.servers.every(({ middlebox }) => middlebox === undefined))
    throw new FaultError(`${where}: ${zone.origin} has no name server with a middlebox: give one of its servers one`)
  if (item.at === 'middlebox' && fault.side === 'parent')
    throw new FaultError(`${where}: ${item.use} is the parent's: it cannot stand at a middlebox of ${zone.origin}`)
  const servers = item.servers?.map((text) => canonical(named(text, where)))
  for (const name of servers ?? [])
    if (zone.servers.every((server) => canonical(server.name) !== name))
      throw new FaultError(`${where}: ${zone.origin} has no name server ${name}`)
  const isOwnName = nameTest(item.name, zone, where)
  return {
    fault,
    item,
    parameters: parameters.data,
    matches: (question, server, transport) =>
      (item.transport === undefined || item.transport === transport) &&
      (types === undefined || types.includes(question.type)) &&
      (servers === undefined || servers.includes(canonical(server))) &&
      isOwnName(canonical(question.name)),
  }
}

function nameTest(text: string | undefined, { origin }: Zone, where: string): (name: Name) => boolean {
  if (text === undefined) return () => true
  const below = text.startsWith('*.')
  const plain = below ? text.slice(2) : text
  const own = canonical(plain === '@' ? origin : named(origin === ROOT ? plain : `${plain}.${origin}`, where))
  return below ? (name) => name !== own && isWithin(name, own) : (name) => name === own
}

function named(text: string, where: string): Name {
  try {
    return parseName(text)
  } catch (error) {
    throw error instanceof ZoneError ? new FaultError(`${where}: ${error.message}`) : error
  }
}
