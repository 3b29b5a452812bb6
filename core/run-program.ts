/** Runs a program for a plugin, without a shell. */
import { spawn } from 'node:child_process'
import { BailiffError, printable } from './errors.ts'
import type { GivenProgram } from './plugin.ts'

const longestOutput = 4096
/** What it said may come a little behind its end. */
const lastWordsMs = 200

/**
 * Resolves with what a program printed, on both outputs, printable and cut to 4096 characters, when it has ended with exit
 * code 0; a daemon that it leaves behind is not waited for. Throws a BailiffError where it cannot be run or ends
 * otherwise. When `signal` aborts it is killed, with all that it started.
 */
export async function runProgram(
  [program = '', ...words]: readonly string[],
  { env = {}, stdin }: GivenProgram,
  signal: AbortSignal,
): Promise<string> {
  signal.throwIfAborted()
  // A process group of its own, so that all it started ends with it.
  const child = spawn(program, words, {
    shell: false,
    detached: true,
    cwd: '/',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const killGroup = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // It has ended already.
    }
  }
  signal.addEventListener('abort', killGroup, { once: true })
  let output = ''
  const take = (data: Buffer) => (output = (output + data.toString('utf8')).slice(0, longestOutput))
  child.stdout.on('data', take)
  child.stderr.on('data', take)
  // A program that does not read it is fine.
  child.stdin.on('error', () => {})
  child.stdin.end(stdin ?? '')
  try {
    const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
    const [code, endedBy] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
      child.on('error', (cause) =>
        reject(new BailiffError('os', `${program} cannot be run: ${cause.message}`, { cause })),
      )
      child.on('exit', (...ended) => resolve(ended))
    })
    await soon(closed)
    const said = printable(output.trim())
    if (code === 0) return said
    const how = endedBy ?? `exit code ${code}`
    throw new BailiffError('unavailable', `${program} ended with ${how}${said && `: ${said}`}`)
  } finally {
    signal.removeEventListener('abort', killGroup)
    child.stdout.destroy()
    child.stderr.destroy()
  }
}

/** Resolves with the work, and no later than what it said may take. */
async function soon(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  await Promise.race([work, new Promise<void>((resolve) => (timer = setTimeout(resolve, lastWordsMs)))])
  clearTimeout(timer)
}
