/** Forms that are counted apart; a log has few, and each pattern of a configuration is one. */
const maxForms = 100

/** How many lines have a date of each form. */
export class DateCounts {
  readonly #counts = new Map<string | null, number>()

  /** Null: the line has none. */
  count(form: string | null): void {
    const known = this.#counts.get(form)
    if (known !== undefined || this.#counts.size < maxForms) this.#counts.set(form, (known ?? 0) + 1)
  }

  /** How many lines have each form, the most first. */
  rows(): [count: number, form: string][] {
    return [...this.#counts].toSorted(([, a], [, b]) => b - a).map(([form, count]) => [count, form ?? 'none'])
  }
}
