/** The report of a real run in a real browser, from `file://`: what a maintainer does with it. */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { type BrowserContextOptions, expect, type Page, test } from '@playwright/test'
import type { RunRecord } from '../../../scenarios/record.ts'
import { COMPARISON, HOSTILE_PAGE, picture, RUN, urlOf } from './places.ts'

// biome-ignore lint/suspicious/noSkippedTests: skipped with its reason, and counted, where there is no browser.
test.skip(!existsSync('/usr/bin/chromium'), 'chromium is not on this machine')

const INDEX = join(RUN, 'index.html')
const LEAK = 'cell/auth/auth-334-phish/may/nodemailer'
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Every page of these tests: an error in its script, or anything that it wanted from a network, fails the test. */
const complaints: string[] = []
test.beforeEach(({ page }) => {
  complaints.length = 0
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  page.on('request', (request) => {
    if (!request.url().startsWith('file:')) complaints.push(request.url())
  })
})
test.afterEach(() => expect(complaints).toEqual([]))

async function open(page: Page, hash = '', file = INDEX): Promise<void> {
  await page.goto(urlOf(file, hash))
  await page.locator('html[data-ready]').waitFor({ state: 'attached' })
}

function record(): RunRecord {
  return JSON.parse(readFileSync(join(RUN, 'run.json'), 'utf8')) as RunRecord
}

/** What axe-core finds, as `rule: element`. */
async function axe(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE)
  return page.evaluate(async () => {
    const { violations } = await (
      globalThis as unknown as {
        axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
      }
    ).axe.run()
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`))
  })
}

test('the sentence, the verdicts and the matrix are in the first screen', async ({ page }) => {
  await open(page)
  await expect(page.locator('.headline').first()).toContainText('leaked credentials')
  await expect(page.locator('.counts')).toContainText('leak')
  const { cells } = record()
  const subjects = cells.filter(({ role }) => role !== 'harness-control')
  await expect(page.locator('td.c')).toHaveCount(subjects.length)
  for (const { id, verdict } of subjects) {
    const cell = page.locator(`td.c a[href="#cell/${id}"]`)
    await expect(cell).toHaveText(new RegExp(`^\\S ${verdict}$`))
  }
  const box = await page.locator('#matrix table').boundingBox()
  expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThan(720)
  await page.screenshot({ path: picture('matrix') })
})

test('filters are in the URL, and the URL filters', async ({ page }) => {
  await open(page)
  await page.locator('.counts a', { hasText: 'leak' }).click()
  await expect(page).toHaveURL(/#\?q=verdict%3Aleak$/)
  const leaks = record().cells.filter(({ verdict }) => verdict === 'leak').length
  await expect(page.locator('td.c:not(.out) a:visible')).toHaveCount(leaks)
  await page.screenshot({ path: picture('filtered') })
  await page.locator('.counts a', { hasText: 'leak' }).click()
  await expect(page).not.toHaveURL(/q=/)

  await page.locator('#q').fill('client:reference policy:verify')
  await expect(page).toHaveURL(/q=client%3Areference%20policy%3Averify$/)
  await expect(page.locator('#matrix thead th[data-policy]:visible')).toHaveCount(1)
  await page.locator('#q').fill('client:nobody')
  await expect(page.locator('#nothing')).toBeVisible()

  await open(page, '#?q=is:different')
  const { cells } = record()
  const differ = cells.filter((cell) => {
    const beside = cells.filter(
      ({ scenario, policy, role }) =>
        role !== 'harness-control' && scenario === cell.scenario && policy === cell.policy,
    )
    return cell.role !== 'harness-control' && beside.some(({ verdict }) => verdict !== cell.verdict)
  })
  expect(differ.length).toBeGreaterThan(0)
  await expect(page.locator('#q')).toHaveValue('is:different')
  await expect(page.locator('td.c:not(.out) a:visible')).toHaveCount(differ.length)
})

test('a link leads into a cell: verdict, proof, expected and observed, ladder, log', async ({ page }) => {
  await open(page, `#${LEAK}?q=verdict:leak`)
  const cell = page.locator('.view.cell:visible')
  const told = record().cells.find(({ id }) => `cell/${id}` === LEAK)
  await expect(cell.locator('h2')).toBeFocused()
  await expect(cell.locator('h2')).toContainText('leak')
  await expect(cell.locator('.reason')).toHaveText(told?.reason ?? '')
  await expect(cell.locator('.proof .fired')).toContainText('answer-ehlo')
  await expect(cell.locator('.versus')).toContainText(told?.expected ?? '')
  await expect(cell.locator('.versus')).toContainText('delivered-cleartext')
  await expect(cell.locator('svg.ladder[role=img] text', { hasText: 'leaked: password' })).toBeVisible()
  await expect(cell.locator('.twin li', { hasText: 'leaked: password' })).toBeAttached()
  await expect(cell.locator('.said')).toContainText('Attempt 1')
  await page.screenshot({ path: picture('cell'), fullPage: true })
  // The filter stays on the way back.
  await page.keyboard.press('u')
  await expect(page.locator('#overview')).toBeVisible()
  await expect(page.locator('#q')).toHaveValue('verdict:leak')
  await page.goBack()
  await expect(cell).toBeVisible()
})

test('cells that are packed open too, and scenarios, and clients', async ({ page }) => {
  await open(page, '#cell/cert/cert-wrong-name/may/reference')
  const cell = page.locator('.view.cell:visible')
  await expect(cell.locator('section.tls')).toContainText('Certificate shown')
  await expect(cell.locator('section.tls')).toContainText('✗ name')
  await expect(cell.locator('svg.ladder .band')).toBeVisible()
  await page.screenshot({ path: picture('cell-tls'), fullPage: true })
  await cell.getByRole('link', { name: 'cert-wrong-name' }).click()
  const scenario = page.locator('.view.scenario:visible')
  await expect(scenario.locator('tbody tr')).toHaveCount(4)
  await page.screenshot({ path: picture('scenario') })
  await scenario
    .getByRole('link', { name: /^Nodemailer/ })
    .first()
    .click()
  await expect(page.locator('.view.client:visible h2')).toContainText('Nodemailer')
  await page.screenshot({ path: picture('client'), fullPage: true })
  await open(page, '#cell/no/such/cell')
  await expect(page.locator('#overview')).toBeVisible()
})

test('several connections are drawn over time, pauses as breaks', async ({ page }) => {
  await open(page, '#cell/smtp/smtp-degrade-stripped/may/nodemailer')
  await expect(page.locator('.view.cell:visible section.attempts')).toBeVisible()
  await page.screenshot({ path: picture('cell-attempts'), fullPage: true })
})

test('everything is there by keyboard', async ({ page }) => {
  await open(page)
  await page.keyboard.press('/')
  await expect(page.locator('#q')).toBeFocused()
  await page.keyboard.press('Escape')
  await page.keyboard.press('x')
  await expect(page.locator('td.c').first()).toBeHidden()
  await page.keyboard.press('x')
  await expect(page.locator('td.c').first()).toBeVisible()
  await page.locator('#matrix tbody a').first().focus()
  for (const key of ['ArrowRight', 'ArrowDown', 'ArrowDown']) await page.keyboard.press(key)
  await expect(page.locator('td.c a:focus')).toHaveCount(1)
  await page.keyboard.press('Enter')
  await expect(page.locator('.view.cell:visible')).toHaveCount(1)
  await page.keyboard.press('Escape')
  await expect(page).not.toHaveURL(/#cell\//)
  await page.keyboard.press('j')
  await expect(page).toHaveURL(/#cell\//)
  const first = page.url()
  await page.keyboard.press('j')
  await expect(page).not.toHaveURL(first)
  await page.keyboard.press('k')
  await expect(page).toHaveURL(first)
  await page.keyboard.press('?')
  await expect(page.getByRole('dialog')).toBeVisible()
  await page.screenshot({ path: picture('help') })
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toBeHidden()
  await expect(page.locator('.view.cell:visible')).toHaveCount(1)
})

test('keys that come faster than a view is unpacked', async ({ page }) => {
  await open(page)
  await page.evaluate(
    `for (const key of ['j', 'Escape', 'j']) document.dispatchEvent(new KeyboardEvent('keydown', { key }))`,
  )
  await expect(page.locator('.view.cell:visible')).toHaveCount(1)
  await expect(page).toHaveURL(/#cell\//)
})

test('the command and a bug report are copied', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await open(page, `#${LEAK}`)
  await page.getByRole('button', { name: 'Copy', exact: true }).click()
  const copied = (): Promise<string> => page.evaluate('navigator.clipboard.readText()') as Promise<string>
  expect(await copied()).toMatch(/^npx badmx run --only auth\/auth-334-phish --policy may --client nodemailer/)
  await page.getByRole('button', { name: 'Copy as issue' }).click()
  await expect(page.getByRole('button', { name: 'Copied' }).last()).toBeVisible()
  expect(await copied()).toMatch(
    /^\*\*▲ leak\*\*: [^]*Reproduce with badmx [^]*\n```text\n[^]*leaked: password[^]*\n```\n$/,
  )
})

test('a capture lies beside the page', async ({ page }) => {
  await open(page, `#${LEAK}`)
  const href = await page.locator('.view.cell:visible a[download]').getAttribute('href')
  expect(readFileSync(join(RUN, href ?? '')).readUInt32LE(0)).toBe(0x0a0d0d0a)
})

test('without JavaScript the matrix and what was found can be read', async ({ browser }) => {
  const context = await browser.newContext({ javaScriptEnabled: false })
  const page = await context.newPage()
  await page.goto(urlOf(INDEX, `#${LEAK}`))
  await expect(page.locator('td.c').first()).toBeVisible()
  await expect(page.locator(`[id="${LEAK}"] .reason`)).toBeInViewport()
  await expect(page.locator(`[id="${LEAK}"] svg.ladder`).last()).toBeVisible()
  await expect(page.locator('noscript > p')).toContainText('badmx show')
  await page.screenshot({ path: picture('without-javascript') })
  await context.close()
})

const VIEWS = {
  matrix: '',
  unfolded: '#?q=policy:may',
  cell: `#${LEAK}`,
  tls: '#cell/cert/cert-wrong-name/may/reference',
  scenario: '#scenario/cert/cert-wrong-name',
  client: '#client/nodemailer',
} as const

const ALL = Object.keys(VIEWS) as (keyof typeof VIEWS)[]

for (const [name, options, views] of [
  ['light', {}, ALL],
  ['dark', { colorScheme: 'dark' }, ['matrix', 'cell', 'tls']],
  ['narrow', { viewport: { width: 320, height: 900 } }, ALL],
  ['large', { viewport: { width: 3840, height: 2160 } }, ['matrix', 'cell']],
  ['forced-colors', { forcedColors: 'active' }, ['matrix', 'cell']],
] as const satisfies readonly (readonly [string, BrowserContextOptions, readonly (keyof typeof VIEWS)[]])[]) {
  test(`axe finds nothing, nothing is wider than the page: ${name}`, async ({ browser }) => {
    const context = await browser.newContext(options)
    const page = await context.newPage()
    for (const view of views) {
      await page.goto('about:blank')
      await open(page, VIEWS[view])
      expect(await axe(page), `${view}, ${name}`).toEqual([])
      const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
      expect(overflow, `${view}, ${name}`).toBeLessThanOrEqual(0)
      if (name !== 'light') await page.screenshot({ path: picture(`${view}-${name}`) })
    }
    await context.close()
  })
}

test('hostile texts stay texts', async ({ page }) => {
  page.on('dialog', (dialog) => complaints.push(dialog.message()))
  await open(page, '', HOSTILE_PAGE)
  const source = readFileSync(HOSTILE_PAGE, 'utf8')
  expect(source).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufffe]/)
  const links = await page.locator('td.c a, tbody th a, thead a').all()
  const hashes = await Promise.all(links.map((link) => link.getAttribute('href')))
  expect(hashes.length).toBeGreaterThan(5)
  for (const hash of hashes) {
    await page.goto('about:blank')
    await open(page, hash ?? '', HOSTILE_PAGE)
    const view = page.locator('.view:visible')
    await expect(view).toHaveCount(1)
    // Nothing of what was planted is an element, and none of it runs.
    await expect(page.locator('b > b, a[href^="http"], img, iframe')).toHaveCount(0)
    await expect(page.locator('script')).toHaveCount(2)
    await expect(view).toContainText('</script><b>')
  }
  await page.screenshot({ path: picture('hostile'), fullPage: true })
  expect(await axe(page)).toEqual([])
})

test('the page is printed without what only a screen needs', async ({ page }) => {
  await open(page)
  await page.emulateMedia({ media: 'print' })
  await expect(page.locator('#q')).toBeHidden()
  await expect(page.locator('td.c').first()).toBeVisible()
})

test('two runs compared', async ({ page }) => {
  await page.goto(urlOf(COMPARISON))
  await expect(page.locator('h1')).toHaveText('badmx: comparison')
  await expect(page.locator('h2', { hasText: 'Added' })).toBeVisible()
  expect(await axe(page)).toEqual([])
  await page.screenshot({ path: picture('comparison') })
})
