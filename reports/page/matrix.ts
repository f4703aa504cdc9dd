/** The matrix in the page: filtered, folded, walked through with the arrow keys. The table itself holds all its data. */
import { matches, parseQuery, type Subject, type Term } from './query.ts'

interface Column {
  readonly client: string
  readonly policy: string
}

interface MatrixCell {
  readonly element: HTMLTableCellElement
  readonly column: number
  readonly subject: Subject
}

interface Row {
  readonly element: HTMLTableRowElement
  readonly cells: readonly MatrixCell[]
}

interface Family {
  readonly element: HTMLTableSectionElement
  readonly head: HTMLTableRowElement
  readonly rows: readonly Row[]
}

const FINDINGS = ['leak', 'fail']
const TROUBLE = ['inconclusive', 'error', 'missing']
/** These say nothing of the client that another could contradict. */
const UNANSWERED = [...TROUBLE, 'unsupported', 'not-exercised']

export class Matrix {
  private readonly columns: readonly Column[]
  private readonly families: readonly Family[]
  private readonly table: HTMLTableElement

  constructor(table: HTMLTableElement) {
    this.table = table
    this.columns = [...table.querySelectorAll<HTMLElement>('thead th[data-policy]')].map(({ dataset }) => ({
      client: dataset['client'] ?? '',
      policy: dataset['policy'] ?? '',
    }))
    this.families = [...table.tBodies].map((body) => this.read(body))
    for (const { element, head } of this.families) {
      const name = head.querySelector('.fold')
      if (name === null) continue
      const button = document.createElement('button')
      button.type = 'button'
      button.className = 'fold'
      button.append(...name.childNodes)
      button.addEventListener('click', () => this.fold(element, !element.classList.contains('folded')))
      name.replaceWith(button)
      this.fold(element, element.classList.contains('folded'))
    }
  }

  private read(body: HTMLTableSectionElement): Family {
    const [head, ...rows] = [...body.rows]
    if (head === undefined) throw new Error('a family without a row')
    const family = body.dataset['family'] ?? ''
    return { element: body, head, rows: rows.map((row) => this.readRow(row, family)) }
  }

  private readRow(element: HTMLTableRowElement, family: string): Row {
    const places = [...element.cells].slice(1)
    const verdicts = places.map((place) => (place.classList.contains('c') ? (place.classList[1] ?? '') : ''))
    const cells = places.flatMap((place, column): MatrixCell[] => {
      const verdict = verdicts[column] ?? ''
      const { client = '', policy = '' } = this.columns[column] ?? {}
      if (verdict === '') return []
      const { dataset } = place
      const others = verdicts.filter(
        (each, at) => each !== '' && !UNANSWERED.includes(each) && this.columns[at]?.policy === policy,
      )
      const answered = !UNANSWERED.includes(verdict)
      const is = [
        ...(FINDINGS.includes(verdict) ? ['finding'] : []),
        ...(TROUBLE.includes(verdict) ? ['trouble'] : []),
        ...(answered && others.some((each) => each !== verdict) ? ['different'] : []),
        ...(dataset['known'] === undefined ? [] : ['known']),
        ...(dataset['control'] === undefined ? [] : ['control']),
      ]
      const flags = (dataset['flags'] ?? '').split(' ').filter((flag) => flag !== '')
      const { scenario = '', severity = '', title = '' } = element.dataset
      return [
        { element: place, column, subject: { client, policy, verdict, family, scenario, severity, title, flags, is } },
      ]
    })
    return { element, cells }
  }

  /** Shows what matches: rows and columns without a match go, other cells stay as gaps. Returns how many cells match. */
  filter(query: string): number {
    const terms = parseQuery(query)
    const shown = new Set<number>()
    let total = 0
    for (const family of this.families) total += this.filterFamily(family, terms, shown)
    this.showColumns(terms.length === 0 ? undefined : shown)
    return total
  }

  private filterFamily({ element, head, rows }: Family, terms: readonly Term[], shown: Set<number>): number {
    const counts = new Map<string, number>()
    let total = 0
    for (const row of rows) {
      let own = 0
      for (const { element: place, column, subject } of row.cells) {
        const match = matches(subject, terms)
        place.classList.toggle('out', !match)
        if (!match) continue
        own += 1
        shown.add(column)
        const key = `${column} ${subject.verdict}`
        counts.set(key, (counts.get(key) ?? 0) + 1)
      }
      row.element.hidden = own === 0
      total += own
    }
    element.hidden = total === 0
    recount(head, counts)
    return total
  }

  private showColumns(shown: ReadonlySet<number> | undefined): void {
    const visible = (column: number): boolean => shown === undefined || shown.size === 0 || shown.has(column)
    const [clients, policies] = this.table.tHead?.rows ?? []
    for (const row of [
      policies,
      ...this.families.flatMap(({ head, rows }) => [head, ...rows.map(({ element }) => element)]),
    ]) {
      if (row === undefined) continue
      const places = row === policies ? [...row.cells] : [...row.cells].slice(1)
      places.forEach((place, column) => {
        place.hidden = !visible(column)
      })
    }
    for (const place of [...(clients?.cells ?? [])].slice(1)) {
      const name = place.dataset['name']
      const span = this.columns.filter(({ client }, column) => client === name && visible(column)).length
      place.hidden = span === 0
      place.colSpan = Math.max(1, span)
    }
  }

  private fold(body: HTMLTableSectionElement, folded: boolean): void {
    body.classList.toggle('folded', folded)
    body.querySelector('button.fold')?.setAttribute('aria-expanded', String(!folded))
  }

  /** Folds all, or unfolds all where any is folded. */
  foldAll(folded = !this.families.some(({ element }) => element.classList.contains('folded'))): void {
    for (const { element } of this.families) this.fold(element, folded)
  }

  /** The links of the cells that match and are no plain passes, in the order of the table. */
  worthReading(): readonly string[] {
    return this.families.flatMap(({ rows }) =>
      rows.flatMap(({ cells }) =>
        cells
          .filter(({ element, subject }) => subject.verdict !== 'pass' && !element.classList.contains('out'))
          .map(({ element }) => element.querySelector('a')?.hash ?? ''),
      ),
    )
  }

  /** The links of the cells that match. */
  links(): ReadonlySet<string> {
    const all = this.families.flatMap(({ rows }) => rows.flatMap(({ cells }) => cells))
    return new Set(
      all
        .filter(({ element }) => !element.classList.contains('out'))
        .map(({ element }) => element.querySelector('a')?.hash ?? ''),
    )
  }

  /** Moves the focus from one cell to its neighbour. False where there is none, or the focus is elsewhere. */
  walk(key: string): boolean {
    const place = document.activeElement?.closest<HTMLTableCellElement>('table.matrix td, table.matrix th')
    const row = place?.closest('tr')
    if (place === null || place === undefined || row === null || row === undefined) return false
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 }[key] ?? 0
    if (key === 'ArrowLeft' || key === 'ArrowRight') return focusFrom([...row.cells], place, step)
    const rows = [...this.table.querySelectorAll('tbody tr')].filter((each) => each.getClientRects().length > 0)
    return focusFrom(
      rows.map((each) => (each as HTMLTableRowElement).cells[place.cellIndex] ?? each),
      rows.indexOf(row),
      step,
    )
  }
}

/** Puts the focus on the next element in this direction that can have it. */
function focusFrom(places: readonly Element[], from: Element | number, step: number): boolean {
  const start = typeof from === 'number' ? from : places.indexOf(from)
  for (let at = start + step; at >= 0 && at < places.length; at += step) {
    const target = places[at]?.querySelector<HTMLElement>('a, button')
    if (target === null || target === undefined || target.getClientRects().length === 0) continue
    target.focus()
    return true
  }
  return false
}

/** The numbers of a family, of what matches; a verdict that is no more there is hidden, its share of the bar too. */
function recount(head: HTMLTableRowElement, counts: ReadonlyMap<string, number>): void {
  ;[...head.cells].slice(1).forEach((place, column) => {
    const words = [...place.querySelectorAll<HTMLElement>('.n')]
    const numbers = words.map(({ dataset }) => counts.get(`${column} ${dataset['v']}`) ?? 0)
    const whole = Math.max(
      1,
      numbers.reduce((sum, number) => sum + number, 0),
    )
    const bars = [...place.querySelectorAll('rect')]
    let x = 0
    words.forEach((word, index) => {
      const number = numbers[index] ?? 0
      const count = word.querySelector('b')
      if (count !== null) count.textContent = String(number)
      word.hidden = number === 0
      word.classList.toggle('lead', number > 0 && numbers.slice(0, index).every((each) => each === 0))
      const width = (100 * number) / whole
      bars[index]?.setAttribute('x', String(x))
      bars[index]?.setAttribute('width', String(width))
      x += width
    })
  })
}
