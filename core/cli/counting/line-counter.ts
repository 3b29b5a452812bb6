import { readSync } from 'node:fs'
import type { LogChunk } from '../../events.ts'
import { maxLineBytes, mostScannedBytes } from '../../matching/line-cutting.ts'
import { createCountScanner, type ChunkScanner, type CountedResult } from '../../matching/scan.ts'
import type { SlowLine } from '../../matching/messages.ts'
import type { MatcherPlugin } from '../../plugin.ts'
import { LineCounts, MatchCounts } from '../match-counts.ts'
import type { CountedShare, Counts, CountSetup, SharedFile } from './messages.ts'

const newline = 10

/** Counts lines, matches and addresses in one thread, through the scanner of the agent. */
export class LineCounter {
  readonly setup: CountSetup
  readonly #jails: readonly string[]
  readonly #scanner: ChunkScanner<CountedResult>
  readonly #matches: MatchCounts | null
  #counts: Counts = { lines: 0, matches: 0, skipped: 0, malformed: 0, bytes: 0, failure: null }

  constructor(setup: CountSetup, engines: readonly MatcherPlugin[]) {
    const { jails, yesNo } = setup
    const [first] = jails
    this.setup = setup
    this.#jails = jails.map(({ jail }) => jail)
    this.#matches = yesNo || first === undefined ? null : new MatchCounts(first)
    this.#scanner = createCountScanner({ jails, engines }, this.#matches ?? new LineCounts())
  }

  /** The sums so far. */
  get counts(): Counts {
    return this.#counts
  }

  /** Addresses that were named so far; null: nobody asked. */
  get addresses(): number | null {
    return this.#matches?.addresses.size ?? null
  }

  /** Counts the whole lines of a chunk, and `bytes` of the log with them. */
  count(log: string, data: LogChunk['data'], insideLine: boolean, bytes: number): CountedResult {
    const { now: arrivedAt } = this.setup
    const chunk = { log, jails: this.#jails, data, arrivedAt, live: false, undatedAt: null, insideLine }
    const result = this.#scanner.scan(chunk)
    this.#add({ ...result, bytes, failure: failureOf(result.slow) })
    return result
  }

  /**
   * Counts a range of a file that begins a line, read where the engine looks at it. What is not ended by a newline at its
   * end is a line all the same, as at the end of a stored log.
   */
  countRange(log: string, fd: number, start: number, end: number): void {
    let [at, insideLine] = [start, false]
    for (;;) {
      const data = { fd, start: at, end: Math.min(at + mostScannedBytes, end) }
      const result = this.count(log, data, insideLine, 0)
      insideLine = result.insideLine
      at += result.consumed
      if (result.consumed === 0) break
    }
    // More is left only of a file that was cut off meanwhile.
    const rest = Buffer.alloc(Math.min(end - at, maxLineBytes) + 1)
    const read = readSync(fd, rest, 0, rest.length - 1, at)
    this.#add({ ...nothing, bytes: at + read - start })
    if (read === 0 && !insideLine) return
    rest[read] = newline
    this.count(log, rest.subarray(0, read + 1), insideLine, 0)
  }

  /** Counts ranges of a file until all are taken. */
  countShare({ log, fd, cuts, taken }: SharedFile): void {
    const count = new Int32Array(taken)
    for (;;) {
      const index = Atomics.add(count, 0, 1)
      const [start, end] = cuts.slice(index, index + 2)
      if (start === undefined || end === undefined) return
      this.countRange(log, fd, start, end)
    }
  }

  /** Everything so far, for another counter to join. */
  share(): CountedShare {
    return { ...this.#counts, addresses: this.#matches?.addresses.words() ?? null }
  }

  /** Adds what another thread has counted. */
  join({ addresses, ...counts }: CountedShare): void {
    this.#add(counts)
    if (addresses !== null) this.#matches?.addresses.addAll(addresses)
  }

  #add(more: Counts): void {
    const { lines, matches, skipped, malformed, bytes, failure } = this.#counts
    this.#counts = {
      lines: lines + more.lines,
      matches: matches + more.matches,
      skipped: skipped + more.skipped,
      malformed: malformed + more.malformed,
      bytes: bytes + more.bytes,
      failure: failure ?? more.failure,
    }
  }
}

/** What a matcher said when it failed at one of these lines; null: it did not. */
export function failureOf(slow: readonly SlowLine[]): string | null {
  return slow.find(({ failure }) => failure !== undefined)?.failure ?? null
}

const nothing: Counts = { lines: 0, matches: 0, skipped: 0, malformed: 0, bytes: 0, failure: null }
