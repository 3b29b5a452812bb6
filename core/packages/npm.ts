/** Runs npm, which is where Node is: without a shell, without scripts of packages, with what it prints bounded. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { BailiffError, printable } from '../errors.ts'
import { isRecord } from '../settings/sourced.ts'

const usualDeadlineMs = 300_000
const maxOutput = 8 << 20

/** What a run of npm left behind. */
export interface NpmRun {
  readonly code: number
  /** What it printed, as JSON; null: it is none. */
  readonly json: unknown
  /** Why it failed, in a line or two; empty where it did not say. */
  readonly why: string
  /** Its code of the failure (`E404`, `ENOTFOUND`); empty where it did not say. */
  readonly errorCode: string
}

/**
 * Runs npm with `--json` in a folder, from whose `.npmrc` it may take nothing of a package: a folder of ours. Throws a
 * BailiffError where it cannot be run, and (`try-again`) where it is not ready in time.
 */
export async function runNpm(words: readonly string[], folder: string, deadlineMs = usualDeadlineMs): Promise<NpmRun> {
  const [program, ...before] = npmCommand()
  const fixed = ['--json', '--ignore-scripts', '--no-fund', '--no-update-notifier', '--loglevel=error']
  const { code, stdout, stderr } = await run(program, [...before, ...fixed, ...words], folder, deadlineMs)
  const json = parsed(stdout)
  const error = isRecord(json) && isRecord(json.error) ? json.error : {}
  const summary = typeof error.summary === 'string' ? error.summary : ''
  const said = stderr.split('\n').filter((line) => /^npm error (?!code|A complete log|errno|syscall)/.test(line))
  const why = summary || (said[0] ?? '').replace(/^npm error /, '')
  const errorCode = typeof error.code === 'string' ? error.code : (/^npm error code (\w+)/m.exec(stderr)?.[1] ?? '')
  return { code, json, why: printable(why.split('\n')[0] ?? '').slice(0, 300), errorCode }
}

/** The program of npm: that which came with this Node where it can be found, else the one on the path. */
function npmCommand(): [string, ...string[]] {
  const beside = join(dirname(process.execPath), '../lib/node_modules/npm/bin/npm-cli.js')
  return existsSync(beside) ? [process.execPath, beside] : ['npm']
}

function run(program: string, words: readonly string[], cwd: string, timeout: number) {
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve, reject) => {
    const child = spawn(program, words, { cwd, stdio: ['ignore', 'pipe', 'pipe'], timeout })
    const texts = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const)
      child[name].setEncoding('utf8').on('data', (data: string) => {
        if (texts[name].length < maxOutput) texts[name] += data
      })
    child.on('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'ENOENT' ? 'it is not installed' : cause.message
      const hint = 'plugins are fetched and unpacked by npm, which comes with Node; on Debian: apt install npm'
      reject(new BailiffError('unavailable', `npm cannot be run: ${why}`, { hint, cause }))
    })
    child.on('close', (code, signal) => {
      if (signal === null) resolve({ code: code ?? 1, ...texts })
      else
        reject(
          new BailiffError('try-again', `npm was ended by ${signal}, at the latest after ${timeout / 60_000} min`, {
            hint: 'is the registry of packages there? "npm ping" asks it',
          }),
        )
    })
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
