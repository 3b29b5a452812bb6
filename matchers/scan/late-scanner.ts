import type { CompiledFilter, FoundLine, LineBlock, Scanner } from '../../core/plugin.ts'
import regexp from '../regexp/index.ts'
import { literalsOf } from '../regexp/prefilter.ts'
import { BlockScanner } from './block-scanner.ts'
import { groupFilters, whyNotTaken, type FilterGroup } from './filter-groups.ts'
import { loadKernelCode } from './kernel.ts'
import { windowsOf } from './literal-tables.ts'
import { makeTables } from './tables.ts'

/** Smaller blocks are those of a log that brings a few lines at a time: for them nothing is gained. */
const largeBlock = 32 * 1024

/** A scanner that makes its tables when so many bytes came in large blocks; up to then V8 does all. */
export function compileFrom(filters: readonly CompiledFilter[], bytesBefore: number): Scanner {
  const reasons = filters.map(whyNotTaken)
  const took = [...filters.keys()].filter((index) => reasons[index] === null)
  const left = reasons.flatMap((reason, filter) => (reason === null ? [] : [{ filter, reason }]))
  if (took.length === 0) return { took, left, scan: () => {} }
  const scanner = new LateScanner(filters, took, bytesBefore)
  return {
    took,
    left,
    room: (bytes) => scanner.kernel?.room(bytes) ?? null,
    countLines: (bytes, longest) => scanner.kernel?.countLines(bytes, longest) ?? null,
    byRegexp: () => scanner.byRegexp(),
    scan: (block, found) => scanner.scan(block, found),
    count: (block) => scanner.count(block),
  }
}

class LateScanner {
  /** Null until it is worth its tables, and where no filter fits them. */
  kernel: BlockScanner | null = null
  readonly #filters: readonly CompiledFilter[]
  readonly #took: readonly number[]
  #bytesBefore: number
  /** V8, for the filters that have no tables, or none yet; null: there are none. */
  #plain: PlainScanner | null

  constructor(filters: readonly CompiledFilter[], took: readonly number[], bytesBefore: number) {
    this.#filters = filters
    this.#took = took
    this.#bytesBefore = bytesBefore
    this.#plain = bytesBefore > 0 ? plainScanner(filters, took) : null
    if (bytesBefore <= 0) this.#makeTables()
  }

  scan(block: LineBlock, found: (line: FoundLine) => void): void {
    this.#grow(block)
    this.kernel?.scan(block, found)
    this.#plain?.(block, found)
  }

  count(block: LineBlock): number {
    this.#grow(block)
    let told = 0
    this.#plain?.(block, () => void told++)
    return told + (this.kernel?.count(block) ?? 0)
  }

  byRegexp(): { filter: number; reason: string }[] {
    return this.#group().left
  }

  /** Makes the tables when so much has come. */
  #grow(block: LineBlock): void {
    if (this.#bytesBefore > 0 && block.bytes.length >= largeBlock) {
      this.#bytesBefore -= block.bytes.length
      if (this.#bytesBefore <= 0) this.#makeTables()
    }
  }

  #group(): { groups: readonly FilterGroup[]; left: { filter: number; reason: string }[] } {
    return groupFilters(this.#filters, this.#took)
  }

  #makeTables(): void {
    const { groups, left } = this.#group()
    const inTables = groups.flatMap(({ filters }) => filters.map(({ filter }) => this.#filters[filter]))
    if (inTables.length > 0) {
      const literals = inTables.map((filter) => (filter === undefined ? [] : literalsOf(filter)))
      const windows = literals.includes(null) ? null : windowsOf(literals.flatMap((some) => some ?? []))
      const tables = makeTables(loadKernelCode(), this.#filters, groups, windows)
      this.kernel = new BlockScanner(tables, this.#filters, groups, windows !== null)
    }
    this.#plain = plainScanner(
      this.#filters,
      left.map(({ filter }) => filter),
    )
  }
}

type PlainScanner = (block: LineBlock, found: (line: FoundLine) => void) => void

/** V8 for some of the filters, which it names by their index among all. */
function plainScanner(filters: readonly CompiledFilter[], some: readonly number[]): PlainScanner | null {
  if (some.length === 0) return null
  const scanner = regexp.compile(some.flatMap((index) => filters[index] ?? []))
  if (some.every((index, place) => index === place)) return (block, found) => scanner.scan(block, found)
  return (block, found) => scanner.scan(block, (line) => found({ ...line, filter: some[line.filter] ?? 0 }))
}
