/**
 * Runs the tests: one process a file with a kill timer, two at a time. A file without tests fails,
 * and under CI=true so does a skipped test. Arguments are parts of file names to run only those.
 * The last line is `N passed, N failed` (`, N skipped`).
 */
import { spawn, spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { has, packages, which } from './suite.ts'

const killAfterMs = 600_000
const atOnce = 2
const built = dirname(fileURLToPath(import.meta.url))
const sources = join(built, '../../test')

interface Outcome {
  passed: number
  failed: number
  skipped: number
}

const wanted = process.argv.slice(2)
installMissing()
const files = testFiles(sources).filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
const total: Outcome = { passed: 0, failed: 0, skipped: 0 }
// The children are process groups of their own, so that a kill reaches all they started; a Ctrl-C would pass them by.
const running = new Set<number>()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    for (const pid of running) process.kill(-pid, signal)
    process.exit(1)
  })
}
const queue = files.toSorted((a, b) => Number(b.startsWith('end-to-end')) - Number(a.startsWith('end-to-end')))
await Promise.all(
  Array.from({ length: atOnce }, async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const outcome = await runFile(file)
      total.passed += outcome.passed
      total.failed += outcome.failed
      total.skipped += outcome.skipped
    }
  }),
)
if (files.length === 0) console.log('no test file matches')
if (process.env.CI === 'true' && total.skipped > 0)
  console.log(`CI=true: ${total.skipped} skipped tests make this run fail`)
const ok = total.failed === 0 && total.passed > 0 && !(process.env.CI === 'true' && total.skipped > 0)
process.exitCode = ok ? 0 : 1
console.log(`${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`)

function testFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .toSorted()
}

function runFile(file: string): Promise<Outcome> {
  return new Promise((resolve) => {
    const started = performance.now()
    const child = spawn(process.execPath, [join(built, file.replace(/\.ts$/, '.js'))], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, FORCE_COLOR: '0', NO_COLOR: '1' },
      detached: true,
    })
    if (child.pid !== undefined) running.add(child.pid)
    let output = ''
    child.stdout.on('data', (data) => (output += data))
    child.stderr.on('data', (data) => (output += data))
    let late = false
    const timer = setTimeout(() => {
      late = true
      process.kill(-child.pid!, 'SIGKILL')
    }, killAfterMs)
    child.on('close', (code, signal) => {
      if (child.pid !== undefined) running.delete(child.pid)
      clearTimeout(timer)
      const outcome = readOutcome(output, code === 0 && !late)
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      const ended = late ? ` killed after ${killAfterMs / 1000} s` : signal ? ` ended by ${signal}` : ''
      console.log(
        `${outcome.failed > 0 ? 'FAIL' : ' ok '} ${file} ${outcome.passed} passed, ${outcome.skipped} skipped, ${seconds} s${ended}`,
      )
      if (outcome.failed > 0) console.log(output.replace(/^/gm, '     '))
      resolve(outcome)
    })
  })
}

/** Reads uvu's closing lines. A file that ran nothing, or ended badly, counts as one failure at least. */
function readOutcome(output: string, ended: boolean): Outcome {
  const number = (word: string) =>
    [...output.matchAll(new RegExp(`^ {2}${word}: +(\\d+)`, 'gm'))].reduce((sum, found) => sum + Number(found[1]), 0)
  const totalTests = number('Total')
  const passed = number('Passed')
  const skipped = number('Skipped')
  const failed = totalTests - passed
  return { passed, skipped, failed: (!ended || totalTests + skipped === 0) && failed === 0 ? 1 : failed }
}

/** On Debian as root: installs the packages whose programs are missing, and says so. */
function installMissing(): void {
  const missing = (Object.keys(packages) as (keyof typeof packages)[]).filter((need) => !has(need))
  if (missing.length === 0) return
  const names = missing.map((need) => packages[need]).join(' ')
  if (process.getuid?.() !== 0 || which('apt-get') === undefined) {
    console.log(`without ${missing.join(', ')} (Debian: ${names}) the tests that need them are skipped`)
    return
  }
  console.log(`installing ${names}: the end-to-end tests use them`)
  const run = (...words: string[]) =>
    spawnSync('apt-get', words, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
  run('update', '-qq')
  // Its exit code may speak of another package of the machine, so the programs are looked for instead.
  run('install', '-y', '-qq', '--no-install-recommends', ...names.split(' '))
  const still = missing.filter((need) => !has(need))
  if (still.length > 0) console.log(`still missing: ${still.join(', ')}`)
}
