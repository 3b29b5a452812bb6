/** What happened to a jail since the start. */
export interface JailEventCounts {
  readonly bans: number
  readonly unbans: number
  /** Bans that it would have made if it did not only observe. */
  readonly wouldBans: number
}

/** Jails that are gone are remembered, too, but not without end. */
const maxJails = 10_000
const none: JailEventCounts = { bans: 0, unbans: 0, wouldBans: 0 }

/** Counts what happened, by jail, since the start. */
export class JailEvents {
  readonly #jails = new Map<string, JailEventCounts>()

  add(jail: string, what: keyof JailEventCounts): void {
    const known = this.of(jail)
    if (this.#jails.size < maxJails || this.#jails.has(jail))
      this.#jails.set(jail, { ...known, [what]: known[what] + 1 })
  }

  of(jail: string): JailEventCounts {
    return this.#jails.get(jail) ?? none
  }

  get jails(): readonly string[] {
    return [...this.#jails.keys()]
  }
}
