/**
 * Jails whose filters see every line of a log in order and remember lines before: those of a Fail2ban tree. What they
 * remember travels with the chunks of a log, so threads stay without state, and one that is stopped loses nothing.
 */
import type { FilterHit, JailLines, LogChunk, OddLine } from '../events.ts'
import { BailiffError, describeError } from '../errors.ts'
import { scanGuarded } from './guarded-scan.ts'
import type { LineGuard } from './line-guard.ts'
import { sampleLines } from './line-samples.ts'
import type { LineProgress } from './lines.ts'
import type { JailMemories, LineSpan, SlowLine } from './messages.ts'
import type { ProcessorTime } from './processor-time.ts'

/** A jail that sees every line of its logs in order. */
export interface OrderedJail {
  readonly jail: string
  /** What it remembers of the lines before, as plain data; it is set before each chunk. Null: of none. */
  memory: unknown
  /** Compiles what the first lines would have compiled, so that they take no longer than others. Remembers nothing. */
  prepare?(): void
  /** What was odd about the time of lines since the last call. */
  takeOdd?(): readonly OddLine[]
  /**
   * Takes the next line of the chunk, without its newline, with its offset in the log and the byte behind its newline,
   * where that is there. Throws a BailiffError for one that takes too long.
   */
  look(line: Buffer, text: string, chunk: LogChunk, offset: number, next: number | undefined): readonly JailHit[]
  /** Takes the next lines of the chunk, those from `start` to `end`, as `look` takes each. */
  scan?(block: Pick<ScannedChunk, 'bytes' | 'text' | 'base'> & LineSpan, chunk: LogChunk, ears: OrderedEars): void
  /** Whether a line has one of the words that every failure has; false also where nothing is known of such words. */
  hasWords?(line: Buffer, text: string): boolean
  /** How many lines had no date so far, and whether it remembers the date of one. */
  readonly sightOfDates?: { readonly undated: number; readonly isDateKnown: boolean }
}

/** What a hit says, without its place. */
export type JailHit = Omit<FilterHit, 'jail' | 'log' | 'offset'>

/** Who hears of lines as they are looked at. Offsets as those of the block; `end` is behind the newline. */
export interface OrderedEars {
  /** Before a line is searched. */
  readonly begins: (start: number, end: number) => void
  readonly found: (hit: JailHit, start: number) => void
  /** What `look` would have thrown. */
  readonly failed: (error: unknown, start: number, end: number) => void
}

/** A chunk as it is scanned: offsets of segments are those in `bytes`, whose first has the offset `base` in the log. */
export interface ScannedChunk {
  readonly chunk: LogChunk
  readonly bytes: Buffer
  /** The bytes as Latin-1. */
  readonly text: string
  readonly base: number
  /** Whole lines. */
  readonly segments: readonly LineSpan[]
}

/** How lines are watched that may take long. */
export interface LineWatch {
  readonly guard: LineGuard
  readonly processor: ProcessorTime
  readonly progress: LineProgress | undefined
  /** How long one line may take a jail; null: nothing is stopped here. */
  readonly lineMs: number | null
}

export interface OrderedResult {
  readonly hits: FilterHit[]
  readonly odd: readonly OddLine[]
  readonly slow: readonly SlowLine[]
  /** What the jails remember behind the chunk. */
  readonly memories: JailMemories
  /** What some of the lines look like to each jail. */
  readonly seen: readonly JailLines[]
}

/** Leads the lines of a chunk through its ordered jails; `memories`: what they remember of the log before it. */
export function scanOrdered(
  jails: readonly OrderedJail[],
  scanned: ScannedChunk,
  memories: JailMemories,
  watch: LineWatch,
): OrderedResult {
  const slow: SlowLine[] = []
  const after: Record<string, unknown> = { ...memories }
  const seen: JailLines[] = []
  const hits = jails.flatMap((jail) => {
    jail.memory = memories[jail.jail] ?? null
    const lines = new JailScan(jail, scanned, watch)
    slow.push(...lines.run())
    after[jail.jail] = jail.memory
    seen.push(...lines.glances())
    return lines.hits
  })
  if (jails.length > 1) hits.sort((a, b) => a.offset - b.offset)
  const odd = jails.flatMap((jail) => jail.takeOdd?.() ?? [])
  return { hits, odd, slow, memories: after, seen }
}

/** One jail over the lines of one chunk. */
class JailScan {
  hits: FilterHit[] = []
  readonly #jail: OrderedJail
  readonly #scanned: ScannedChunk
  readonly #watch: LineWatch
  readonly #slow: SlowLine[] = []
  /** What the jail had counted before these lines, and has counted of lines whose look was stopped: they are tried again. */
  #undatedBefore = 0
  /** The line that is looked at under the guard, since when, and what was remembered and counted before it. */
  #at: { line: LineSpan; since: number; memory: unknown; undated: number } | null = null

  constructor(jail: OrderedJail, scanned: ScannedChunk, watch: LineWatch) {
    this.#jail = jail
    this.#scanned = scanned
    this.#watch = watch
  }

  run(): readonly SlowLine[] {
    const { guard, lineMs } = this.#watch
    // Compiling takes longer than a line may, and would cost the line that it falls to.
    if (lineMs !== null) this.#jail.prepare?.()
    this.#undatedBefore = this.#undated
    for (const segment of this.#scanned.segments) {
      if (lineMs === null) this.#scan(segment)
      else this.#slow.push(...scanGuarded(this.#guarded(), segment, guard, lineMs))
    }
    return this.#slow
  }

  #scan({ start, end }: LineSpan): void {
    const { bytes, text, chunk, base } = this.#scanned
    if (this.#jail.scan === undefined) return this.#lines({ start, end }, (line) => this.#look(line))
    this.#jail.scan({ bytes, text, base, start, end }, chunk, {
      begins: (from, to) => this.#watch.progress?.line(from, to),
      found: (hit, from) => this.#found(hit, from),
      failed: (error, from, to) => this.#failed(error, { start: from, end: to }),
    })
  }

  /** Written out: to spread a hit takes longer than to find it. */
  #found({ rule, time, groups, lines }: JailHit, start: number): void {
    const { chunk, base } = this.#scanned
    this.hits.push({ jail: this.#jail.jail, rule, time, groups, lines, log: chunk.log, offset: base + start })
  }

  #failed(error: unknown, line: LineSpan): void {
    const { jail } = this.#jail
    this.#slow.push({ ...line, jail, ...(error instanceof BailiffError ? {} : { failure: describeError(error) }) })
  }

  /**
   * What the lines look like: all that have no date count as samples, and one or some that have one. How many have words
   * of failures and did not match is concluded from some.
   */
  glances(): JailLines[] {
    const [segment] = this.#scanned.segments
    if (segment === undefined) return []
    const undated = this.#undated - this.#undatedBefore
    const samples = sampleLines(this.#scanned.text, segment)
    const dated = this.#jail.sightOfDates?.isDateKnown === true ? Math.max(1, samples.length - undated) : 0
    const sampled = undated + dated
    const hits = new Set(this.hits.map(({ offset }) => offset))
    const foreign = { foreign: 0, foreignProgram: null }
    const more = this.#unmatched(segment, samples, hits)
    return [{ jail: this.#jail.jail, sampled, dated, own: sampled, hits: hits.size + more, ...foreign }]
  }

  #unmatched({ start, end }: LineSpan, samples: readonly LineSpan[], hits: ReadonlySet<number>): number {
    const { bytes, text, base } = this.#scanned
    const length = samples.reduce((sum, line) => sum + line.end - line.start, 0)
    const unmatched = samples.filter(
      (line) =>
        !hits.has(base + line.start) &&
        this.#jail.hasWords?.(bytes.subarray(line.start, line.end - 1), text.slice(line.start, line.end - 1)),
    )
    return length === 0 ? 0 : Math.round((unmatched.length * (end - start)) / length)
  }

  /** A line that is given up changes nothing: the jail goes on with what it remembered before. */
  #guarded(): Parameters<typeof scanGuarded>[0] {
    const { jail } = this.#jail
    const { processor } = this.#watch
    return {
      jails: [jail],
      byFilter: [[jail]],
      scan: (start, end) => {
        this.#at = null
        this.#lines({ start, end }, (line) => this.#watched(line))
      },
      scanFor: (_jails, line) => this.#watched(line),
      at: () => this.#at && { line: this.#at.line, used: processor.ms - this.#at.since },
      forget: (_jails, start) => {
        this.hits = this.hits.filter(({ offset }) => offset < this.#scanned.base + start)
        if (this.#at?.line.start !== start) return
        this.#jail.memory = this.#at.memory
        this.#undatedBefore += this.#undated - this.#at.undated
      },
      lineAt: (start) => ({ start, end: this.#scanned.text.indexOf('\n', start) + 1 }),
    }
  }

  #watched(line: LineSpan): void {
    this.#at = { line, since: this.#watch.processor.ms, memory: this.#jail.memory, undated: this.#undated }
    this.#look(line)
  }

  get #undated(): number {
    return this.#jail.sightOfDates?.undated ?? 0
  }

  #lines({ start, end }: LineSpan, take: (line: LineSpan) => void): void {
    for (let at = start; at < end;) {
      const next = this.#scanned.text.indexOf('\n', at) + 1
      take({ start: at, end: next })
      at = next
    }
  }

  #look(line: LineSpan): void {
    const { bytes, text, chunk, base } = this.#scanned
    const { start, end } = line
    this.#watch.progress?.line(start, end)
    try {
      const found = this.#jail.look(
        bytes.subarray(start, end - 1),
        text.slice(start, end - 1),
        chunk,
        base + start,
        bytes[end],
      )
      for (const hit of found) this.#found(hit, start)
    } catch (error) {
      this.#failed(error, line)
    }
  }
}
