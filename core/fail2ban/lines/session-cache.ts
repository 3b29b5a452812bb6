/** As many sessions are remembered, for as many seconds since their first line. */
const maxSessions = 100
const maxAge = 300

/** Remembers sessions by key. When it is full the oldest go, those that are over first. */
export class SessionCache<Session> {
  readonly #entries = new Map<string, { readonly session: Session; readonly until: number }>()

  /** `now`: unix seconds. */
  get(key: string, now: number): Session | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined || entry.until > now) return entry?.session
    this.#entries.delete(key)
    return undefined
  }

  set(key: string, session: Session, now: number): void {
    if (this.#entries.size >= maxSessions) this.#makeRoom(now)
    this.#entries.set(key, { session, until: now + maxAge })
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }

  #makeRoom(now: number): void {
    for (const [key, { until }] of this.#entries) {
      this.#entries.delete(key)
      if (until > now) return
    }
  }
}
