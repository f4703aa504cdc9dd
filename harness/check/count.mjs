/**
 * Counts what tap really ran, from its output: assertions, at any depth. The line that closes a subtest is no assertion of
 * its own, but where it fails although nothing in it failed (a file that crashed, a plan that was not kept), that is one
 * failure.
 */

/**
 * Follows a TAP stream. `Parser` is tap-parser's; `parser` is to be written to and ended. `counts` grows as results come
 * in: `passed`, `failed`, `skipped` (TODO is a skip: it says nothing either way). `onFile` gets each file when it is done:
 * its name, its counts, its failures.
 */
export function countTap(Parser, onFile = () => undefined) {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  const parser = new Parser()
  follow(parser, [], (name, found) => {
    counts.passed += found.passed
    counts.failed += found.failed
    counts.skipped += found.skipped
    onFile(name, found)
  })
  return { parser, counts }
}

/** Hands each result of `parser` to `done`, with the counts of all that is beneath it. */
function follow(parser, path, done) {
  let beneath
  parser.on('child', (child) => {
    beneath = { passed: 0, failed: 0, skipped: 0, failures: [], skips: [] }
    const mine = beneath
    follow(child, [...path, child.name], (_name, found) => {
      mine.passed += found.passed
      mine.failed += found.failed
      mine.skipped += found.skipped
      mine.failures.push(...found.failures)
      mine.skips.push(...found.skips)
    })
  })
  parser.on('assert', (result) => {
    done(result.name, totals(result, path, beneath))
    beneath = undefined
  })
}

/** The counts of one result: of what is beneath it, or of itself where there is nothing. */
function totals(result, path, beneath) {
  const found = beneath ?? { passed: 0, failed: 0, skipped: 0, failures: [], skips: [] }
  const empty = found.passed + found.failed + found.skipped === 0
  const place = [...path, result.name].join(' > ')
  if (result.skip || result.todo) {
    if (empty) {
      found.skipped = 1
      found.skips.push({ place, reason: String(result.skip || result.todo) })
    }
  } else if (result.ok) {
    if (empty) found.passed = 1
  } else if (found.failed === 0) {
    found.failed = 1
    found.failures.push({ place, diag: result.diag })
  }
  return found
}

/**
 * Counts the tests of a Playwright run, from its JSON report; a test that passed only when tried again has failed. What
 * went wrong outside of any test (a file that does not load) is one failure each.
 */
export function countPages(report) {
  const found = { passed: 0, failed: 0, skipped: 0, failures: [], skips: [] }
  const visit = (suite, path) => {
    for (const { title, tests } of suite.specs ?? []) {
      const place = [...path, title].join(' > ')
      for (const test of tests) {
        if (test.status === 'skipped') {
          found.skipped += 1
          found.skips.push({ place, reason: test.annotations?.find(({ type }) => type === 'skip')?.description ?? '' })
        } else if (test.status === 'expected') found.passed += 1
        else {
          found.failed += 1
          found.failures.push({ place, diag: { errors: test.results.flatMap(({ errors }) => errors ?? []) } })
        }
      }
    }
    for (const inner of suite.suites ?? []) visit(inner, [...path, inner.title])
  }
  visit(report, [])
  for (const error of report.errors ?? []) {
    found.failed += 1
    found.failures.push({ place: 'pages', diag: { errors: [error] } })
  }
  return found
}

/** The line that a run ends with. */
export function lastLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}
