/** Tells of tables that are full: nothing is given up in silence, and nothing is told without end. */

const againMs = 10 * 60_000

interface Known {
  given: number
  toldAt: number
}

/** What each table has given up, and when that was told last. */
export class FullTables {
  readonly #alarm: (subject: string, message: string) => void
  readonly #known = new Map<string, Known>()

  constructor(alarm: (subject: string, message: string) => void) {
    this.#alarm = alarm
  }

  /**
   * To be called now and then with how much a table has given up in all. Says so at once, and then every ten
   * minutes while it goes on; `message` gets how much it was since it was told last. `now`: milliseconds.
   */
  look(table: string, subject: string, givenUp: number, now: number, message: (since: number) => string): void {
    const known = this.#known.get(table) ?? { given: 0, toldAt: Number.NEGATIVE_INFINITY }
    // A table that was made anew begins anew.
    if (givenUp < known.given) known.given = 0
    if (givenUp > known.given && now - known.toldAt >= againMs) {
      this.#alarm(subject, message(givenUp - known.given))
      known.given = givenUp
      known.toldAt = now
    }
    this.#known.set(table, known)
  }
}
