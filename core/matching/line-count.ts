import type { CompiledFilter, MatcherPlugin } from '../plugin.ts'
import { EngineBinding } from './engine-binding.ts'
import { cutLines } from './line-cutting.ts'
import { LineReaders } from './lines.ts'

/** What was counted in some bytes of a log. */
export interface CountedLines {
  readonly lines: number
  readonly matches: number
  /** Lines that are too long. */
  readonly skipped: number
  /** How many bytes were looked at: up to the end of the last whole line, or all of a line that is too long. */
  readonly consumed: number
  /** Whether what follows is the inside of a line that is too long. */
  readonly insideLine: boolean
}

/** Counts the lines that a filter matches: only yes or no is asked, no address is read and no record made. */
export class LineCounter {
  readonly #binding: EngineBinding
  readonly #readers = new LineReaders()

  /** Throws a BailiffError when no engine takes the filter. */
  constructor(filter: CompiledFilter, engines: readonly MatcherPlugin[]) {
    this.#binding = new EngineBinding({ jails: [{ jail, filter }], engines })
  }

  /** Counts in the next bytes of a log. `now` (unix ms) decides the year of dates without one. */
  count(bytes: Buffer, insideLine: boolean, now: number): CountedLines {
    const text = bytes.toString('latin1')
    const { segments, ...cut } = cutLines(text, insideLine)
    this.#readers.reference = now
    let matches = 0
    // An engine tells of a line at most once a filter.
    const found = () => void matches++
    for (const { start, end } of segments)
      for (const { scanner, dates } of this.#binding.for([jail]).scanners) {
        const block = this.#readers.for(dates).block(bytes.subarray(start, end), () => text.slice(start, end), start)
        if (scanner.count === undefined) scanner.scan(block, found)
        else matches += scanner.count(block)
      }
    return { ...cut, matches }
  }
}

const jail = 'counted'
