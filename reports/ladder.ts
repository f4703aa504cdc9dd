/** The ladder of a cell: who said what to whom, when, in clear or inside TLS, and what was tampered with. */
export { buildLadder } from './ladder/build.ts'
export type * from './ladder/rows.ts'
export { type LadderTextOptions, renderLadderText } from './ladder/text.ts'
