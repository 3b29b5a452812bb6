/** What the agent and the thread of a matcher in WebAssembly tell each other. */
import type { LogChunk, ScanResult } from '../events.ts'
import type { JailFilter } from '../matching/messages.ts'

/** What a thread is started with. All the jails have the same module. */
export interface ModuleSetup {
  readonly jails: readonly JailFilter[]
  /** As in `WorkerSetup`. */
  readonly sessionSeed: number
}

/** A chunk to be scanned. */
export interface ModuleTask {
  readonly chunk: LogChunk
  /**
   * `whole`: some lines at once. `by line`: one after the other, but for those with these numbers, from 0, in the chunk.
   * `none`: lines are cut, and all of them passed over.
   */
  readonly how: 'whole' | 'by line' | 'none'
  readonly without: readonly number[]
  /** Memory of a `ProgressCell`, in which the thread notes where it is: `startingPlace`, or the number of line or piece. */
  readonly progress: SharedArrayBuffer
}

/** Noted while the module is started. */
export const startingPlace = 0
/** Noted for the piece or line with the number 0; the others follow. */
export const firstPlace = 1

/** What became of a chunk. */
export type ModuleAnswer =
  /** `faults`: what the module did that it must not, each time. */
  | {
      readonly result: ScanResult
      readonly ms: number
      readonly faults: readonly string[]
      readonly memoryBytes: number
    }
  /** It cannot be started. */
  | { readonly refused: string }
  /** Something else than the module failed. */
  | { readonly failed: string }
