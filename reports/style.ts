/** Colours and weights of a terminal, ECMA-48 SGR. Whether they are wanted (NO_COLOR, no TTY) is the caller's to decide. */
import type { Colour } from './verdicts.ts'

const CODES = {
  bold: [1, 22],
  dim: [2, 22],
  struck: [9, 29],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
} as const

/** Sets a text in a style; without colour the text is returned as it is. */
export type Paint = (style: Colour | 'bold' | 'struck', text: string) => string

export function painter(color: boolean): Paint {
  if (!color) return (_, text) => text
  return (style, text) => (text === '' ? '' : `\u001b[${CODES[style][0]}m${text}\u001b[${CODES[style][1]}m`)
}
