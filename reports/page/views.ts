/**
 * Which view is shown. The fragment of the URL is the whole state: `#<place>?q=<filter>`, the place empty for the matrix,
 * else the id of a view. Views that are packed are unpacked when they are asked for.
 */

export interface State {
  readonly place: string
  readonly query: string
}

export function readState(): State {
  const [place = '', search = ''] = location.hash.slice(1).split('?', 2)
  return { place: decoded(place), query: new URLSearchParams(search).get('q') ?? '' }
}

/** A link that somebody cut short is no reason to fail. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

export function hashOf({ place, query }: State): string {
  const path = place.split('/').map(encodeURIComponent).join('/')
  return `#${path}${query === '' ? '' : `?q=${encodeURIComponent(query)}`}`
}

let chunks: Map<string, string> | undefined
/** Scenarios whose views are in the page, or on their way into it. */
const unpacked = new Map<string, Promise<void>>()

/** The view with this id, unpacked if need be; undefined where there is none. */
export async function findView(place: string): Promise<HTMLElement | undefined> {
  const there = document.getElementById(place)
  if (there?.classList.contains('view')) return there
  chunks ??= new Map(JSON.parse(document.getElementById('packed')?.textContent ?? '[]') as [string, string][])
  for (const [scenario, packed] of chunks) {
    if (place !== `scenario/${scenario}` && !place.startsWith(`cell/${scenario}/`)) continue
    const ready = unpacked.get(scenario) ?? insert(packed)
    unpacked.set(scenario, ready)
    await ready
    return document.getElementById(place) ?? undefined
  }
  return undefined
}

async function insert(packed: string): Promise<void> {
  const template = document.createElement('template')
  // Our own markup: the texts in it were escaped when the page was made.
  template.innerHTML = await unpack(packed)
  document.getElementById('views')?.append(template.content)
}

async function unpack(packed: string): Promise<string> {
  const octets = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0))
  const stream = new Blob([octets]).stream().pipeThrough(new DecompressionStream('deflate-raw'))
  return new Response(stream).text()
}

/** Shows the view, or the matrix. True when there is such a view, or when another has been asked for since. */
export async function showView(place: string): Promise<boolean> {
  const view = place === '' ? undefined : await findView(place)
  if (readState().place !== place) return true
  const overview = document.getElementById('overview')
  if (overview !== null) overview.hidden = view !== undefined
  for (const each of document.querySelectorAll<HTMLElement>('.view')) each.classList.toggle('shown', each === view)
  const heading = view?.querySelector('h2')
  document.title = `badmx: ${heading?.textContent?.trim() ?? document.querySelector('.headline')?.textContent ?? ''}`
  if (view === undefined) return place === ''
  // Where there is no room for the picture, its list takes its place.
  const twin = view.querySelector<HTMLDetailsElement>('details.twin')
  if (twin !== null && view.querySelector('.picture')?.getClientRects().length === 0) twin.open = true
  window.scrollTo(0, 0)
  heading?.focus({ preventScroll: true })
  return true
}
