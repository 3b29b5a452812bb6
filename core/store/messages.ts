import type { Ban, CountedFailures, Kept, LogPosition } from '../events.ts'
import type { PackedBans } from './packed-bans.ts'
import type { PurgeLimits } from './purge.ts'
import type { HistoryEntry } from './records.ts'
import type { HistoryQuery, Writing } from './tables.ts'

/** What the thread of the store is started with. */
export interface ThreadData {
  readonly path: string
  /** Null: nothing is to be loaded, the thread takes the place of one that died. */
  readonly load: { readonly now: number; readonly since: number } | null
}

/** What the agent asks of the thread. One answer each, in order. */
export type Request =
  | { readonly type: 'commit'; readonly writing: Writing }
  /**
   * Begins to write anew what counts, or with a time (unix ms) everything, in one transaction that goes
   * on with `more` and ends with `all`.
   */
  | { readonly type: 'anew'; readonly everythingAt: number | null }
  | { readonly type: 'more'; readonly writing: Writing }
  | { readonly type: 'all'; readonly writing: Writing }
  | { readonly type: 'history'; readonly query: HistoryQuery }
  | { readonly type: 'latest'; readonly of: readonly Pick<Ban, 'prefix' | 'jail'>[] }
  | { readonly type: 'purge'; readonly limits: PurgeLimits }
  /** Looks whether the file is still the one that was opened, and sound; `pages`: also inside. */
  | { readonly type: 'check'; readonly pages: boolean }
  | { readonly type: 'close' }

/** What the thread says: first what it loaded, in parts, then `ready` or `refused`, then answers. */
export type Reply =
  | { readonly type: 'loaded'; readonly part: LoadedPart }
  | { readonly type: 'ready' }
  /** The store cannot be used and somebody has to change that. */
  | { readonly type: 'refused'; readonly message: string; readonly hint: string }
  /** Something that somebody should look at. */
  | { readonly type: 'alarm'; readonly message: string }
  | { readonly type: 'answer'; readonly history: readonly (HistoryEntry | null)[]; readonly more: boolean }
  | { readonly type: 'failed'; readonly message: string; readonly needsAll: boolean }

export interface LoadedPart {
  readonly bans?: PackedBans
  readonly failures?: readonly CountedFailures[]
  readonly positions?: readonly LogPosition[]
  readonly kept?: readonly Kept[]
}
