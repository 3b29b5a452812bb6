import type { Ban, LogPosition } from '../events.ts'
import type { HistoryEntry, Offence, PendingFailures } from './records.ts'
import type { Change, HistoryQuery } from './tables.ts'

/** What the thread of the store is started with. */
export interface ThreadData {
  readonly path: string
  /** Null: nothing is to be loaded, the thread takes the place of one that died. */
  readonly load: { readonly now: number; readonly offencesSince: number } | null
}

/** What the agent asks of the thread. One answer each, in order. */
export type Request =
  | { readonly type: 'commit'; readonly changes: readonly Change[]; readonly positions: readonly LogPosition[] }
  | { readonly type: 'history'; readonly query: HistoryQuery }
  | { readonly type: 'purge'; readonly now: number; readonly before: number; readonly keep: number }
  | { readonly type: 'close' }

/** What the thread says: first what it loaded, in parts, then `ready` or `refused`, then answers. */
export type Reply =
  | { readonly type: 'loaded'; readonly part: LoadedPart }
  | { readonly type: 'ready' }
  /** The store cannot be used and somebody has to change that. */
  | { readonly type: 'refused'; readonly message: string; readonly hint: string }
  /** Something that somebody should look at. */
  | { readonly type: 'alarm'; readonly message: string }
  | { readonly type: 'answer'; readonly history: readonly HistoryEntry[]; readonly more: boolean }
  | { readonly type: 'failed'; readonly message: string }

export interface LoadedPart {
  readonly bans?: readonly Ban[]
  readonly offences?: readonly Offence[]
  readonly pending?: readonly PendingFailures[]
  readonly positions?: readonly LogPosition[]
}
