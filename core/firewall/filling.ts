/** Puts entries into sets that may be full: what fits goes in, and what does not is said. */
import type { Entry } from './admission.ts'
import { BackendError, type Backend, type Entered } from './backend.ts'
import type { WirePorts } from './messages.ts'
import { setName } from './set-names.ts'

export class Filling {
  readonly #backend: Backend
  readonly #onFull: (set: string) => void
  /** Sets that took no more when they were last asked. */
  readonly #full = new Set<string>()

  /** `onFull` hears of a set each time that it has no room. */
  constructor(backend: Backend, onFull: (set: string) => void) {
    this.#backend = backend
    this.#onFull = onFull
  }

  /** As `Backend.add`, but a full set takes what it has room for, and others are not concerned. Answers what has no room. */
  async add(entries: readonly Entry[]): Promise<readonly Entry[]> {
    try {
      if (this.#full.size === 0) {
        await this.#backend.add(entries)
        return []
      }
    } catch (error) {
      if (!isFull(error)) throw error
    }
    const left: Entry[] = []
    for (const [name, group] of bySet(entries)) left.push(...(await this.#fill(name, group)))
    return left
  }

  /** As `Backend.sync`, and answers what has no room. */
  async sync(entries: readonly Entry[], ports: readonly WirePorts[], entered?: Entered): Promise<readonly Entry[]> {
    try {
      await this.#backend.sync(entries, ports, entered)
      this.#full.clear()
      return []
    } catch (error) {
      if (!isFull(error)) throw error
    }
    // What is there has its room; the rest is added as far as there is some.
    const held = new Set((await this.#backend.list()).map(keyOf))
    const [there, missing] = [new Array<Entry>(), new Array<Entry>()]
    for (const entry of entries) (held.has(keyOf(entry)) ? there : missing).push(entry)
    await this.#backend.sync(there, ports, entered)
    return this.add(missing)
  }

  /** As many entries of one set as it takes; answers the others. */
  async #fill(name: string, entries: readonly Entry[]): Promise<readonly Entry[]> {
    // A set that was full is asked with one entry first.
    let size = this.#full.has(name) ? 1 : entries.length
    let grows = true
    for (let at = 0; at < entries.length;) {
      try {
        await this.#backend.add(entries.slice(at, at + size))
        this.#full.delete(name)
        at += size
        if (grows) size *= 4
      } catch (error) {
        if (!isFull(error)) throw error
        if (size === 1) {
          this.#full.add(name)
          this.#onFull(name)
          return entries.slice(at)
        }
        grows = false
        size = Math.ceil(Math.min(size, entries.length - at) / 2)
      }
    }
    return []
  }
}

function bySet(entries: readonly Entry[]): Map<string, Entry[]> {
  const groups = new Map<string, Entry[]>()
  for (const entry of entries) {
    const name = setName(entry)
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [entry])
    else group.push(entry)
  }
  return groups
}

const keyOf = (entry: Entry): string => `${setName(entry)} ${entry.address}`

function isFull(error: unknown): error is BackendError {
  return error instanceof BackendError && error.code === 'set-full'
}
