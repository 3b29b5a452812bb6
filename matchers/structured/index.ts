/**
 * The matcher of lines that hold named fields, as JSON or logfmt. Filters of one format share a tree of the
 * fields that they ask for: a line is read once for all of them, and only the wanted values are noted.
 */
import { defineMatcher, type CompiledFilter, type FoundLine, type LineBlock, type Scanner } from '../../core/plugin.ts'
import { FieldFilter } from './field-filter.ts'
import { FieldTree } from './field-tree.ts'
import type { FieldValues } from './field-values.ts'
import { createReader } from './format-reader.ts'
import type { JsonReader } from './json-reader.ts'
import type { LogfmtReader } from './logfmt-reader.ts'
import { looks, placeOfFields, type FormatLook } from './object-place.ts'
import { createPrefilter, type Prefilter } from './prefilter.ts'

export default defineMatcher({
  compile(given): Scanner {
    const took = [...given.keys()].filter((index) => given[index]?.structure !== null)
    const formats = (['json', 'logfmt'] as const)
      .map((format) => took.filter((index) => given[index]?.structure?.format === format))
      .flatMap((indexes) => (indexes.length === 0 ? [] : [new FormatScanner(given, indexes)]))
    return {
      took,
      left: given.flatMap(({ structure }, filter) =>
        structure === null ? [{ filter, reason: 'its lines are plain text' }] : [],
      ),
      scan(block, found): void {
        const [only, ...others] = formats
        if (others.length === 0) only?.scan(block, found)
        else inOrder(formats, block, found)
      },
      get malformed(): number {
        return formats.reduce((sum, { malformed }) => sum + malformed, 0)
      },
    }
  },
})

/** Lines in order, though each format goes over the whole block. */
function inOrder(formats: readonly FormatScanner[], block: LineBlock, found: (line: FoundLine) => void): void {
  const lines: FoundLine[] = []
  for (const format of formats) format.scan(block, (line) => lines.push(line))
  for (const line of lines.toSorted((a, b) => a.start - b.start)) found(line)
}

/** The filters of one format. */
class FormatScanner {
  malformed = 0
  readonly #filters: readonly { readonly index: number; readonly filter: FieldFilter }[]
  readonly #values: FieldValues
  readonly #reader: JsonReader | LogfmtReader
  readonly #prefilter: Prefilter
  readonly #look: FormatLook
  /** Whether the reader has the block. */
  #isOpen = false

  constructor(given: readonly CompiledFilter[], indexes: readonly number[]) {
    const chosen = indexes.flatMap((index) => {
      const filter = given[index]
      return filter === undefined || filter.structure === null ? [] : [{ index, filter, structure: filter.structure }]
    })
    const format = chosen[0]?.structure.format ?? 'json'
    const tree = new FieldTree(format === 'json')
    this.#filters = chosen.map(({ index, filter, structure }) => ({
      index,
      filter: new FieldFilter(filter, structure, tree),
    }))
    this.#prefilter = createPrefilter(
      chosen.map(({ structure }) => structure),
      format,
    )
    const { reader, values } = createReader(
      format,
      chosen.map(({ structure }) => structure),
      tree,
    )
    this.#reader = reader
    this.#values = values
    this.#look = looks[format]
  }

  scan(block: LineBlock, found: (line: FoundLine) => void): void {
    this.#isOpen = false
    this.#prefilter(block, (start, end) => {
      if (!this.#isOpen) this.#open(block)
      this.#line(block, start, end, found)
    })
  }

  /** The text of a block is made only where one of its lines is looked at. */
  #open({ bytes, text }: LineBlock): void {
    this.#values.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#values.text = text
    this.#reader.open(bytes, text)
    this.#isOpen = true
  }

  #line(block: LineBlock, start: number, end: number, found: (line: FoundLine) => void): void {
    const place = placeOfFields(block, start, end, this.#look)
    if (place === null || !this.#reader.read(place.start, place.end)) {
      this.malformed++
      return
    }
    let { head } = place
    for (const { index, filter } of this.#filters) {
      if (!filter.reads(place.program)) continue
      // Who waits for a slow pattern is to know which line it is at.
      if (filter.hasPatterns) head ??= block.head(start, end)
      const fields = filter.find(this.#values)
      if (fields === null) continue
      if (!this.#reader.isClean(place.start, place.end)) {
        this.malformed++
        return
      }
      head ??= block.head(start, end)
      const { rule, address, groups, time, hops } = fields
      found({ filter: index, rule, start, end, address, head, groups, time, hops })
    }
  }
}
