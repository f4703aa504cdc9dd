/**
 * A YAML file read so that every problem can be told with its line and column: the value, the places of its nodes, and
 * what its schema says about it in our own words.
 */
import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import { nearestName } from '../peers/nearest-name.ts'
import type { Finding, Problem } from './problem.ts'

export interface YamlFile {
  readonly file: string
  /** Undefined where the text is no YAML: then there are problems. */
  readonly value: unknown
  readonly problems: readonly Problem[]
  /** Gives a finding its place; where its path leads nowhere, the nearest node above it. */
  locate(finding: Finding): Problem
}

/** Reads one YAML document. `file` is only named in problems. Never throws for anything in the text. */
export function readYaml(file: string, text: string): YamlFile {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'silent' })
  const at = (offset: number, finding: Finding): Problem => {
    const { line, col } = lines.linePos(offset)
    const { atKey: _, ...rest } = finding
    return { ...rest, path: finding.path.join('.'), file, line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const locate = (finding: Finding): Problem => at(offsetOf(finding), finding)
  const problems = [...document.errors, ...document.warnings].map((error) =>
    at(error.pos[0], { path: [], message: error.message }),
  )
  let value: unknown
  if (problems.length === 0) {
    try {
      value = document.toJS()
    } catch (error) {
      problems.push(at(0, { path: [], message: error instanceof Error ? error.message : String(error) }))
    }
    if (value === null && problems.length === 0) problems.push(at(0, { path: [], message: 'the file is empty' }))
  }
  return { file, value, problems, locate }

  function offsetOf(finding: Finding): number {
    let node: unknown = document.contents
    let offset = startOf(node) ?? 0
    for (const [depth, step] of finding.path.entries()) {
      const here = isAlias(node) ? node.resolve(document) : node
      if (isMap(here)) {
        const pair = here.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step))
        if (pair === undefined) return offset
        const key = startOf(pair.key) ?? offset
        node = pair.value
        const wantsKey = finding.atKey === true && depth === finding.path.length - 1
        offset = wantsKey ? key : (startOf(node) ?? key)
      } else if (isSeq(here)) {
        node = here.items[Number(step)]
        offset = startOf(node) ?? offset
      } else return offset
    }
    return offset
  }
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined
}

/** What `schema` finds wrong with `value`. */
export function findings(schema: z.ZodType, value: unknown): readonly Finding[] {
  const checked = schema.safeParse(value)
  return checked.success ? [] : explained(checked.error, value, schema)
}

/** What an error of `schema` says about `value`. */
export function explained({ issues }: z.ZodError, value: unknown, schema: z.ZodType): readonly Finding[] {
  return issues.flatMap((issue) => explain(issue, [], value, schema))
}

type Path = readonly (string | number)[]

function explain(issue: z.core.$ZodIssue, above: Path, value: unknown, schema: z.ZodType): Finding[] {
  const path = [...above, ...issue.path.filter((step) => typeof step !== 'symbol')]
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key, schema))
  if (issue.code === 'invalid_union') {
    const branch = likeliest(issue.errors)
    if (branch !== undefined) return branch.flatMap((inner) => explain(inner, path, value, schema))
    const keys = nodesAt(schema, path).flatMap((node) => Object.values(part(node, 'required') ?? {}))
    return [{ path, message: `got ${kindOf(valueAt(value, path))}`, expected: `one of the keys ${keys.join(', ')}` }]
  }
  if (issue.code === 'invalid_type') {
    const got = valueAt(value, path)
    if (got === undefined && path.length > 0) return [missing(path)]
    return [{ path, message: `got ${kindOf(got)}`, expected: `a ${issue.expected}` }]
  }
  if (issue.code === 'invalid_value') {
    const words = issue.values.map(String)
    const got = valueAt(value, path)
    if (got === undefined) return [missing(path)]
    const nearest = typeof got === 'string' ? nearestName(got, words) : undefined
    const expected = words.length === 1 ? `${words[0]}` : `one of ${words.join(', ')}`
    return [{ path, message: `got ${JSON.stringify(got)}`, expected, ...(nearest === undefined ? {} : { nearest }) }]
  }
  return [{ path, message: issue.message }]
}

function missing(path: Path): Finding {
  return { path: path.slice(0, -1), message: `"${path.at(-1)}" is missing` }
}

function unknownKey(path: Path, key: string, schema: z.ZodType): Finding {
  const keys = keysAt(schema, path)
  const nearest = nearestName(key, keys)
  return {
    path: [...path, key],
    atKey: true,
    message: `unknown key "${key}"`,
    ...(keys.length > 0 && nearest === undefined ? { expected: `one of ${keys.join(', ')}` } : {}),
    ...(nearest === undefined ? {} : { nearest }),
  }
}

/** The alternative of a union that the author meant: of the right kind, and the only one with so few mistakes. */
function likeliest(branches: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] | undefined {
  const ofKind = branches.filter((issues) => !issues.some((i) => i.code === 'invalid_type' && i.path.length === 0))
  const fewest = Math.min(...ofKind.map((issues) => issues.length))
  const best = ofKind.filter((issues) => issues.length === fewest)
  return best.length === 1 ? best[0] : undefined
}

/** The keys that a map at `path` may have, by the schema. */
function keysAt(schema: z.ZodType, path: Path): string[] {
  return [...new Set(nodesAt(schema, path).flatMap((node) => Object.keys(part(node, 'properties') ?? {})))]
}

/** The forms that a value at `path` may have. */
function nodesAt(schema: z.ZodType, path: Path): object[] {
  let level: object[] = [z.toJSONSchema(schema, { target: 'draft-7', io: 'input' })]
  for (const step of path) level = level.flatMap(alternatives).flatMap((node) => below(node, step))
  return level.flatMap(alternatives)
}

function alternatives(node: object): object[] {
  const any = part(node, 'anyOf')
  return Array.isArray(any) ? any.flatMap((inner: object) => alternatives(inner)) : [node]
}

function below(node: object, step: string | number): object[] {
  const named = part(part(node, 'properties') ?? {}, String(step))
  const next = typeof step === 'number' ? part(node, 'items') : (named ?? part(node, 'additionalProperties'))
  return next === undefined ? [] : [next]
}

function part(node: object, key: string): object | undefined {
  const value: unknown = Object.hasOwn(node, key) ? (node as Record<string, unknown>)[key] : undefined
  return typeof value === 'object' && value !== null ? value : undefined
}

function valueAt(value: unknown, path: Path): unknown {
  let here = value
  for (const step of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, step)) return undefined
    here = (here as Record<string | number, unknown>)[step]
  }
  return here
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'a map' : `the ${typeof value} ${JSON.stringify(value)}`
}
