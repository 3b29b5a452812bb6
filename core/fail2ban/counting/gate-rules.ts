import type { Failure, LogChunk } from '../../events.ts'
import type { Lookup } from './host-names.ts'

/** What a jail of a Fail2ban tree says of names and of whom it ignores. */
export interface GateRules {
  readonly name: string
  readonly usedns: 'yes' | 'warn' | 'no' | 'raw'
  /** The words of `ignoreip`. */
  readonly ignoreip: readonly string[]
  readonly ignoreself: boolean
  /** For `sh -c`, static tags replaced; empty: none. */
  readonly ignorecommand: string
  readonly ignorecache: IgnoreCache | null
  /** For `<bantime>` in the command, seconds; -1: for ever. */
  readonly bantimeSeconds: number
}

/** `ignorecache`: what was decided holds for all failures for which the tags of `key` are the same. */
export interface IgnoreCache {
  readonly key: string
  /** Usually 100, and 300. */
  readonly maxCount: number
  readonly maxTimeSeconds: number
}

/** How the line of a failure arrived. */
export type Arrival = Pick<LogChunk, 'arrivedAt' | 'live' | 'undatedAt'>

/** A failure that waits for a name server or an `ignorecommand`, as it outlives the agent. */
export interface WaitingFailure {
  readonly failure: Failure
  readonly arrival: Arrival
}

export interface GateOptions {
  /** Counts a failure whose id is no name any more and which nothing ignores. */
  readonly count: (failure: Failure, arrival: Arrival) => void
  /**
   * Hears of failures that are ignored, and by what, in Fail2ban's words: `ignoreself rule`, `ip`, `dns`, `command`; null:
   * `ignorecache` knew it, which Fail2ban does not tell.
   */
  readonly onIgnored: (jail: string, id: string, source: IgnoreSource | null) => void
  /**
   * Hears of each failure that begins to wait, in the call that it came with, and with null that it waits no more, in the
   * turn in which it counts or does not. Keys are numbers in the order in which they came.
   */
  readonly keep?: (key: string, waiting: WaitingFailure | null) => void
  /** Hears what somebody should know: names that cannot be looked up, commands that fail, queues that are full. */
  readonly warn: (jail: string | null, message: string) => void
  /** Tests look names up otherwise. */
  readonly lookup?: Lookup
}

export type IgnoreSource = 'ignoreself rule' | 'ip' | 'dns' | 'command'
