/** Captures of a real run: tshark reads SMTP inside TLS, with nothing but the file. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { RunRecord } from '../../scenarios/record.ts'
import { badmx, badmxEach } from './program.ts'

const tshark = spawnSync('tshark', ['--version'], { timeout: 30_000 }).status === 0

/** What a display filter finds, a line per packet. */
function read(file: string, filter: string, field: string): string[] {
  const args = ['-n', '-r', file, '-Y', filter, '-T', 'fields', '-e', field]
  const { status, stdout, stderr } = spawnSync('tshark', args, { encoding: 'utf8', timeout: 60_000 })
  if (status !== 0) throw new Error(stderr)
  return stdout.split('\n').filter((line) => line !== '')
}

t.test('a run with captures, and one without', { timeout: 240_000 }, async (t) => {
  const cwd = t.testdir({})
  const words = ['run', '--client', 'nodemailer', '--policy', 'may', '--only']
  const scenarios = 'ctl-tls12-pkix,ctl-tls13-pkix,strip-ehlo-omit,inject-reply-full'
  const done = await badmx(t, cwd, ...words, scenarios, '--out', 'run')
  t.equal(done.code, 0, done.stderr)

  t.test(
    'tshark decrypts SMTP after STARTTLS',
    { skip: tshark ? false : 'tshark is not on this machine' },
    async (t) => {
      for (const [id, version] of [
        ['ctl-tls12-pkix', '0x0303'],
        ['ctl-tls13-pkix', '0x0304'],
      ] as const) {
        const file = join(cwd, 'run', 'cells', 'control', id, 'may', 'nodemailer', 'capture.pcapng')
        t.match(read(file, 'tls && smtp.req.command', 'smtp.req.command').join(), /EHLO.*MAIL.*RCPT.*DATA/, id)
        const versions = read(file, 'tls.handshake.type == 2', 'tls.handshake.extensions.supported_version')
        if (version === '0x0304') t.strictSame(versions, [version])
        t.strictSame(
          read(file, '_ws.malformed or tcp.analysis.flags or tls.ignored_unknown_record', 'frame.number'),
          [],
        )
      }
      const hellos: [string, string[]][] = []
      for (const id of ['ctl-tls12-pkix', 'ctl-tls13-pkix'])
        hellos.push([
          id,
          read(
            join(cwd, 'run', 'cells', 'control', id, 'may', 'nodemailer', 'capture.pcapng'),
            'tls.handshake.ja3',
            'tls.handshake.ja3',
          ),
        ])
      const { cells } = JSON.parse(readFileSync(join(cwd, 'run', 'run.json'), 'utf8')) as RunRecord
      for (const [id, seen] of hellos) {
        const told = cells.find((cell) => cell.id === `control/${id}/may/nodemailer`)?.hellos ?? []
        t.equal(told.length, 1)
        t.strictSame(
          told.map(({ ja3 }) => ja3),
          seen,
          `${id}: the JA3 of the record is the one that tshark computes`,
        )
      }
      const stripped = join(cwd, 'run', 'cells', 'strip', 'strip-ehlo-omit', 'may', 'nodemailer', 'capture.pcapng')
      t.match(
        read(stripped, 'frame.comment', 'frame.comment').join('\n'),
        /hide-starttls fired: removed "250 STARTTLS"/,
      )
    },
  )

  const without = await badmx(t, cwd, ...words, 'ctl-tls13-pkix,strip-ehlo-omit', '--no-capture', '--out', 'without')
  t.equal(without.code, 0, without.stderr)
  t.notOk(existsSync(join(cwd, 'without', 'cells')))
  const [tls, clear, capture, picture, several, nowhere] = await badmxEach(t, cwd, [
    ['show', 'without', 'control/ctl-tls13-pkix/may/nodemailer', '--pcapng', 'tls.pcapng'],
    ['show', 'without', 'strip/strip-ehlo-omit/may/nodemailer', '--pcapng', 'clear.pcapng'],
    ['show', 'run', 'control/ctl-tls13-pkix/may/nodemailer', '--pcapng', 'cell.pcapng'],
    ['show', 'run', 'strip/strip-ehlo-omit/may/nodemailer', '--svg', 'cell.svg'],
    ['show', 'run', '*', '--svg', 'many.svg'],
    ['show', 'run', 'strip/strip-ehlo-omit/may/nodemailer', '--svg', 'no/where/cell.svg'],
  ])
  t.match(tls, { code: 2, stdout: '', stderr: /its run recorded no TLS records\n {2}run it again/ })
  t.notOk(existsSync(join(cwd, 'tls.pcapng')))
  t.match(clear, { code: 0, stdout: 'clear.pcapng\n' }, 'a session in clear is whole without')
  t.match(capture, { code: 0, stdout: 'cell.pcapng\n' })
  const same = join(cwd, 'run', 'cells', 'control', 'ctl-tls13-pkix', 'may', 'nodemailer', 'capture.pcapng')
  t.ok(readFileSync(join(cwd, 'cell.pcapng')).equals(readFileSync(same)), 'the same that the run wrote')
  t.match(picture, { code: 0, stdout: 'cell.svg\n' })
  t.match(readFileSync(join(cwd, 'cell.svg'), 'utf8'), /^<svg [^]*hide-starttls[^]*<\/svg>\n$/)
  t.match(several, { code: 2, stderr: /means \d+ cells, and a file holds one/ })
  t.match(nowhere, { code: 2, stderr: /^badmx: cannot write no\/where\/cell\.svg: / })
})
