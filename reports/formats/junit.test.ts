import { spawnSync } from 'node:child_process'
import t from 'tap'
import { cell, HOSTILE, HOSTILE_RECORD, record, SAMPLE } from '../test/sample-record.ts'
import { visible } from '../text.ts'
import { format } from './junit.ts'

/** An independent reader: Python's expat. Prints [classname, name, child tag, type, message, text] per test case. */
const READER = `
import json, sys, xml.etree.ElementTree as tree
root = tree.fromstring(sys.stdin.buffer.read())
cases = []
for suite in root:
    found = suite.findall('testcase')
    for tag, plural in (('failure', 'failures'), ('error', 'errors'), ('skipped', 'skipped')):
        assert len(suite.findall('testcase/' + tag)) == int(suite.get(plural)), plural
    assert len(found) == int(suite.get('tests'))
    for case in found:
        child = case[0] if len(case) else None
        cases.append([case.get('classname'), case.get('name')] + ([] if child is None else
            [child.tag, child.get('type'), child.get('message'), child.text]))
assert len(cases) == int(root.get('tests'))
print(json.dumps(cases))
`

type Case = readonly [classname: string, name: string, tag?: string, type?: string, message?: string, text?: string]

function read(xml: string): readonly Case[] {
  const { status, stdout, stderr } = spawnSync('python3', ['-c', READER], {
    input: xml,
    encoding: 'utf8',
    timeout: 20_000,
  })
  if (status !== 0) throw new Error(`python3 could not read it: ${stderr}`)
  return JSON.parse(stdout) as readonly Case[]
}

const python = spawnSync('python3', ['-c', 'import xml.etree.ElementTree'], { timeout: 20_000 }).status === 0
const options = { skip: python ? false : 'python3 with xml.etree is not on this machine' }

t.test('read back: what fails, what is in error, what is skipped', options, async (t) => {
  const cases = read(format.render(SAMPLE))
  const brief = cases.map(([classname, name, tag, type]) => [classname, name, tag, type].filter(Boolean).join(' '))
  t.strictSame(brief, [
    'reference.verify control/ctl-tls13-pkix',
    'nodemailer.verify control/ctl-tls13-pkix',
    'nodemailer.verify strip/strip-ehlo-omit failure leak',
    'nodemailer.verify inject/inject-reply-full failure leak',
    'nodemailer.verify strip/strip-reply-454 failure fail',
    'curl.verify control/ctl-tls13-pkix',
    'curl.verify cert/cert-expired',
    'curl.verify cert/cert-match-cn skipped',
    'curl.verify cert/cert-wrong-name system-out',
    'curl.verify inject/inject-reply-full skipped',
    'curl.verify inject/inject-fragment error inconclusive',
    'curl.verify inject/inject-auth error error',
    'curl.verify inject/inject-late error missing',
    'nodemailer.encrypt strip/strip-ehlo-omit failure leak',
    'nodemailer.may strip/strip-lower-case system-out',
    'nodemailer.may cert/cert-expired system-out',
    'curl.may strip/strip-measure skipped',
    'curl.dane strip/strip-ehlo-omit skipped',
  ])
  t.equal(cases[7]?.[4], 'known deviation: curl #1234: CN still counts; leak: delivered to a name found in CN only')
  t.match(cases[2]?.[5], 'fired: hide-starttls at mx: removed "250-STARTTLS"', 'the proof is told')
  t.match(cases[8]?.[5], 'known deviation did not come: fixed in 7.89?')
})

t.test('what else fails the run is a failure too', options, async (t) => {
  const tags = read(format.render(SAMPLE, { failOn: 'flagged', strict: true })).flatMap(([, , tag, type]) =>
    tag === 'failure' ? [type] : [],
  )
  t.strictSame(tags, ['leak', 'leak', 'fail', 'leak', 'over-strict', 'flagged'])
})

t.test('names are unique, repetitions too', options, async (t) => {
  const id = 'strip/strip-ehlo-omit/verify/nodemailer'
  const cells = [cell(), cell({ id: `${id}#2` }), cell(), cell({ policy: 'may' })]
  const names = read(format.render(record(cells))).map(([classname, name]) => `${classname} ${name}`)
  t.strictSame(names, [
    'nodemailer.verify strip/strip-ehlo-omit',
    'nodemailer.verify strip/strip-ehlo-omit#2',
    'nodemailer.verify strip/strip-ehlo-omit (2)',
    'nodemailer.may strip/strip-ehlo-omit',
  ])
})

t.test('hostile texts come back as text', options, async (t) => {
  const cases = read(format.render(HOSTILE_RECORD))
  t.equal(cases.length, HOSTILE_RECORD.cells.length)
  t.equal(cases.find(([, name]) => name === 'a/b')?.[4], visible(`unsupported: ${HOSTILE}`))
  t.equal(cases.find(([, name]) => name === 'a/d')?.[4], visible(`error: ${HOSTILE}`))
})
