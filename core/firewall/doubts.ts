import type { Entry } from './admission.ts'

/** Entries of which nobody knows whether the kernel has them as it should, each once. */
export class Doubts {
  readonly #most: number
  readonly #nameOf: (entry: Entry) => string
  readonly #entries = new Map<string, Entry>()

  constructor(most: number, nameOf: (entry: Entry) => string) {
    this.#most = most
    this.#nameOf = nameOf
  }

  /** Answers false where they would be more than it holds: then it holds none, and everything is in doubt. */
  add(entries: readonly Entry[]): boolean {
    for (const entry of entries) this.#entries.set(this.#keyOf(entry), entry)
    if (this.#entries.size <= this.#most) return true
    this.#entries.clear()
    return false
  }

  settle(entries: readonly Entry[]): void {
    if (this.#entries.size === 0) return
    for (const entry of entries) this.#entries.delete(this.#keyOf(entry))
  }

  clear(): void {
    this.#entries.clear()
  }

  all(): Entry[] {
    return [...this.#entries.values()]
  }

  #keyOf(entry: Entry): string {
    return `${this.#nameOf(entry)} ${entry.address}`
  }
}
