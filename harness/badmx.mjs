#!/usr/bin/env node
/**
 * The launcher. In an installed package it starts the compiled program. In a checkout it first installs and builds what is
 * missing or older than the sources, and says so.
 */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const compiled = join(root, 'dist', 'harness', 'main.js')

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 20)) {
  process.stderr.write(`badmx: this is Node ${process.versions.node}; badmx needs 20.20 or later\n`)
  process.exit(2)
}

/** Runs a program of the project with its output on stderr: stdout is for results. */
async function step(title, program, args) {
  const { spawnSync } = await import('node:child_process')
  process.stderr.write(`badmx: ${title} …\n`)
  const done = spawnSync(program, args, { cwd: root, stdio: ['ignore', 2, 2] })
  if (done.status === 0) return
  process.stderr.write(
    `badmx: ${title} failed${done.error ? `: ${done.error.message}` : ''}; run it by hand in ${root}: ${program} ${args.join(' ')}\n`,
  )
  process.exit(3)
}

/** What is compiled: of tests nothing is started here, and of YAML the build reads personas alone. */
const SOURCE = /(?<!\.test)\.ts$|\/personas\/[^/]+\.yaml$/

/** The newest change of a source below a folder, in milliseconds. */
function newest(folder) {
  let latest = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) latest = Math.max(latest, newest(path))
    else if (SOURCE.test(path)) latest = Math.max(latest, statSync(path).mtimeMs)
  }
  return latest
}

// A published package has no compiler settings and is complete as it is.
if (existsSync(join(root, 'tsconfig.json'))) {
  const lock = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(lock) || statSync(lock).mtimeMs < statSync(join(root, 'package-lock.json')).mtimeMs) {
    await step('installing what it is made of', 'npm', ['ci', '--no-audit', '--no-fund'])
  }
  const sources = ['peers', 'scenarios', 'reports', 'harness'].map((folder) => newest(join(root, folder)))
  const built = join(root, 'dist', '.built')
  if (!existsSync(compiled) || !existsSync(built) || statSync(built).mtimeMs < Math.max(...sources)) {
    await step('building', process.execPath, [join(root, 'harness', 'check', 'build.mjs')])
  }
}

const { start } = await import(compiled)
await start()
