import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Whether somebody took all bans out of the firewall with `bailiff pause`. It is kept in a file, so
 * that no restart puts them back behind the back of who did it.
 */
export class Pause {
  readonly #file: string
  #since: number | null

  /** `folder`: where the state is kept; it has to be there. */
  constructor(folder: string) {
    this.#file = join(folder, 'paused')
    this.#since = readSince(this.#file)
  }

  /** Since when, unix milliseconds; null: bans are enforced. */
  get since(): number | null {
    return this.#since
  }

  /** Throws what writing a file throws; the pause holds for this run then all the same. */
  begin(now: number): void {
    this.#since ??= now
    writeFileSync(`${this.#file}.new`, `${new Date(this.#since).toISOString()}\n`, { mode: 0o600 })
    renameSync(`${this.#file}.new`, this.#file)
  }

  end(): void {
    this.#since = null
    rmSync(this.#file, { force: true })
  }
}

/** A file that says nothing readable is a pause all the same: somebody wanted it. */
function readSince(file: string): number | null {
  try {
    const time = Date.parse(readFileSync(file, 'utf8').trim())
    return Number.isNaN(time) ? 0 : time
  } catch {
    return null
  }
}
