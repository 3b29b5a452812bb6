/**
 * Values that hold for some time, as Fail2ban keeps them: of too many those that were set first go, the outdated before
 * the others.
 */
export class TimedCache<T> {
  readonly #maxCount: number
  readonly #maxTimeMs: number
  readonly #now: () => number
  readonly #values = new Map<string, { readonly value: T; readonly until: number }>()

  constructor(maxCount: number, maxTimeMs: number, now: () => number = Date.now) {
    this.#maxCount = maxCount
    this.#maxTimeMs = maxTimeMs
    this.#now = now
  }

  get(key: string): T | undefined {
    const found = this.#values.get(key)
    if (found === undefined) return undefined
    if (found.until > this.#now()) return found.value
    this.#values.delete(key)
    return undefined
  }

  set(key: string, value: T): void {
    const now = this.#now()
    if (this.#values.size >= this.#maxCount) this.#makeRoom(now)
    this.#values.set(key, { value, until: now + this.#maxTimeMs })
  }

  #makeRoom(now: number): void {
    for (const [key, { until }] of this.#values) {
      this.#values.delete(key)
      if (until > now && this.#values.size < this.#maxCount) return
    }
  }
}
