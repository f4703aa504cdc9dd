/**
 * A comparison as a page of its own: what got worse first, each change with what was and what is. Without a script: there is
 * nothing to unfold.
 */
import { CHANGE_KINDS, type ChangeKind, type Comparison, type Standing } from './compare.ts'
import {
  type ChangeGroup,
  COUNTED,
  changeGroups,
  circumstances,
  clientsOf,
  counts,
  difference,
  nameOf,
  RESULTS,
  remarks,
  summaryOf,
  TITLES,
} from './compare-words.ts'
import { verdictChip } from './html/pieces.ts'
import { renderPage } from './html/shell.ts'
import { text } from './markup.ts'
import { clip } from './text.ts'

/** Characters of a reason that are told. */
const REASON = 600

/** Same comparison, same page. */
export function renderComparisonHtml(comparison: Comparison): string {
  const { exitCode, reasons, old, new: now } = comparison
  const names = clientsOf(comparison).map((client) => `<p class="headline">${text(nameOf(client, comparison))}</p>`)
  const facts = [
    ...circumstances(comparison),
    `old run of ${old.startedAt.replace(/\.\d+Z$/, 'Z')}`,
    `new run of ${now.startedAt.replace(/\.\d+Z$/, 'Z')}`,
    ...reasons,
  ]
  const body = [
    `<header id="top"><h1>badmx: comparison</h1><p class="result"><span class="exit e${exitCode === 2 ? 3 : exitCode}">${RESULTS[exitCode]}</span></p></header>`,
    '<main>',
    `<div class="headlines">${names.join('')}<p>${text(summaryOf(comparison))}.</p></div>`,
    `<ul class="facts">${facts.map((fact) => `<li>${text(fact)}</li>`).join('')}</ul>`,
    ...CHANGE_KINDS.map((kind) => section(kind, comparison)),
    '</main>',
  ]
  return renderPage({ title: 'badmx: comparison', body: body.join('\n'), scripted: false })
}

function section(kind: ChangeKind, comparison: Comparison): string {
  const changes = comparison.changes.filter((change) => change.kind === kind)
  if (changes.length === 0) return ''
  const items = COUNTED.includes(kind)
    ? counts(changes, comparison).map((line) => `<li><div>${text(line)}</div></li>`)
    : changeGroups(changes).map((group) => item(group, comparison))
  const style = COUNTED.includes(kind) ? 'findings counted' : 'findings changes'
  return `<section class="${style}"><h2>${TITLES[kind]} <small>${items.length}</small></h2><ul>${items.join('')}</ul></section>`
}

function item({ first, policies }: ChangeGroup, comparison: Comparison): string {
  const where = `<span class="under">${text(nameOf(first.client, comparison))}: ${policies.join(', ')}</span>`
  const more = [difference(first), ...remarks(first)].filter((line) => line !== '')
  return `<li><div class="turn">${standing(first.old)}<span aria-label="became" role="img">→</span>${standing(first.new)}</div><div><p class="what">${text(first.scenario)} ${where}</p><p>${text(clip(first.new?.reason ?? '', REASON))}</p>${more.map((line) => `<p class="dim">${text(line)}</p>`).join('')}</div></li>`
}

function standing(side: Standing | undefined): string {
  return side === undefined ? '<span class="v info">none</span>' : verdictChip(side.verdict)
}
