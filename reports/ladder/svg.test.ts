/** The picture, read by an independent parser (Python's expat): what is drawn, and where. */
import { spawnSync } from 'node:child_process'
import t from 'tap'
import { encrypted, stripped } from '../test/sample-ladders.ts'
import { LogBuilder } from '../test/sample-log.ts'
import { cell, HOSTILE, HOSTILE_RECORD } from '../test/sample-record.ts'
import { buildLadder } from './build.ts'
import { renderLadderSvg, renderLadderSvgFile } from './svg.ts'

const READER = `
import json, sys, xml.etree.ElementTree as tree
root = tree.fromstring(sys.stdin.buffer.read())
print(json.dumps([[e.tag.split('}')[-1], e.get('class') or '', ''.join(e.itertext()), dict(e.attrib)] for e in root.iter()]))
`

type Drawn = readonly (readonly [
  tag: string,
  style: string,
  text: string,
  attributes: Readonly<Record<string, string>>,
])[]

function read(svg: string): Drawn {
  const { status, stdout, stderr } = spawnSync('python3', ['-c', READER], {
    input: svg,
    encoding: 'utf8',
    timeout: 20_000,
  })
  if (status !== 0) throw new Error(`python3 could not read it: ${stderr}`)
  return JSON.parse(stdout) as Drawn
}

const python = spawnSync('python3', ['-c', 'import xml.etree.ElementTree'], { timeout: 20_000 }).status === 0
const options = { skip: python ? false : 'python3 with xml.etree is not on this machine' }

function texts(drawn: Drawn, style: string): string[] {
  return drawn.filter(([tag, each]) => tag === 'text' && each === style).map(([, , text]) => text)
}

t.test(
  'a stripped session: the original is struck through, marks are set off, the pause is a break',
  options,
  async (t) => {
    const drawn = read(renderLadderSvg(stripped()))
    t.strictSame(texts(drawn, 'lane'), ['nodemailer', 'mx.strip-ehlo-omit.verify.badmx.test'])
    t.strictSame(texts(drawn, 'gone'), ['250 STARTTLS'])
    t.strictSame(texts(drawn, 'kept'), ['250-mx'])
    t.strictSame(texts(drawn, 'replaced'), ['✎ sent in its place by hide-starttls'])
    t.strictSame(texts(drawn, 'fired'), ['◆ fired hide-starttls: removed "250 STARTTLS"'])
    t.strictSame(texts(drawn, 'pause'), ['⋮ pause of 4.0 s ⋮'])
    t.strictSame(texts(drawn, 'mark leak'), [
      '▲ leak.credentials-clear: password in AUTH PLAIN',
      '▲ leaked: password (base64) at octet 35',
    ])
    t.equal(drawn.filter(([, style]) => style === 'band').length, 0, 'no TLS, no band')
    t.equal(drawn.filter(([, style]) => style === 'arrow secure').length, 0)
    t.equal(
      drawn.filter(([, style]) => style === 'life break').length,
      2,
      'both lines are dotted where time is left out',
    )
    const fourArrows = drawn.find(([, style]) => style === 'arrow')?.[3]['d']
    t.equal(fourArrows?.match(/l-?8 4l-?8 4/g)?.length, 4)
  },
)

t.test('TLS is a band from the upgrade on, in its own gap', options, async (t) => {
  const drawn = read(renderLadderSvg(encrypted()))
  t.strictSame(texts(drawn, 'lane'), ['nodemailer', 'man in the middle', 'server'])
  const bands = drawn.filter(([, style]) => style === 'band').map(([, , , attributes]) => attributes)
  t.equal(bands.length, 1)
  const [first] = drawn.filter(([, style]) => style === 'tls up').map(([, , , attributes]) => Number(attributes['y']))
  t.ok(Math.abs(Number(bands[0]?.['y']) - (first ?? 0)) < 17, 'it begins in the row of the upgrade')
  const secure = drawn.find(([, style]) => style === 'arrow secure')?.[3]['d']
  t.equal(secure?.match(/l-?8 4l-?8 4/g)?.length, 2, 'two messages in TLS')
})

t.test('nothing is outside of the picture, and no text of a stranger is markup', options, async (t) => {
  const hostile = HOSTILE_RECORD.cells[0] ?? cell()
  const log = new LogBuilder(hostile.id, { hostNames: { mx: HOSTILE.repeat(3) } }).open('c1')
  log.peer('c1', `220 ${HOSTILE}${'x'.repeat(900)}\r\n`).client('c1', `EHLO ${'世'.repeat(200)} ${HOSTILE}\r\n`)
  log.add({ type: 'fired', conn: 'c1', behaviour: HOSTILE, host: 'mx', detail: HOSTILE, data: Buffer.from(HOSTILE) })
  for (const svg of [renderLadderSvgFile(buildLadder(log.events, hostile)), renderLadderSvgFile(stripped())]) {
    const drawn = read(svg)
    const { width, height } = drawn[0]?.[3] ?? {}
    for (const [tag, , text, attributes] of drawn) {
      if (tag !== 'text' || attributes['x'] === undefined) continue
      const end = Number(attributes['x']) + (attributes['text-anchor'] === undefined ? [...text].length * 7.25 : 0)
      t.ok(end <= Number(width) + 1, `${text} ends at ${end}`)
      t.ok(Number(attributes['y']) < Number(height))
    }
    t.notOk(
      drawn.some(([tag]) => !['svg', 'title', 'desc', 'style', 'rect', 'text', 'tspan', 'g', 'path'].includes(tag)),
    )
  }
})

t.test('same ladder, same picture', async (t) => {
  t.equal(renderLadderSvgFile(stripped()), renderLadderSvgFile(stripped()))
  t.match(renderLadderSvgFile(stripped()), /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"[^]*<\/svg>\n$/)
  t.notMatch(renderLadderSvg(encrypted()), / style=/, 'a strict CSP shows it')
})
