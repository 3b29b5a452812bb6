import { closeSync, constants, fstatSync, openSync, readSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BailiffError, describeError } from './errors.ts'

const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = constants
/** A time of day as ISO 8601 is 24 bytes. */
const longestTime = 64

/**
 * Whether somebody took all bans out of the firewall with `bailiff pause`. It is kept in a file, so
 * that no restart puts them back behind the back of who did it.
 */
export class Pause {
  readonly #file: string
  #since: number | null
  /** What is wrong with the file, for people: it is a pause all the same. Null: nothing. */
  readonly doubt: string | null

  /** `folder`: where the state is kept; it has to be there. */
  constructor(folder: string) {
    this.#file = join(folder, 'paused')
    const { since, doubt } = readPause(this.#file)
    this.#since = since
    this.doubt = doubt === null ? null : `${this.#file} ${doubt}`
  }

  /** Since when, unix milliseconds; null: bans are enforced. 0: nobody knows. */
  get since(): number | null {
    return this.#since
  }

  /** Throws what writing a file throws; the pause holds for this run then all the same. */
  begin(now: number): void {
    this.#since ??= now
    const made = `${this.#file}.new`
    rmSync(made, { force: true })
    // Neither into what somebody put there meanwhile, nor waiting for it.
    writeFileSync(made, `${new Date(this.#since).toISOString()}\n`, { mode: 0o600, flag: 'wx' })
    renameSync(made, this.#file)
  }

  /** Throws what removing a file throws; this run is not paused any more all the same. */
  end(): void {
    this.#since = null
    rmSync(this.#file, { force: true })
  }
}

/** Only where there is nothing at all it is no pause; anything else there is one: somebody wanted it. */
function readPause(file: string): { readonly since: number | null; readonly doubt: string | null } {
  try {
    const time = Date.parse(readStart(file).trim())
    return Number.isNaN(time) ? { since: 0, doubt: 'holds no time' } : { since: time, doubt: null }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { since: null, doubt: null }
    return { since: 0, doubt: `cannot be read: ${describeError(error)}` }
  }
}

/** The first bytes of a regular file: a link is not followed, and nothing waits for the other end of a FIFO. */
function readStart(file: string): string {
  const opened = openSync(file, O_RDONLY | O_NONBLOCK | O_NOFOLLOW)
  try {
    if (!fstatSync(opened).isFile()) throw new BailiffError('data', 'it is no regular file')
    const bytes = Buffer.alloc(longestTime)
    return bytes.toString('latin1', 0, readSync(opened, bytes))
  } finally {
    closeSync(opened)
  }
}
