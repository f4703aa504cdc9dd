/** The tests of pages, compiled: Debian's Chromium, no retries, and every page in a browser of its own. */
import { defineConfig } from '@playwright/test'
import { packageRoot } from '../../../peers/package-root.ts'

// biome-ignore lint/style/noDefaultExport: Playwright wants it so.
export default defineConfig({
  testDir: '.',
  testMatch: '*.spec.js',
  outputDir: `${packageRoot()}/.tap/pages/failures`,
  globalSetup: './make-reports.js',
  timeout: 60_000,
  expect: { timeout: 15_000 },
  workers: 1,
  retries: 0,
  forbidOnly: true,
  use: {
    browserName: 'chromium',
    viewport: { width: 1280, height: 720 },
    // Chromium's sandbox refuses to be root's.
    launchOptions: { executablePath: '/usr/bin/chromium', args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] },
  },
})
