/**
 * The document around a report: one file that works from `file://`. Its Content Security Policy allows this style and this
 * script by their hashes and nothing else: no network, no picture, no form, no inline handler.
 */
import { createHash } from 'node:crypto'
import { LADDER_STYLE } from '../ladder/svg.ts'
import { text } from '../markup.ts'
import { pageScript, pageStyle } from './assets.ts'

export interface Page {
  readonly title: string
  /** Markup of the whole body. */
  readonly body: string
  /** With the script that makes views, filters and keys work. */
  readonly scripted: boolean
}

export function renderPage({ title, body, scripted }: Page): string {
  const style = `${pageStyle()}${LADDER_STYLE}`
  const script = scripted ? pageScript() : undefined
  const policy = [
    "default-src 'none'",
    `style-src ${hashOf(style)}`,
    `script-src ${script === undefined ? "'none'" : hashOf(script)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  return `${[
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    '<meta name="referrer" content="no-referrer">',
    `<title>${text(title)}</title>`,
    `<style>${style}</style>`,
    '</head>',
    '<body>',
    body,
    ...(script === undefined ? [] : [`<script type="module">${script}</script>`]),
    '</body>',
    '</html>',
  ].join('\n')}\n`
}

function hashOf(content: string): string {
  return `'sha256-${createHash('sha256').update(content).digest('base64')}'`
}
