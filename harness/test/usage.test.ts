/** What a person can get wrong on the command line: the exit code, what is said, and that it is never a stack trace. */
import { readdirSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../../peers/package-root.ts'
import { badmxEach } from './program.ts'

interface Mistake {
  readonly words: readonly string[]
  /** Each is in what is said on stderr. */
  readonly said: readonly (string | RegExp)[]
}

const ONE = ['--only', 'strip-ehlo-omit', '--policy', 'may']
const STRIP = ['strip', '--listen', '127.0.0.1:0', '--target', '127.0.0.1:9']

const MISTAKES: readonly Mistake[] = [
  { words: [], said: ['name a command'] },
  { words: ['rum'], said: ['there is no command "rum"; did you mean "run"?'] },
  { words: ['run', '--polcy', 'may'], said: ['there is no option --polcy; did you mean "--policy"?'] },
  { words: ['run', 'more'], said: ['got "more", and nothing is expected there'] },
  { words: ['run', '--jobs'], said: ['Not enough arguments following: jobs'] },
  { words: ['run', '--client', 'curll'], said: ['there is no client "curll"; did you mean "curl"?', 'reference'] },
  { words: ['run', '--client', 'reference,reference'], said: ['the client reference is named twice'] },
  { words: ['run', '--client', 'nosuch.yaml'], said: ['nosuch.yaml'] },
  { words: ['run', '--policy', 'verfy'], said: ['there is no policy "verfy"; did you mean "verify"?'] },
  { words: ['run', '--policy', 'mta-sts'], said: ['the policy mta-sts needs', 'policies: none, may'] },
  {
    words: ['run', '--client', 'reference', '--only', 'strip-ehlo-omi'],
    said: ['no scenario matches "strip-ehlo-omi"; did you mean "strip-ehlo-omit"'],
  },
  { words: ['run', '--only', ''], said: ['--only: got an empty text'] },
  { words: ['run', '--seed', 'abc'], said: ['--seed: got NaN, want a whole number'] },
  { words: ['run', '--time-scale', '0.5'], said: ['--time-scale: got 0.5, want a number from 1 to 1000'] },
  { words: ['run', '--shard', '3/2'], said: ['--shard: got "3/2", want INDEX/COUNT'] },
  { words: ['run', '--last-failed'], said: ['there is no run in'] },
  { words: ['run', '--known', 'nosuch.yaml'], said: ['cannot read nosuch.yaml: there is no such file'] },
  { words: ['run', '--scenario', 'nosuch.yaml'], said: ['cannot read nosuch.yaml: there is no such file'] },
  {
    words: ['run', '--scenario', 'strip-ehlo-typo.yaml'],
    said: [/strip-ehlo-typo\.yaml:\d+:\d+: .*did you mean "hide-starttls"/, 'mend the file'],
  },
  { words: ['run', '--command', 'prog'], said: ['says no {host} (or {name}) and {port}'] },
  { words: ['run', '--command', 'prog {hots} {port}'], said: ['unknown placeholder {hots}; did you mean {host}?'] },
  {
    words: ['run', ...ONE, '--command', 'no-such-program {host} {port}'],
    said: ['there is no program "no-such-program" in PATH'],
  },
  { words: ['show', 'strip-ehlo-omi'], said: ['did you mean "strip-ehlo-omit"'] },
  { words: ['show', 'latest'], said: ['there is no run in badmx-out/latest'] },
  { words: ['show', 'nowhere', 'cell'], said: ['there is no run in nowhere'] },
  { words: ['judge', 'nowhere'], said: ['there is no run in nowhere'] },
  { words: ['judge', 'broken.ndjson'], said: ['broken.ndjson:1: got'] },
  { words: ['ca'], said: ['there is no run in'] },
  { words: ['schema', 'fo'], said: ['"scenario", "run"'] },
  {
    words: ['check', 'strip-ehlo-typo.yaml'],
    said: [/^strip-ehlo-typo\.yaml:\d+:\d+: .*hide-startls.*did you mean "hide-starttls"\?$/m, '1 problem'],
  },
  { words: ['check', 'nosuch.yaml'], said: ['nosuch.yaml:1:1: there is no such file'] },
  { words: ['strip', '--listen', '127.0.0.1:0'], said: ['Missing required argument: target'] },
  { words: STRIP, said: ['nothing to do to the sessions', 'list --behaviours'] },
  {
    words: [...STRIP, '--behaviour', 'hide-startls'],
    said: ['there is no behaviour "hide-startls" (did you mean "hide-starttls"?)'],
  },
  {
    words: [...STRIP, '--behaviour', 'refuse-starttls:cod=3'],
    said: ['refuse-starttls has no parameter "cod" (did you mean "code"?)'],
  },
  {
    words: [...STRIP, '--behaviour', 'refuse-starttls:454'],
    said: ['got "454" in "refuse-starttls:454", want key=value'],
  },
  { words: [...STRIP, '--intercept', 'untrustd'], said: ['"untrusted", "self-signed", "test-ca"'] },
  {
    words: ['strip', '--listen', 'a:b', '--target', ':9', '--behaviour', 'hide-starttls'],
    said: ['--listen: got "a:b", want HOST:PORT'],
  },
  {
    words: ['strip', '--listen', '0.0.0.0:0', '--target', '127.0.0.1:9', '--behaviour', 'hide-starttls'],
    said: ['--allow-remote'],
  },
]

t.test('mistakes of a person', { timeout: 100_000 }, async (t) => {
  const cwd = t.testdir({ 'strip-ehlo-typo.yaml': '', 'broken.ndjson': '{"type":"run"\nrubbish\n{}\n' })
  const sound = await readFile(join(packageRoot(), 'scenarios/catalogue/strip/strip-ehlo-omit.yaml'), 'utf8')
  await writeFile(
    join(cwd, 'strip-ehlo-typo.yaml'),
    sound.replaceAll('strip-ehlo-omit', 'strip-ehlo-typo').replace('hide-starttls', 'hide-startls'),
  )
  const results = await badmxEach(
    t,
    cwd,
    MISTAKES.map(({ words }) => words),
  )
  for (const [at, { words, said }] of MISTAKES.entries()) {
    const name = `badmx ${words.join(' ')}`
    const { code, stdout, stderr } = results[at] ?? { code: -1, stdout: '', stderr: '' }
    t.equal(code, 2, `${name}: exit code`)
    t.equal(stdout, '', `${name}: nothing on stdout`)
    for (const text of said)
      t.ok(typeof text === 'string' ? stderr.includes(text) : text.test(stderr), `${name}: says ${text}`, { stderr })
    t.notMatch(stderr, /\n {4}at |a bug of badmx/, `${name}: no stack trace`)
  }
  t.strictSame(
    readdirSync(cwd).sort(),
    ['broken.ndjson', 'strip-ehlo-typo.yaml', 'tmp'],
    'no run folder is made for a mistake',
  )
  t.strictSame(readdirSync(join(cwd, 'tmp')), [], 'and no temporary file is left')
})

t.test('help and version', async (t) => {
  const [help, version, strip, serve] = await badmxEach(t, t.testdir(), [
    ['--help'],
    ['--version'],
    ['strip', '--help'],
    ['--help', 'serve'],
  ])
  t.equal(help?.code, 0)
  for (const word of ['run', 'tour', 'strip', 'judge', 'show', 'list', 'check', 'ca', 'schema'])
    t.match(help?.stdout, new RegExp(`^ +badmx ${word}\\b`, 'm'), word)
  t.match(help?.stdout, /Exit codes: 0 fine, 1 findings, 2 usage/)
  t.match(version, { code: 0, stdout: /^\d+\.\d+\.\d+\n$/ })
  t.match(strip, { code: 0, stdout: /--allow-remote/ })
  t.match(serve, { code: 0, stdout: /--persona/ }, 'a command that the words do not begin with is loaded too')
})
