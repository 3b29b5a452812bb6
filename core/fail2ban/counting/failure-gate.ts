import type { Failure, LogChunk } from '../../events.ts'

/** What a jail of a Fail2ban tree says of names and of whom it ignores. */
export interface GateRules {
  readonly name: string
  readonly usedns: 'yes' | 'warn' | 'no' | 'raw'
  /** The words of `ignoreip`. */
  readonly ignoreip: readonly string[]
  readonly ignoreself: boolean
  /** For `sh -c`, static tags replaced; empty: none. */
  readonly ignorecommand: string
  readonly ignorecache: { readonly key: string; readonly maxCount: number; readonly maxTimeSeconds: number } | null
  /** For `<bantime>` in the command, seconds. */
  readonly bantimeSeconds: number
}

/** How the line of a failure arrived. */
export type Arrival = Pick<LogChunk, 'arrivedAt' | 'live' | 'undatedAt'>

export interface GateOptions {
  /** Counts a failure whose id is no name any more and which nothing ignores. */
  readonly count: (failure: Failure, arrival: Arrival) => void
  /** Hears of failures that are ignored, and by what, in Fail2ban's words: `ignoreself rule`, `ip`, `dns`, `command`. */
  readonly onIgnored: (jail: string, id: string, source: string) => void
  /** Hears what somebody should know: names that cannot be looked up, commands that fail, queues that are full. */
  readonly warn: (jail: string, message: string) => void
}

/**
 * Stands before the judge for jails of a Fail2ban tree: looks names up, and leaves out what the jail ignores. What has
 * to wait for neither is counted in the call; the rest later, without anything else waiting for it.
 */
export class FailureGate {
  constructor(_options: GateOptions) {}

  /** Takes over the jails of a new configuration. Throws nothing; what is wrong with a word of `ignoreip` is answered. */
  async configure(_jails: readonly GateRules[]): Promise<readonly Error[]> {
    return []
  }

  take(_failure: Failure, _arrival: Arrival): void {}

  /** Whether the jail ignores the id now, by what, in Fail2ban's words; for bans of before the start, which are asked anew. */
  async ignoring(_jail: string, _id: string): Promise<string | null> {
    return null
  }

  /** Resolves when nothing waits any more. */
  async settled(): Promise<void> {}

  stop(): void {}
}
