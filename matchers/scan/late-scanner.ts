import type { CompiledFilter, FoundLine, KeptTables, LineBlock, Scanner } from '../../core/plugin.ts'
import regexp from '../regexp/index.ts'
import { BlockScanner } from './block-scanner.ts'
import { groupFilters, whyNotTaken, type FilterGroup } from './filter-groups.ts'
import { KeptPlan, type ScannerPlan } from './kept-tables.ts'
import { loadKernelCode } from './kernel.ts'
import { rarestLiterals } from './literal-choice.ts'
import { windowsOf } from './literal-tables.ts'
import { makeTables } from './tables.ts'

/** Smaller blocks are those of a log that brings a few lines at a time: for them nothing is gained. */
const largeBlock = 32 * 1024
/** So much of the log says which of their bytes literals are looked for by. */
const sampleBytes = 16 * 1024

/** A scanner that makes its tables when so many bytes came in large blocks, or has them from `kept`; up to then V8 does all. */
export function compileFrom(filters: readonly CompiledFilter[], bytesBefore: number, kept?: KeptTables): Scanner {
  const reasons = filters.map(whyNotTaken)
  const took = [...filters.keys()].filter((index) => reasons[index] === null)
  const left = reasons.flatMap((reason, filter) => (reason === null ? [] : [{ filter, reason }]))
  if (took.length === 0) return { took, left, scan: () => {} }
  const scanner = new LateScanner(filters, took, bytesBefore, kept)
  return {
    took,
    left,
    room: (bytes) => scanner.kernel?.room(bytes) ?? null,
    countLines: (bytes, longest) => scanner.kernel?.countLines(bytes, longest) ?? null,
    byRegexp: () => scanner.byRegexp(),
    prepare: (bytes) => scanner.prepare(bytes),
    scan: (block, found) => scanner.scan(block, found),
    count: (block) => scanner.count(block),
  }
}

class LateScanner {
  /** Null until it is worth its tables, and where no filter fits them. */
  kernel: BlockScanner | null = null
  readonly #filters: readonly CompiledFilter[]
  readonly #took: readonly number[]
  readonly #kept: KeptTables | undefined
  #keep: (bytes: number) => void = () => {}
  #bytesBefore: number
  #isGrown = false
  /** V8, for the filters that have no tables, or none yet; null: there are none. */
  #plain: PlainScanner | null

  constructor(
    filters: readonly CompiledFilter[],
    took: readonly number[],
    bytesBefore: number,
    kept: KeptTables | undefined,
  ) {
    this.#filters = filters
    this.#took = took
    this.#kept = kept
    this.#bytesBefore = bytesBefore
    this.#plain = bytesBefore > 0 ? plainScanner(filters, took) : null
  }

  /** Makes now what the next block would have made. */
  prepare(bytes: Uint8Array): boolean {
    if (!this.#isGrown && bytes.length >= Math.max(largeBlock, this.#bytesBefore)) this.#makeTables(bytes)
    this.#plain?.prepare()
    return this.#isGrown
  }

  scan(block: LineBlock, found: (line: FoundLine) => void): void {
    this.#grow(block)
    this.kernel?.scan(block, found)
    this.#plain?.scan(block, found)
    this.#keep(block.bytes.length)
  }

  count(block: LineBlock): number {
    this.#grow(block)
    let told = 0
    this.#plain?.scan(block, () => void told++)
    told += this.kernel?.count(block) ?? 0
    this.#keep(block.bytes.length)
    return told
  }

  byRegexp(): { filter: number; reason: string }[] {
    return this.#group().left
  }

  /** Makes the tables when so much has come. */
  #grow({ bytes }: LineBlock): void {
    if (this.#isGrown) return
    if (bytes.length >= largeBlock) this.#bytesBefore -= bytes.length
    if (this.#bytesBefore > 0) return
    this.#makeTables(bytes)
  }

  #group(): { groups: readonly FilterGroup[]; left: { filter: number; reason: string }[] } {
    return groupFilters(this.#filters, this.#took)
  }

  /** `log`: some of what they are to go over. */
  #makeTables(log: Uint8Array): void {
    this.#isGrown = true
    const kept = this.#kept && new KeptPlan(this.#kept, this.#filters)
    const plan = kept?.read() ?? this.#plan(log.subarray(0, sampleBytes))
    const { groups, left, windows, made } = plan
    if (groups.length > 0) {
      const tables = makeTables(loadKernelCode(), this.#filters, groups, windows, made)
      this.kernel = new BlockScanner(tables, this.#filters, groups, windows !== null)
      this.#keep = (bytes) => kept?.scanned(bytes, { groups, left, windows }, tables)
    }
    this.#plain = plainScanner(
      this.#filters,
      left.map(({ filter }) => filter),
    )
  }

  #plan(sample: Uint8Array): ScannerPlan {
    const { groups, left } = this.#group()
    const inTables = groups.flatMap(({ filters }) => filters.flatMap(({ filter }) => this.#filters[filter] ?? []))
    const literals = inTables.length === 0 ? null : rarestLiterals(inTables, sample)
    return { groups, left, windows: literals && windowsOf(literals, sample), made: [] }
  }
}

/** V8 for some of the filters, which it names by their index among all. Compiled late: it may be that no block needs it. */
class PlainScanner {
  readonly #filters: readonly CompiledFilter[]
  readonly #some: readonly number[]
  #scanner: Scanner | null = null

  constructor(filters: readonly CompiledFilter[], some: readonly number[]) {
    this.#filters = filters
    this.#some = some
  }

  prepare(): Scanner {
    this.#scanner ??= regexp.compile(this.#some.flatMap((index) => this.#filters[index] ?? []))
    return this.#scanner
  }

  scan(block: LineBlock, found: (line: FoundLine) => void): void {
    this.prepare().scan(block, (line) => found({ ...line, filter: this.#some[line.filter] ?? 0 }))
  }
}

function plainScanner(filters: readonly CompiledFilter[], some: readonly number[]): PlainScanner | null {
  return some.length === 0 ? null : new PlainScanner(filters, some)
}
