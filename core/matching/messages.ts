/** What the pool and its workers tell each other. */
import type { Prefix } from '../address.ts'
import type { CompiledFilter } from '../plugin.ts'
import type { FileRange, LogChunk, ScanCounts, ScanResult } from '../events.ts'
import type { TreeJailSetup } from '../fail2ban/lines/jail-lines.ts'

/** A jail and the filter that finds its failures. Several jails may share one. */
export interface JailFilter {
  readonly jail: string
  readonly filter: CompiledFilter
  /** Proxies whose word is taken for whom they speak. */
  readonly proxies?: readonly Prefix[]
}

/** What a worker is started with. */
export interface WorkerSetup {
  readonly jails: readonly JailFilter[]
  /** Modules whose default export is a matcher, in the order in which they may take filters. */
  readonly engineUrls: readonly string[]
  /** A secret that all threads share, 32 bits: see `createRowScanner`. */
  readonly sessionSeed: number
  /** Jails of a Fail2ban tree. */
  readonly treeJails?: readonly TreeJailSetup[]
}

/** What jails that see lines in order remember of a log, by their names. Plain data. */
export type JailMemories = Readonly<Record<string, unknown>>

/** One task: the answer is a `GuardedResult`. */
export interface ScanTask {
  readonly chunk: LogChunk
  /** Where slow lines are expected: how long one line may take a jail. Null: nothing is stopped. */
  readonly lineMs: number | null
  /** What jails remember of the log up to the chunk. */
  readonly memories: JailMemories
  /** Memory of a `ProgressCell`. */
  readonly progress: SharedArrayBuffer
  /** Where its rows are to be, if they fit; absent: in memory of their own. */
  readonly rowMemory?: SharedArrayBuffer | undefined
}

/** A look at the dates of a range of a log that these jails read; the answer is a `RangeDates`. */
export interface DatesTask {
  readonly range: FileRange
  readonly jails: readonly string[]
  /** Unix milliseconds. */
  readonly now: number
}

/** What became of a chunk in a thread. */
export interface GuardedResult extends GuardedCounts, ScanResult {}

/** What became of a chunk in a thread, but for what native filters found. */
export interface GuardedCounts extends ScanCounts {
  /** Lines that were passed over for a jail. */
  readonly slow: readonly SlowLine[]
  /** What jails remember of the log up to the end of the chunk; absent where none of them does. */
  readonly memories?: JailMemories
  /** The rest of the chunk was left, since its time was over; absent: it was not. */
  readonly endsEarly?: boolean
  /** Milliseconds of the processor that it took. */
  readonly ms: number
  /** Jails that the thread cannot serve; absent where there are none. */
  readonly broken?: readonly BrokenJail[]
}

/** A jail of a Fail2ban tree whose filter cannot be used, so a thread passes its lines over. */
export interface BrokenJail {
  readonly jail: string
  /** The option at fault, where it is known. */
  readonly option: string | null
  readonly message: string
  readonly hint: string | undefined
}

/** A line that took the patterns of a jail too long, or made its matcher fail. */
export interface SlowLine extends LineSpan {
  readonly jail: string
  /** What the matcher failed with; absent where it only took too long. */
  readonly failure?: string
}

/** A line, by its place in the chunk. */
export interface LineSpan {
  /** Offset of its first byte in the chunk. */
  readonly start: number
  /** Offset of the first byte behind its newline. */
  readonly end: number
}

/**
 * Shared memory in which a worker notes the line it is at. It stays readable when the worker is
 * stopped in the middle of a line, so the one who stops it knows which line it was.
 */
export class ProgressCell {
  readonly memory: SharedArrayBuffer
  /** The thread that took it up; start and end of the line. */
  readonly #words: Int32Array

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(12)) {
    this.memory = memory
    this.#words = new Int32Array(memory)
  }

  /** Called by the worker when it takes the chunk up, with the number of its thread (0: not known). */
  begin(thread: number): void {
    Atomics.store(this.#words, 0, thread + 1)
  }

  /** Called by the worker for each line before it is matched. The one who waits reads it much later. */
  line(start: number, end: number): void {
    this.#words[1] = start
    this.#words[2] = end
  }

  get begun(): boolean {
    return Atomics.load(this.#words, 0) > 0
  }

  get thread(): number {
    return Atomics.load(this.#words, 0) - 1
  }

  /** The line the worker is at; null before the first. */
  get at(): LineSpan | null {
    const [start, end] = [Atomics.load(this.#words, 1), Atomics.load(this.#words, 2)]
    return end === 0 ? null : { start, end }
  }
}
