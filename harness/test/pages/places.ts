/** Where the tests of pages have their reports and keep their pictures. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { packageRoot } from '../../../peers/package-root.ts'

/** Kept for a person to look at. */
export const PAGES = join(packageRoot(), '.tap', 'pages')

/** The folder of a real run, made once for all tests. */
export const RUN = join(PAGES, 'run')

/** A smaller run, to compare with. */
export const OTHER = join(PAGES, 'other')

/** The page of a record in which every text is hostile. */
export const HOSTILE_PAGE = join(PAGES, 'hostile.html')

/** The page that compares two runs. */
export const COMPARISON = join(PAGES, 'comparison.html')

export function urlOf(file: string, hash = ''): string {
  return `${pathToFileURL(file).href}${hash}`
}

/** The file for a picture. */
export function picture(name: string): string {
  mkdirSync(PAGES, { recursive: true })
  return join(PAGES, `${name}.png`)
}
