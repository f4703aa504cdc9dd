/** The script of the report: puts the state of the URL on the page, and what is done on the page into the URL. */
import { copyFrom } from './copy.ts'
import { Matrix } from './matrix.ts'
import { toggled } from './query.ts'
import { hashOf, readState, showView } from './views.ts'

const table = document.querySelector<HTMLTableElement>('#matrix table')
const matrix = table === null ? undefined : new Matrix(table)
const input = document.querySelector<HTMLInputElement>('#q')
const help = document.querySelector<HTMLDialogElement>('#help')

/** The state that the page shows now. */
let query: string | undefined

async function show(): Promise<void> {
  const state = readState()
  // A link to a view says nothing of the filter, which stays.
  if (query !== undefined && state.query === '' && state.place !== '' && query !== '') {
    history.replaceState(null, '', hashOf({ place: state.place, query }))
    await show()
    return
  }
  if (state.query !== query) applyQuery(state.query)
  const found = await showView(state.place)
  if (!found) history.replaceState(null, '', hashOf({ place: '', query: state.query }))
  document.documentElement.dataset['ready'] = ''
}

function applyQuery(next: string): void {
  const before = query ?? ''
  query = next
  if (input !== null && input.value !== next) input.value = next
  if (matrix === undefined) return
  const matching = matrix.filter(next)
  if (next !== '' && before === '') matrix.foldAll(false)
  if (next === '' && before !== '') matrix.foldAll(table?.dataset['folded'] !== undefined)
  const nothing = document.getElementById('nothing')
  if (nothing !== null) nothing.hidden = matching > 0
  const words = next.split(/\s+/)
  for (const chip of document.querySelectorAll<HTMLElement>('.counts a')) {
    if (words.includes(chip.dataset['term'] ?? '')) chip.setAttribute('aria-current', 'true')
    else chip.removeAttribute('aria-current')
  }
  filterFindings(next === '' ? undefined : matrix.links())
}

/** Of the findings those stay of which a cell matches. */
function filterFindings(links: ReadonlySet<string> | undefined): void {
  for (const section of document.querySelectorAll<HTMLElement>('#overview .findings')) {
    let left = 0
    for (const item of section.querySelectorAll('li')) {
      const cells = [...item.querySelectorAll<HTMLAnchorElement>('.under a')].map(({ hash }) => hash)
      item.hidden = links !== undefined && !cells.some((hash) => links.has(hash))
      left += item.hidden ? 0 : 1
    }
    section.hidden = left === 0
  }
}

function go(place: string, next = query ?? ''): void {
  const hash = hashOf({ place, query: next })
  if (hash !== location.hash) location.hash = hash
}

/** The next cell that is worth reading, or the one before; from the matrix, the first or the last. */
function step(by: 1 | -1): void {
  const all = matrix?.worthReading() ?? []
  const here = all.indexOf(location.hash.split('?', 1)[0] ?? '')
  const next = here === -1 ? (by === 1 ? 0 : all.length - 1) : here + by
  const hash = all[next]
  if (hash !== undefined)
    location.hash = `${hash}${query === '' || query === undefined ? '' : `?q=${encodeURIComponent(query)}`}`
}

const ACTS: Readonly<Record<string, () => void>> = {
  '/': () => input?.focus(),
  '?': () => help?.showModal(),
  j: () => step(1),
  k: () => step(-1),
  u: () => go(''),
  Escape: () => go(''),
  x: () => matrix?.foldAll(),
  c: () => copyShown('run'),
  i: () => copyShown('issue'),
}

function copyShown(what: string): void {
  const view = document.querySelector('.view.cell:not([hidden])')
  if (view !== null) void copyFrom(view, what)
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || help?.open === true) return
  if (event.target === input) {
    if (event.key === 'Escape') input?.blur()
    return
  }
  if (event.key.startsWith('Arrow')) {
    if (matrix?.walk(event.key) === true) event.preventDefault()
    return
  }
  const act = ACTS[event.key]
  if (act === undefined) return
  event.preventDefault()
  act()
})

document.addEventListener('click', (event) => {
  const target = event.target instanceof Element ? event.target : undefined
  const button = target?.closest<HTMLButtonElement>('button[data-copy]')
  const view = button?.closest('.view')
  if (button !== null && button !== undefined && view !== null && view !== undefined) {
    void copyFrom(view, button.dataset['copy'] ?? '')
    return
  }
  const chip = target?.closest<HTMLElement>('.counts a')
  if (chip === null || chip === undefined || event.ctrlKey || event.metaKey) return
  event.preventDefault()
  go('', toggled(query ?? '', chip.dataset['term'] ?? ''))
})

const keys = document.querySelector<HTMLButtonElement>('#keys')
if (keys !== null) {
  keys.hidden = false
  keys.addEventListener('click', () => help?.showModal())
}

if (input !== null) {
  input.disabled = false
  input.addEventListener('input', () => {
    applyQuery(input.value)
    history.replaceState(null, '', hashOf({ place: '', query: input.value }))
    void showView('')
  })
}

document.querySelector('h1 a')?.addEventListener('click', (event) => {
  event.preventDefault()
  go('', '')
})

window.addEventListener('hashchange', () => void show())
document.documentElement.classList.add('scripted')
await show()
