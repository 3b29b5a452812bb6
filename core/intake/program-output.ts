import { spawn, type ChildProcess } from 'node:child_process'
import type { Readable } from 'node:stream'
import { BailiffError, printable } from '../errors.ts'
import type { Logger, RunProgram } from '../plugin.ts'
import { pause } from './scanner.ts'

/** While a program prints without a pause its output gathers for so long; what comes after a pause is given at once. */
const gatherMs = 10
const gatherBelowBytes = 64 * 1024
/** So much is read ahead of what is taken, and given at once. */
const aheadBytes = 192 * 1024
/** A line of standard error is cut there. */
const maxSaid = 500
/** A program that is asked to end is killed after this time. */
const patienceMs = 2000

/**
 * Runs a program without a shell, in a process group of its own, and gives what it prints: each time all
 * that has come. The program ends when `signal` aborts, which ends the loop in order, and when the loop is
 * left. Throws a BailiffError when it cannot be run, and when it ends by itself, whatever its exit code.
 */
export async function* programOutput(
  [program = '', ...words]: readonly string[],
  { env = {}, said, log }: RunProgram & { readonly log: Logger },
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (signal.aborted) return
  const surroundings = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8', ...env }
  const child = spawn(program, words, {
    detached: true,
    cwd: '/',
    env: surroundings,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ending = new Promise<string>((resolve, reject) => {
    child.once('error', (cause) => reject(new BailiffError('unavailable', notRun(program, cause), { cause })))
    child.once('close', (code, killedBy) => resolve(killedBy ?? `exit code ${code}`))
  })
  ending.catch(() => {})
  const stop = () => end(child)
  signal.addEventListener('abort', stop, { once: true })
  const lines = new SaidLines(said ?? ((line) => log.warn({ program }, `${program} says: ${line}`)), stop)
  child.stderr.on('data', (data: Buffer) => lines.take(data))
  try {
    yield* gathered(child.stdout, signal)
    const how = await ending
    if (lines.failure !== undefined) throw lines.failure
    if (!signal.aborted) throw new BailiffError('unavailable', `${program} ended with ${how}${lines.lastWords}`)
  } finally {
    signal.removeEventListener('abort', stop)
    stop()
  }
}

/** Each time all that has come, until the stream ends or `signal` aborts. It is held back while much waits. */
async function* gathered(stream: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  let waiting: Buffer[] = []
  let [bytes, ended, wake] = [0, false, () => {}]
  const finish = () => {
    ended = true
    wake()
  }
  stream.on('data', (data: Buffer) => {
    bytes += data.length
    if (waiting.push(data) > 0 && bytes >= aheadBytes) stream.pause()
    wake()
  })
  stream.once('close', finish).once('error', finish)
  signal.addEventListener('abort', finish, { once: true })
  try {
    while (!signal.aborted && (bytes > 0 || !ended)) {
      if (bytes === 0) await new Promise<void>((resolve) => (wake = resolve))
      if (bytes === 0) continue
      const all = Buffer.concat(waiting)
      ;[waiting, bytes] = [[], 0]
      stream.resume()
      yield all
      if (all.length < gatherBelowBytes) await pause(gatherMs, signal)
    }
  } finally {
    signal.removeEventListener('abort', finish)
    stream.destroy()
  }
}

/** Cuts standard error into lines. What `said` throws is kept, and ends the program. */
class SaidLines {
  failure: unknown
  readonly #said: (line: string) => void
  readonly #stop: () => void
  #rest = ''
  #last = ''

  constructor(said: (line: string) => void, stop: () => void) {
    this.#said = said
    this.#stop = stop
  }

  /** For the end of a sentence: `: the last line`. */
  get lastWords(): string {
    const last = this.#rest.trim() || this.#last
    return last && `: ${printable(last)}`
  }

  take(data: Buffer): void {
    const lines = (this.#rest + data.toString('utf8')).split('\n')
    this.#rest = (lines.pop() ?? '').slice(0, maxSaid)
    for (const line of lines) {
      this.#last = line.trim().slice(0, maxSaid) || this.#last
      if (this.failure === undefined && line.trim() !== '') this.#tell(printable(line.trim().slice(0, maxSaid)))
    }
  }

  #tell(line: string): void {
    try {
      this.#said(line)
    } catch (error) {
      this.failure = error
      this.#stop()
    }
  }
}

function notRun(program: string, cause: Error): string {
  const missing = 'code' in cause && cause.code === 'ENOENT'
  return missing ? `there is no program ${program}` : `${program} cannot be run: ${cause.message}`
}

/** Ends the program and all it started. */
function end({ pid }: ChildProcess): void {
  if (pid === undefined) return
  const kill = (signal: NodeJS.Signals) => {
    try {
      process.kill(-pid, signal)
    } catch {
      // It has ended already.
    }
  }
  kill('SIGTERM')
  setTimeout(() => kill('SIGKILL'), patienceMs).unref()
}
