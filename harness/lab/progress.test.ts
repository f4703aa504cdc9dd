import t from 'tap'
import { buildProgress } from './progress.ts'

function stream(isTTY: boolean): { text: string; stream: NodeJS.WriteStream } {
  const kept = { text: '', stream: undefined as unknown as NodeJS.WriteStream }
  const write = (text: string): boolean => {
    kept.text += text
    return true
  }
  kept.stream = { isTTY, columns: 60, write } as unknown as NodeJS.WriteStream
  return kept
}

t.test('at a terminal a bar, within its width, that goes at the end', async (t) => {
  const kept = stream(true)
  const progress = buildProgress(kept.stream, {})
  progress.step('postfix@trixie', 'Unpacking libicu76:amd64 and a name that is far too long for a line', 0.5)
  const bar = kept.text.replace('\r\x1b[K', '')
  t.match(bar, /^#{12}-{12} 0 s {2}postfix@trixie: Unpack/)
  t.equal(bar.length, 59)
  progress.step('postfix@trixie', 'x', 7)
  t.match(kept.text, /\r\x1b\[K#{24} 0 s {2}postfix@trixie: x$/)
  progress.end()
  t.match(kept.text, /\r\x1b\[K$/)
})

t.test('elsewhere a line for each thing that is built', async (t) => {
  for (const [isTTY, environment] of [
    [false, {}],
    [true, { CI: 'true' }],
    [true, { TERM: 'dumb' }],
  ] as const) {
    const kept = stream(isTTY)
    const progress = buildProgress(kept.stream, environment)
    for (const share of [0, 0.5, 1]) progress.step('the base root of sid', 'working', share)
    progress.step('dma@sid', 'working', 0)
    progress.end()
    t.equal(kept.text, 'badmx: building the base root of sid\nbadmx: building dma@sid\n')
  }
})
