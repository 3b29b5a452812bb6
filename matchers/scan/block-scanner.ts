import type { CompiledFilter, FoundLine, LineBlock, LineHead } from '../../core/plugin.ts'
import { createFilterMatcher, type FilterMatcher } from '../regexp/filter-matcher.ts'
import { notedGroups, type FilterGroup } from './filter-groups.ts'
import { FoundView, type CapturedTags } from './found-view.ts'
import { cameBack } from './kernel.ts'
import { LineKnowledge } from './line-knowledge.ts'
import type { ScannerTables } from './tables.ts'

/** States that are made for one block, at most: then who is still missing some is given to V8 for this block. */
const maxFills = 4000
/** Steps that making them takes, at most, and reading their lines again: so many bytes of these are one step. */
const [maxSteps, bytesOfStep] = [2_000_000, 32]
/** So often that happens to an automaton before it is left to V8 for good. */
const maxStrikes = 16
/** Where so much of a block was looked at, and so many of its lines were found, literals are not worth looking for. */
const [muchLooked, muchFound] = [0.6, 0.4]
/** Blocks that are then looked at line by line, before literals are tried again. */
const blocksByLine = 31

const [found, unusualLine, unsureFilter] = [0, 1, 2]

/** Scans blocks with one kernel. What a block left half done, since somebody threw, the next one forgets. */
export class BlockScanner {
  readonly #tables: ScannerTables
  readonly #filters: readonly CompiledFilter[]
  readonly #taken: readonly number[]
  readonly #knowledge: LineKnowledge
  readonly #view: FoundView
  readonly #matchers = new Map<number, FilterMatcher>()
  readonly #strikes: number[]
  readonly #searches: boolean
  /** What was made for the block, and what it took. */
  #fills = 0
  #steps = 0
  #byLine = 0
  #busy = false
  /** The line that V8 looked at last, and its head. */
  #headAt = -1
  #head: LineHead | null = null

  /** `taken`: the indexes of the filters in the groups; `searches`: whether the tables have literals. */
  constructor(
    tables: ScannerTables,
    filters: readonly CompiledFilter[],
    groups: readonly FilterGroup[],
    searches: boolean,
  ) {
    this.#tables = tables
    this.#filters = filters
    this.#taken = groups.flatMap((group) => group.filters.map(({ filter }) => filter)).toSorted((a, b) => a - b)
    this.#knowledge = new LineKnowledge(tables, groups)
    this.#searches = searches
    this.#strikes = tables.automata.map(() => 0)
    const tags = filters.map(tagsOf)
    this.#view = new FoundView(
      tables.memory,
      tables.textAt,
      this.#knowledge.programs,
      (filter, rule) => tags[filter]?.(rule) ?? [null, noTags],
    )
  }

  /** Where bytes are best put that are to be scanned. */
  room(bytes: number): Uint8Array {
    const { memory, textAt, textBytes } = this.#tables
    return memory.u8.subarray(textAt, textAt + Math.min(bytes, textBytes))
  }

  /** How many lines these bytes are; null where one is longer than that, and where they lie elsewhere. */
  countLines({ buffer, byteOffset, length }: Uint8Array, longest: number): number | null {
    const { kernel, memory } = this.#tables
    if (buffer !== memory.memory.buffer) return null
    const [from, to] = [byteOffset, byteOffset + length]
    return kernel.hasLongLine(from, to, longest) ? null : kernel.newlines(from, to)
  }

  scan(block: LineBlock, tell: (line: FoundLine) => void): void {
    this.#scan(block, tell, false)
  }

  /** How often `scan` would tell of a line. */
  count(block: LineBlock): number {
    let told = 0
    return this.#scan(block, () => void told++, true) + told
  }

  /** Answers how many lines were counted and not told of. */
  #scan(block: LineBlock, tell: (line: FoundLine) => void, counts: boolean): number {
    let counted = 0
    if (this.#busy) this.#recover()
    this.#busy = true
    this.#knowledge.forgetMinutes()
    this.#headAt = -1
    const { bytes } = block
    const { memory, textAt, textBytes } = this.#tables
    if (bytes.buffer === memory.memory.buffer) {
      const from = bytes.byteOffset - textAt
      counted += this.#scanPart(block, from, from + bytes.length, from, tell, counts)
    } else {
      for (let from = 0; from < bytes.length;) {
        const to = bytes.length - from <= textBytes ? bytes.length : bytes.lastIndexOf(10, from + textBytes - 1) + 1
        memory.u8.set(bytes.subarray(from, to), textAt)
        counted += this.#scanPart(block, 0, to - from, -from, tell, counts)
        from = to
      }
    }
    this.#knowledge.tellLooked(block)
    this.#busy = false
    return counted
  }

  /** Scans a part of the kernel's text; `base` is where the block begins in it. */
  #scanPart(
    block: LineBlock,
    from: number,
    to: number,
    base: number,
    tell: (line: FoundLine) => void,
    counts: boolean,
  ): number {
    const { kernel, recordsAt } = this.#tables
    const searches = this.#searches && this.#byLine === 0
    if (this.#byLine > 0) this.#byLine--
    this.#allowAll()
    kernel.begin(from, to, searches, counts)
    this.#fills = 0
    this.#steps = 0
    for (let came = -1; came !== cameBack.done;) {
      came = kernel.scan()
      this.#tellRecords(block, recordsAt, kernel.written(), base, tell)
      if (came === cameBack.missesState) this.#fill()
      else if (came === cameBack.missesMinute) this.#knowledge.tellMinute(block, base)
      else if (came === cameBack.missesProgram) this.#knowledge.tellProgram(block)
    }
    const isBusy = kernel.lookedBytes() > (to - from) * muchLooked && kernel.answeredBytes() > (to - from) * muchFound
    if (searches && isBusy) this.#byLine = blocksByLine
    return kernel.countedRecords()
  }

  #fill(): void {
    const { kernel, automata, memory } = this.#tables
    const index = kernel.missingAutomaton()
    const one = automata[index]
    if (one === undefined) return
    if (this.#fills < maxFills && this.#steps < maxSteps) {
      this.#fills++
      this.#steps += one.automaton.fill(kernel.missingState(), kernel.missingClass())
      this.#steps += (kernel.missedTo() - kernel.missedFrom()) / bytesOfStep
      return
    }
    // A content is looked at by way of the group of its filter.
    const off = automata.filter(({ filters }) => one.filters.some((filter) => filters.includes(filter)))
    for (const { offAt } of off) memory.u32[offAt >> 2] = 1
    this.#strikes[index] = (this.#strikes[index] ?? 0) + 1
  }

  /** Lets automata work again that were given to V8 for the last block. */
  #allowAll(): void {
    const { automata, memory } = this.#tables
    const struckOut = new Set(
      automata.flatMap(({ filters }, index) => ((this.#strikes[index] ?? 0) >= maxStrikes ? filters : [])),
    )
    for (const { offAt, filters } of automata)
      memory.u32[offAt >> 2] = filters.some((one) => struckOut.has(one)) ? 1 : 0
  }

  #tellRecords(block: LineBlock, from: number, to: number, base: number, tell: (line: FoundLine) => void): void {
    const { u32 } = this.#tables.memory
    const view = this.#view
    for (let at = from; at < to; at += u32[at >> 2] ?? to) {
      if (u32[(at >> 2) + 1] === found) {
        view.open(at, base)
        tell(view)
      } else this.#ask(block, at >> 2, base, tell)
    }
  }

  /** Has V8 look at a line. */
  #ask(block: LineBlock, record: number, base: number, tell: (line: FoundLine) => void): void {
    const { memory, automata } = this.#tables
    const { u32 } = memory
    const [kind, subject] = [u32[record + 1], u32[record + 2] ?? 0]
    const [start, end] = [(u32[record + 4] ?? 0) - base, (u32[record + 5] ?? 0) - base]
    const head = this.#headAt === start && this.#head !== null ? this.#head : block.head(start, end)
    this.#head = head
    this.#headAt = start
    const asked =
      kind === unusualLine ? this.#taken : kind === unsureFilter ? [subject] : (automata[subject]?.filters ?? [])
    for (const filter of asked) {
      const match = this.#matcher(filter)(head)
      if (match === null) continue
      const { rule, address, groups } = match
      tell({ filter, rule, start, end, address, head, groups })
    }
  }

  #matcher(filter: number): FilterMatcher {
    const known = this.#matchers.get(filter)
    if (known !== undefined) return known
    const compiled = this.#filters[filter]
    const matcher = compiled === undefined ? () => null : createFilterMatcher(compiled)
    this.#matchers.set(filter, matcher)
    return matcher
  }

  /** A block was stopped anywhere: what was being made may be half made. */
  #recover(): void {
    for (const { automaton } of this.#tables.automata) automaton.clear()
  }
}

const noTags: CapturedTags = { tags: [], order: [] }

function tagsOf({
  prefregex,
  failregex,
}: CompiledFilter): (rule: number) => readonly [CapturedTags | null, CapturedTags] {
  const before = prefregex === null ? null : withoutContent(capturedTags(prefregex))
  const own = failregex.map(capturedTags)
  return (rule) => [before, own[rule] ?? noTags]
}

/** What the prefregex hands on to the failregexes is no tag. */
function withoutContent({ tags, order }: CapturedTags): CapturedTags {
  return { tags, order: order.filter((place) => tags[place] !== 'content') }
}

/** Addresses are no tags; the others are filled in the order of the groups. */
function capturedTags(pattern: CompiledFilter['failregex'][number]): CapturedTags {
  const { addresses, numbers, tags } = notedGroups(pattern)
  return { tags, order: [...numbers.keys()].slice(addresses) }
}
