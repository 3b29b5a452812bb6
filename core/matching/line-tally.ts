import type { LinesSeen } from '../events.ts'
import { printable } from '../errors.ts'
import type { CompiledFilter, LineBlock } from '../plugin.ts'
import type { Bound, BoundScanner } from './engine-binding.ts'

/** Lines of a chunk that are read only to see what they look like: a microsecond each. */
const samples = 8
/** Of a block that is no longer than this the first lines are taken: a live log brings a few at a time. */
const shortBlock = 4096
const longestProgram = 64
const newline = 0x0a

type IsOwn = (program: string | null) => boolean

interface FilterTally {
  sampled: number
  dated: number
  own: number
  hits: number
  foreign: number
  program: string
}

/**
 * Counts what the lines of a chunk look like, so that somebody can see when a jail reads what it cannot
 * understand: whether they have dates, are of the programs of its filter, and have words of a failure.
 * Costs some ten nanoseconds for each line that an engine reads, and eight lines a chunk.
 */
export class LineTally {
  readonly #filters = new Map<CompiledFilter, FilterTally>()
  readonly #own = new WeakMap<CompiledFilter, IsOwn>()
  #bound: Bound = { scanners: [], order: new Map() }

  start(bound: Bound): void {
    this.#bound = bound
    this.#filters.clear()
    for (const { filters } of bound.scanners)
      for (const { filter } of filters) this.#filters.set(filter, { ...nothing })
  }

  /** The block as an engine is to see it: each line that it reads has words of a failure, and is counted. */
  watched(block: LineBlock, { filters }: BoundScanner): LineBlock {
    const counted = filters.map(({ filter }) => [this.#isOwn(filter), this.#filters.get(filter)] as const)
    const looked = (program: string | null, lines: number) => {
      for (let index = 0; index < counted.length; index++) {
        const [isOwn, tally] = counted[index] ?? []
        if (isOwn === undefined || tally === undefined) continue
        if (isOwn(program)) tally.hits += lines
        else {
          tally.foreign += lines
          tally.program = program ?? ''
        }
      }
    }
    return {
      bytes: block.bytes,
      get text(): string {
        return block.text
      },
      lines: block.lines,
      isSteady: (time) => block.isSteady?.(time) ?? false,
      looked,
      head: (start, end) => {
        const read = block.head(start, end)
        looked(read.syslog?.program ?? null, 1)
        return read
      },
    }
  }

  /** Reads some lines of the block, evenly spread, as these filters read them. */
  sample({ bytes, head }: LineBlock, { filters }: BoundScanner): void {
    let next = 0
    const step = bytes.length <= shortBlock ? 0 : bytes.length / samples
    for (let sample = 0; sample < samples && next < bytes.length; sample++) {
      const from = Math.floor(sample * step)
      const start = from <= next ? next : bytes.indexOf(newline, from) + 1
      const end = bytes.indexOf(newline, start)
      if (end < 0 || (start === 0 && sample > 0 && next > 0)) break
      next = end + 1
      const read = head(start, end)
      for (const { filter } of filters) {
        const tally = this.#filters.get(filter)
        if (tally === undefined) continue
        tally.sampled++
        if (read.time !== null) tally.dated++
        if (this.#isOwn(filter)(read.syslog?.program ?? null)) tally.own++
      }
    }
  }

  #isOwn(filter: CompiledFilter): IsOwn {
    const known = this.#own.get(filter) ?? ownLines(filter)
    this.#own.set(filter, known)
    return known
  }

  /** What was counted since `start`; `ms` is what the chunk took, `others` what was seen for jails without an engine. */
  take(ms: number, others: LinesSeen['jails'] = []): LinesSeen {
    const jails = this.#bound.scanners.flatMap(({ filters, jails: taken }) =>
      filters.flatMap(({ filter, jails: all }) => {
        const { program, ...counts } = this.#filters.get(filter) ?? nothing
        const foreignProgram = counts.foreign === 0 ? null : printable(program.slice(0, longestProgram))
        const mine = all.filter((jail) => taken.includes(jail))
        return mine.map((jail) => ({ jail, ...counts, foreignProgram }))
      }),
    )
    return { jails: [...jails, ...others], ms }
  }
}

const nothing: FilterTally = { sampled: 0, dated: 0, own: 0, hits: 0, foreign: 0, program: '' }

/** Whether a line of this program is of the programs of the filter, as engines take it: one without a header (null) is a message itself. */
function ownLines({ programs, structure }: CompiledFilter): IsOwn {
  // A log of the service's own, or one whose fields tell.
  if (programs === null || structure !== null || programs.includes('-')) return () => true
  const names = new RegExp(`^(?:${programs.map(nameOf).join('|')})$`)
  return (program) => program === null || names.test(program)
}

/** A `*` stands for any text. */
function nameOf(program: string): string {
  return program.replace(/[\\^$.+?()[\]{}|/-]/g, '\\$&').replaceAll('*', '.*')
}
