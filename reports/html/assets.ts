/**
 * The style and the script of the pages, as they stand in the package: part of the program, like its code. The script is
 * written as modules (`reports/page/`); a page has them as one, so that it needs no network: their imports and exports,
 * which the compiler puts on lines of their own, are taken out. Names are therefore unique across them.
 */
import { readFileSync } from 'node:fs'
import { packageRoot } from '../../peers/package-root.ts'

/** In the order in which they need each other. */
const MODULES = ['query', 'views', 'matrix', 'copy', 'main']

export function pageStyle(): string {
  return readFileSync(`${packageRoot()}/reports/page/page.css`, 'utf8')
}

export function pageScript(): string {
  return MODULES.map((name) =>
    readFileSync(`${packageRoot()}/dist/reports/page/${name}.js`, 'utf8')
      .replace(/^import\b[^;]*;\n/gm, '')
      .replace(/^export (?=async|function|const|class)/gm, '')
      .replace(/^export \{\};\n/gm, '')
      .replace(/^\/\/# sourceMappingURL=.*\n?/gm, ''),
  ).join('')
}
