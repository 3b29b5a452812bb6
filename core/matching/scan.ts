/**
 * Scans chunks of logs, synchronously and without state between them: cuts lines, lets the matchers
 * find what the filters of the chunk's jails match, and makes `Match` records of it.
 */
import { readSync } from 'node:fs'
import type { FileRange, LogChunk, Match } from '../events.ts'
import type { LineBlock, MatcherPlugin } from '../plugin.ts'
import { EngineBinding, type Bound, type BoundScanner } from './engine-binding.ts'
import { scanInSpite } from './failing-lines.ts'
import { scanGuarded, type GuardedScanner } from './guarded-scan.ts'
import { cutLines, maxLineBytes, mostScannedBytes, type CutLines } from './line-cutting.ts'
import { LineGuard } from './line-guard.ts'
import { LogForms } from './log-form.ts'
import { LineReaders, type LineProgress } from './lines.ts'
import { LineTally } from './line-tally.ts'
import { TimeOver, TimeSlice } from './time-slice.ts'
import { MatchMaker, type FoundSink } from './match-records.ts'
import { ProcessorTime } from './processor-time.ts'
import type { GuardedCounts, GuardedResult, JailFilter, JailMemories, LineSpan, SlowLine } from './messages.ts'
import { scanOrdered, type OrderedJail, type OrderedResult } from './ordered-jails.ts'
import { RowMaker } from './row-maker.ts'

/** `Result`: what it makes of the lines that are found. */
export interface ChunkScanner<Result> {
  /**
   * Makes what the engines want to make before they scan such a chunk: that may take longer than any line, and is not to
   * be taken for a slow one. Once all is made it costs nothing.
   */
  prepare(chunk: LogChunk): void
  /**
   * Scans the whole lines of a chunk, of its first MiB if it is longer. `progress` hears of each line
   * before it is matched. With `lineMs` a line that takes the patterns of a jail longer is passed over
   * for that jail, and told. Strings in the result may share memory with the text of the chunk: whoever
   * keeps them for long copies them, as sending them to another thread does. `memories`: what jails that see lines in
   * order remember of the log up to here. `sliceMs`, where no line is guarded: after so long the rest is left, from a line on.
   */
  scan(
    chunk: LogChunk,
    progress?: LineProgress,
    lineMs?: number | null,
    memories?: JailMemories,
    sliceMs?: number,
  ): Result
}

/** Makes records with all their texts, for those who show them. */
export type LogScanner = ChunkScanner<RecordedResult>

/** Makes rows, for who only counts. */
export interface RowScanner extends ChunkScanner<GuardedResult> {
  /** The rows of chunks are in this memory from now on, where they fit; undefined: in memory of their own. */
  lend(memory: SharedArrayBuffer | undefined): void
}

export interface RecordedResult extends GuardedCounts {
  /** In the order of the lines. */
  readonly matches: Match[]
}

export interface CountedResult extends GuardedCounts {
  readonly matches: number
}

export interface ScannerSetup {
  readonly jails: readonly JailFilter[]
  readonly engines: readonly MatcherPlugin[]
  /** Jails that see lines in order, by name; more may come in before a chunk for them is scanned. */
  readonly ordered?: ReadonlyMap<string, OrderedJail>
}

/** A scanner for these jails. Throws a BailiffError when a chunk names another jail or no engine takes a filter. */
export function createLogScanner(setup: ScannerSetup): LogScanner {
  const tools = toolsOf(setup, new MatchMaker(setup.jails))
  return {
    prepare: (chunk) => prepare(tools, chunk),
    scan(chunk, progress, lineMs = null, memories = {}, sliceMs = Infinity) {
      const { found: matches, ...counts } = new ChunkScan(tools, chunk, progress, sliceMs).run(lineMs, memories)
      return { matches, ...counts }
    },
  }
}

/** As `createLogScanner`, for the judge. `sessionSeed`: a secret that all threads share, 32 bits. */
export function createRowScanner(setup: ScannerSetup, sessionSeed: number): RowScanner {
  const maker = new RowMaker(setup.jails, sessionSeed)
  const tools = toolsOf(setup, maker)
  return {
    lend: (memory) => void (maker.lent = memory),
    prepare: (chunk) => prepare(tools, chunk),
    scan(chunk, progress, lineMs = null, memories = {}, sliceMs = Infinity) {
      const { found: rows, ...counts } = new ChunkScan(tools, chunk, progress, sliceMs).run(lineMs, memories)
      return { rows, ...counts }
    },
  }
}

/** As `createLogScanner`, for who only counts what is found. */
export function createCountScanner(setup: ScannerSetup, counts: FoundSink<number>): ChunkScanner<CountedResult> {
  const tools = toolsOf(setup, counts, null)
  return {
    prepare: (chunk) => prepare(tools, chunk),
    scan(chunk, progress, lineMs = null, memories = {}, sliceMs = Infinity) {
      const { found: matches, ...rest } = new ChunkScan(tools, chunk, progress, sliceMs).run(lineMs, memories)
      return { matches, ...rest }
    },
  }
}

/** Has engines made ready for a chunk, which is read for that where one of them is not. */
function prepare<Found>({ binding, ordered, memory, prepared }: Tools<Found>, chunk: LogChunk): void {
  const own = ordered.size === 0 ? chunk.jails : chunk.jails.filter((jail) => !ordered.has(jail))
  const bound = binding.for(own)
  if (prepared.has(bound)) return
  const { bytes } = bytesOf(chunk, memory)
  const whole = bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1)
  if (bound.scanners.every(({ scanner }) => scanner.prepare?.(whole) ?? true)) prepared.add(bound)
}

function toolsOf<Found>(
  setup: ScannerSetup,
  maker: FoundSink<Found>,
  tally: LineTally | null = new LineTally(),
): Tools<Found> {
  return {
    ordered: setup.ordered ?? new Map<string, OrderedJail>(),
    processor: new ProcessorTime(),
    binding: new EngineBinding(setup),
    readers: new LineReaders(),
    maker,
    forms: new LogForms(),
    guard: new LineGuard(),
    tally,
    memory: Buffer.alloc(mostScannedBytes),
    prepared: new WeakSet<Bound>(),
  }
}

/** What a thread needs to scan chunks, and uses again for each. */
interface Tools<Found> {
  readonly binding: EngineBinding
  readonly readers: LineReaders
  readonly maker: FoundSink<Found>
  readonly forms: LogForms
  readonly guard: LineGuard
  /** Null: nobody asks what the lines look like. */
  readonly tally: LineTally | null
  readonly processor: ProcessorTime
  readonly memory: Buffer
  /** Whose engines are ready. */
  readonly prepared: WeakSet<Bound>
  readonly ordered: ReadonlyMap<string, OrderedJail>
}

/** The scan of one chunk. Offsets are those in the chunk; `base` is where it begins in the log. */
class ChunkScan<Found> {
  readonly #tools: Tools<Found>
  readonly #chunk: LogChunk
  readonly #progress: LineProgress | undefined
  readonly #sliceMs: number
  #bytes: Buffer
  readonly #inOrder: readonly OrderedJail[]
  readonly #bound: Bound
  /** Made when it is first needed. */
  #text: string | null = null
  readonly #base: number
  readonly #bare: boolean | null

  constructor(tools: Tools<Found>, chunk: LogChunk, progress: LineProgress | undefined, sliceMs: number) {
    this.#tools = tools
    this.#chunk = chunk
    this.#progress = progress
    this.#sliceMs = sliceMs
    this.#inOrder = chunk.jails.flatMap((jail) => tools.ordered.get(jail) ?? [])
    this.#bound = tools.binding.for(
      this.#inOrder.length === 0 ? chunk.jails : chunk.jails.filter((jail) => !tools.ordered.has(jail)),
    )
    const { bytes, base } = bytesOf(chunk, this.#room())
    this.#bytes = bytes
    this.#base = base
    this.#bare = tools.forms.isBare(chunk)
  }

  run(lineMs: number | null, memories: JailMemories): GuardedCounts & { readonly found: Found } {
    const { readers, maker, guard, processor, tally } = this.#tools
    const before = processor.ms
    const { scanners, order } = this.#bound
    tally?.start(this.#bound)
    let cut = this.#cut()
    const slow: SlowLine[] = []
    const malformed = () => scanners.reduce((sum, { scanner }) => sum + (scanner.malformed ?? 0), 0)
    const malformedBefore = malformed()
    readers.reference = this.#chunk.arrivedAt
    maker.start(this.#chunk.log)
    const slice = lineMs === null ? new TimeSlice(this.#sliceMs, this.#progress) : null
    let endsEarly = false
    for (let index = 0; index < cut.segments.length; index++) {
      for (const bound of scanners) {
        const segment = cut.segments[index]
        if (segment === undefined) break
        const scanner = this.#guarded(bound)
        const scan = (part: LineSpan) => {
          if (lineMs !== null) return scanGuarded(scanner, part, guard, lineMs)
          const over = this.#scanUntil(bound, part, endsEarly ? this.#progress : (slice ?? this.#progress))
          if (over !== null) {
            cut = this.#endAt(over)
            endsEarly = true
          }
          return []
        }
        slow.push(...scanInSpite(scanner, segment, scan))
      }
    }
    const { segments, skipped, ...counts } = cut
    const [first] = segments
    if (first !== undefined) for (const bound of scanners) tally?.sample(this.#block(bound, first), bound)
    const remembered = this.#scanOrdered(segments, lineMs, memories)
    slow.push(...remembered.slow)
    const passedOver = new Set(slow.map(({ start }) => start)).size
    const ms = processor.ms - before
    return {
      found: maker.take(order),
      ...counts,
      skipped: skipped + passedOver,
      malformed: malformed() - malformedBefore,
      bare: this.#bare === true,
      slow,
      ...(endsEarly ? { endsEarly } : {}),
      ...(this.#inOrder.length === 0 ? {} : { hits: remembered.hits, memories: remembered.memories }),
      ...(remembered.odd.length === 0 ? {} : { odd: remembered.odd }),
      ms,
      ...(tally === null ? {} : { seen: tally.take(ms, remembered.seen) }),
    }
  }

  /** Scans these lines; answers where it left off, since the time was over. */
  #scanUntil(bound: BoundScanner, part: LineSpan, progress: LineProgress | undefined): number | null {
    try {
      this.#scan(bound, part, progress)
      return null
    } catch (error) {
      if (!(error instanceof TimeOver)) throw error
      return error.start
    }
  }

  /** Leaves all from the line on that begins here, as if the chunk ended before it. */
  #endAt(start: number): CutLines {
    const { maker } = this.#tools
    maker.forget(
      this.#bound.scanners.flatMap(({ jails }) => jails),
      this.#base + start,
    )
    this.#bytes = this.#bytes.subarray(0, start)
    this.#text = null
    return this.#cut()
  }

  /** Memory for the bytes: that of an engine which reads bytes, since then they need not be copied. */
  #room(): Buffer {
    for (const { scanner } of this.#bound.scanners) {
      const room = scanner.room?.(mostScannedBytes)
      if (room) return Buffer.from(room.buffer, room.byteOffset, room.length)
    }
    return this.#tools.memory
  }

  /** Cuts the bytes into lines, without a text where an engine can count them. */
  #cut(): CutLines {
    const bytes = this.#bytes
    const { insideLine } = this.#chunk
    const consumed = bytes.lastIndexOf(0x0a) + 1
    // The inside of an endless line is not worth a text: that alone took 80 MiB for 100 MB of it.
    if (insideLine && consumed === 0) return inside(bytes)
    const lines = insideLine ? null : this.#countLines(bytes.subarray(0, consumed))
    if (lines === null || bytes.length - consumed > maxLineBytes) return cutLines(this.#wholeText(), insideLine)
    return { segments: consumed === 0 ? [] : [{ start: 0, end: consumed }], consumed, insideLine, lines, skipped: 0 }
  }

  #countLines(bytes: Buffer): number | null {
    for (const { scanner } of this.#bound.scanners) {
      const lines = scanner.countLines?.(bytes, maxLineBytes) ?? null
      if (lines !== null) return lines
    }
    return null
  }

  #wholeText(): string {
    return (this.#text ??= this.#bytes.toString('latin1'))
  }

  #textOf(start: number, end: number): string {
    const all = this.#wholeText()
    return start === 0 && end === all.length ? all : all.slice(start, end)
  }

  #scanOrdered(segments: readonly LineSpan[], lineMs: number | null, memories: JailMemories): OrderedResult {
    const jails = this.#inOrder
    if (jails.length === 0 || segments.length === 0) return { hits: [], odd: [], slow: [], memories, seen: [] }
    const { guard, processor } = this.#tools
    const scanned = { chunk: this.#chunk, bytes: this.#bytes, text: this.#wholeText(), base: this.#base, segments }
    return scanOrdered(jails, scanned, memories, { guard, processor, progress: this.#progress, lineMs })
  }

  #block({ dates }: BoundScanner, { start, end }: LineSpan, progress?: LineProgress): LineBlock {
    const text = () => this.#textOf(start, end)
    return this.#tools.readers.for(dates).block(this.#bytes.subarray(start, end), text, start, progress)
  }

  /**
   * A filter that names its programs takes lines by their header or date; without both only in a file whose
   * lines have none. A bare line among others is not what it seems: something wrote a line break there.
   * In a bare file all can be forged; there at least no line stands for many.
   */
  #scan(bound: BoundScanner, { start, end }: LineSpan, progress?: LineProgress): void {
    const { maker, tally, readers } = this.#tools
    const { scanner, dates, filters } = bound
    const reader = readers.for(dates)
    const block = this.#block(bound, { start, end }, progress)
    if (maker.addLines && scanner.count) return maker.addLines(scanner.count(block))
    scanner.scan(tally?.watched(block, bound) ?? block, (found) => {
      const taken = filters[found.filter]
      if (!taken) return
      const { syslog, time } = found.head
      if (this.#bare === false && taken.filter.programs !== null && syslog === null && time === null) return
      maker.add(found, taken.filter.name, taken.jails, {
        time: found.time === undefined ? time : reader.fieldTime(found.time),
        offset: this.#base + start + found.start,
        single: this.#bare === true,
        bytes: this.#bytes,
        start: start + found.start,
        end: start + found.end,
      })
    })
  }

  #guarded(bound: BoundScanner): GuardedScanner {
    const { binding, maker, processor } = this.#tools
    const note = new LineNote(processor, this.#progress)
    return {
      jails: bound.jails,
      byFilter: bound.byFilter,
      scan: (start, end) => this.#scan(bound, { start, end }, note.fresh()),
      scanFor: (jails, line) => {
        for (const one of binding.for(jails).scanners) this.#scan(one, line, note.fresh())
      },
      at: () => note.last && { line: note.last, used: processor.ms - note.since },
      forget: (jails, start) => maker.forget(jails, this.#base + start),
      lineAt: (start) => ({ start, end: this.#bytes.indexOf(0x0a, start) + 1 }),
    }
  }
}

function inside({ length }: Buffer): CutLines {
  return { segments: [], consumed: length, insideLine: true, lines: 0, skipped: 0 }
}

/** Asking the system costs as much as matching a line: so often is enough, and a line seems half a millisecond slower at most. */
const askAgainMs = 0.5

/** Remembers the last line heard of, and what the thread had had of the processor then, and passes it on. */
class LineNote implements LineProgress {
  last: LineSpan | null = null
  since = 0
  #askedAt = 0
  readonly #processor: ProcessorTime
  readonly #next: LineProgress | undefined

  constructor(processor: ProcessorTime, next: LineProgress | undefined) {
    this.#processor = processor
    this.#next = next
  }

  fresh(): this {
    this.last = null
    this.#askedAt = Number.NEGATIVE_INFINITY
    return this
  }

  line(start: number, end: number): void {
    this.last = { start, end }
    const now = performance.now()
    if (now - this.#askedAt >= askAgainMs) {
      this.since = this.#processor.ms
      this.#askedAt = now
    }
    this.#next?.line(start, end)
  }
}

/** The bytes of a chunk in this memory, and the offset that its first byte has in the log. */
function bytesOf({ data }: LogChunk, memory: Buffer): { bytes: Buffer; base: number } {
  const given = data instanceof Uint8Array ? data : data.bytes
  const base = data instanceof Uint8Array ? 0 : data.start
  if (given !== undefined) {
    const length = Math.min(given.length, mostScannedBytes)
    memory.set(length === given.length ? given : given.subarray(0, length))
    return { bytes: memory.subarray(0, length), base }
  }
  return { bytes: memory.subarray(0, readRange(data as FileRange, memory)), base }
}

/** Reads the range into the memory, as much of it as fits and is there; answers how much. */
function readRange({ fd, start, end }: FileRange, memory: Buffer): number {
  const wanted = Math.min(end - start, mostScannedBytes)
  let length = 0
  while (length < wanted) {
    const count = readSync(fd, memory, length, wanted - length, start + length)
    if (count === 0) break
    length += count
  }
  return length
}
