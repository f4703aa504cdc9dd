import t from 'tap'
import { base64Forms, type CanaryText, findCanaries, longestForm } from './canary.ts'

const WORD = 'k7q2m9xw4tzb'
const CANARY: CanaryText = { name: 'body', value: WORD }

function find(text: string, value = WORD): string[] {
  return findCanaries(Buffer.from(text, 'latin1'), [{ name: 'body', value }]).map(
    ({ name, form, offset }) => `${name} ${form} at ${offset}`,
  )
}

t.test('as it is, with its offset', async (t) => {
  t.strictSame(find(WORD), ['body plain at 0'])
  t.strictSame(find(`Subject: ${WORD}\r\n`), ['body plain at 9'])
  t.strictSame(find(`${WORD} and ${WORD}`), ['body plain at 0'], 'the first hit is told')
})

t.test('in base64 at every alignment, wherever it stands in what was encoded', async (t) => {
  for (let before = 0; before < 9; before++) {
    for (let after = 0; after < 4; after++) {
      const encoded = Buffer.from(`${'\0'.repeat(before)}${WORD}${'z'.repeat(after)}`).toString('base64')
      const [hit, ...more] = findCanaries(Buffer.from(`AUTH PLAIN ${encoded}\r\n`), [CANARY])
      t.strictSame(more, [])
      t.equal(hit?.form, 'base64', `${before} octets before, ${after} after`)
      // Three octets are four characters; the first that is the canary's alone is in or behind the group where it begins.
      const begins = 11 + Math.ceil((before * 8) / 6)
      t.equal(hit?.offset, begins)
    }
  }
})

t.test('in base64 that is broken into lines, at every place', async (t) => {
  const encoded = Buffer.from(`xx${WORD}yyy`).toString('base64')
  const [form] = base64Forms(WORD).filter((each) => encoded.includes(each))
  const at = encoded.indexOf(form ?? '?')
  for (const end of ['\r\n', '\n']) {
    for (let cut = 1; cut < encoded.length; cut++) {
      const folded = `${encoded.slice(0, cut)}${end}${encoded.slice(cut)}`
      t.strictSame(
        find(folded),
        [`body base64 at ${cut <= at ? at + end.length : at}`],
        `${JSON.stringify(end)} at ${cut}`,
      )
    }
  }
})

t.test('in quoted-printable with soft line breaks, at every place, and at all of them', async (t) => {
  for (const end of ['=\r\n', '=\n']) {
    for (let cut = 1; cut < WORD.length; cut++) {
      t.strictSame(
        find(`ab${WORD.slice(0, cut)}${end}${WORD.slice(cut)}`),
        ['body quoted-printable at 2'],
        `${JSON.stringify(end)} at ${cut}`,
      )
    }
    t.strictSame(find(`ab${end}${[...WORD].join(end)}`), [`body quoted-printable at ${2 + end.length}`])
  }
})

t.test('both forms, and each canary for itself', async (t) => {
  const other = { name: 'subject', value: 'p0o9i8u7y6t5' }
  const text = Buffer.from(`${Buffer.from(WORD).toString('base64')} ${other.value} ${WORD}`)
  t.strictSame(
    findCanaries(text, [CANARY, other]).map(({ name, form }) => `${name} ${form}`),
    ['body plain', 'body base64', 'subject plain'],
  )
})

t.test('none where there is none', async (t) => {
  t.strictSame(find(''), [])
  t.strictSame(findCanaries(Buffer.from(WORD), []), [])
  t.strictSame(find(WORD.slice(1)), [], 'a canary without its first character')
  t.strictSame(find(WORD.slice(0, -1)), [], 'without its last')
  t.strictSame(find(WORD.toUpperCase()), [], 'in another case')
  t.strictSame(find(`${WORD.slice(0, 6)}\r\n${WORD.slice(6)}`), [], 'a hard line break is not in quoted-printable')
  t.strictSame(find(`${WORD.slice(0, 6)}=${WORD.slice(6)}`), [], 'nor is an equals sign a soft break')
  t.strictSame(find(Buffer.from(`a${WORD.slice(1)}`).toString('base64')), [], 'in base64, another word')
})

t.test('a canary that has no octets is nowhere, and one too short for base64 is not seen in every text', async (t) => {
  t.strictSame(find('EHLO client', ''), [])
  t.strictSame(find('EHLO client', 'a'), [])
})

t.test('the longest form covers every form that is looked for', async (t) => {
  const forms = [
    [...WORD].join('=\r\n'),
    ...base64Forms(WORD).map((form) => (form.match(/.{1,76}/g) ?? []).join('\r\n')),
  ]
  for (const form of forms)
    t.ok(form.length <= longestForm([CANARY, { name: 'short', value: 'x' }]), `${form.length} octets`)
  t.equal(longestForm([]), 0)
})
