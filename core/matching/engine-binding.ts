import { BailiffError, quote } from '../errors.ts'
import type { CompiledFilter, DateReading, MatcherPlugin, Scanner } from '../plugin.ts'
import type { JailFilter } from './messages.ts'

/** What a set of jails needs: some scanners, and the jails that each of their filters stands for. */
export interface Bound {
  readonly scanners: readonly BoundScanner[]
  /** The place of each jail in the order asked for. */
  readonly order: ReadonlyMap<string, number>
}

export interface BoundScanner {
  readonly scanner: Scanner
  /** How the dates of the lines are read for its filters. */
  readonly dates: DateReading | null
  /** What its filters stand for, by their index; it did not take all of them. */
  readonly filters: readonly FilterJails[]
  /** The jails of the filters that it took. */
  readonly jails: readonly string[]
  /** The same, those of one filter together. */
  readonly byFilter: readonly (readonly string[])[]
}

/** A filter, matched once, and the jails that use it. */
export interface FilterJails {
  readonly filter: CompiledFilter
  readonly jails: readonly string[]
}

/** Sets of jails remembered, beside those of one jail. */
const maxBound = 200

/** Gives the filters of jails to engines, each to the first that takes it, and remembers what came of it. */
export class EngineBinding {
  readonly #engines: readonly MatcherPlugin[]
  readonly #known: ReadonlyMap<string, { readonly filter: CompiledFilter; readonly key: string }>
  readonly #bound = new Map<string, Bound>()

  constructor(setup: { readonly jails: readonly JailFilter[]; readonly engines: readonly MatcherPlugin[] }) {
    this.#engines = setup.engines
    this.#known = new Map(setup.jails.map(({ jail, filter }) => [jail, { filter, key: JSON.stringify(filter) }]))
  }

  /** Throws a BailiffError for a jail that is not known, and when no engine takes a filter. */
  for(jails: readonly string[]): Bound {
    const key = jails.join('\0')
    const bound = this.#bound.get(key) ?? this.#bind(jails)
    this.#bound.delete(key)
    this.#bound.set(key, bound)
    // More than one line of one chunk can ask for, so none goes while it is in use.
    for (const [oldKey, old] of this.#bound) {
      if (this.#bound.size <= maxBound + this.#known.size) break
      for (const { scanner } of old.scanners) scanner.dispose?.()
      this.#bound.delete(oldKey)
    }
    return bound
  }

  #bind(jails: readonly string[]): Bound {
    const order = new Map(jails.map((jail, index) => [jail, index]))
    // A line has one head for all filters of a scanner, so filters that read dates otherwise have their own.
    const byDates = new Map<string, FilterJails[]>()
    for (const one of this.#distinct(jails)) {
      const key = JSON.stringify(one.filter.dates ?? null)
      byDates.set(key, [...(byDates.get(key) ?? []), one])
    }
    return { scanners: [...byDates.values()].flatMap((filters) => this.#bindAlike(filters)), order }
  }

  /** The scanners of filters that read dates alike. */
  #bindAlike(filters: readonly FilterJails[]): BoundScanner[] {
    let rest = filters
    const dates = filters[0]?.filter.dates ?? null
    const reasons: string[] = []
    const scanners: BoundScanner[] = []
    for (const engine of this.#engines) {
      if (rest.length === 0) break
      const scanner = engine.compile(rest.map(({ filter }) => filter))
      const took = new Set(scanner.took)
      const byFilter = scanner.took.map((index) => rest[index]?.jails ?? [])
      for (const { filter, reason } of scanner.left ?? []) reasons.push(`${rest[filter]?.filter.name}: ${reason}`)
      // The scanner goes on naming filters by their index in what it was given.
      if (took.size > 0) scanners.push({ scanner, dates, filters: rest, jails: byFilter.flat(), byFilter })
      else scanner.dispose?.()
      rest = rest.filter((_, index) => !took.has(index))
    }
    if (rest.length > 0) refuse(rest, reasons)
    return scanners
  }

  #distinct(jails: readonly string[]): FilterJails[] {
    const distinct = new Map<string, { filter: CompiledFilter; jails: string[] }>()
    for (const jail of new Set(jails)) {
      const one = this.#known.get(jail)
      if (!one) throw new BailiffError('software', `the scanner knows no jail ${quote(jail)}`)
      const same = distinct.get(one.key)
      if (same) same.jails.push(jail)
      else distinct.set(one.key, { filter: one.filter, jails: [jail] })
    }
    return [...distinct.values()]
  }
}

function refuse(rest: readonly FilterJails[], reasons: readonly string[]): never {
  const names = rest.map(({ filter }) => quote(filter.name)).join(', ')
  throw new BailiffError('config', `no matcher takes the filters ${names}${reasons.map((one) => `; ${one}`).join('')}`)
}
