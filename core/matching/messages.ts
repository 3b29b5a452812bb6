/** What the pool and its workers tell each other. */
import type { Prefix } from '../address.ts'
import type { CompiledFilter } from '../plugin.ts'
import type { LogChunk, ScanResult } from '../events.ts'

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
}

/** One task: the answer is a `PackedResult`. */
export interface ScanTask {
  readonly chunk: LogChunk
  /** Where slow lines are expected: how long one line may take a jail. Null: nothing is stopped. */
  readonly lineMs: number | null
  /** Memory of a `ProgressCell`. */
  readonly progress: SharedArrayBuffer
}

/** What became of a chunk in a thread. */
export interface GuardedResult extends ScanResult {
  /** Lines that were passed over for a jail. */
  readonly slow: readonly SlowLine[]
  /** Milliseconds of the processor that it took. */
  readonly ms: number
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
