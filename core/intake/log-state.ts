/** How a log is doing, for status. */
export interface LogState {
  /** The path of the file, or the name of the source, as in `LogChunk.log`. */
  readonly log: string
  /** The pattern that found it; null where it is named itself. A pattern that finds nothing is a log itself. */
  readonly pattern: string | null
  readonly jails: readonly string[]
  /** `waiting`: there is no such file yet, or no longer. `unreadable`: there is something that cannot be read. */
  readonly state: 'reading' | 'waiting' | 'unreadable'
  /** What is wrong, for people; null while the log is being read. */
  readonly trouble: string | null
  /** What mends it, for people. */
  readonly remedy?: string | null
  /** Bytes that are there and not scanned yet, unfinished lines among them. */
  readonly behind: number
  /** Whole lines scanned since the agent started. */
  readonly lines: number
  /** Lines passed over because they were too long or broke the deadline. */
  readonly skipped: number
  /** Lines that are not of the form (JSON, logfmt) that a filter expects. */
  readonly malformed: number
  /** All bytes of the file before this one are done with; for a source, bytes taken since it started. */
  readonly position: number
  /** When new bytes were last seen, unix milliseconds; null: not since the agent started. */
  readonly lastGrowth: number | null
  /** Whether the reader has caught up with the end of the log since the agent started. */
  readonly live: boolean
}

/** A log that nothing is read of yet. */
export function waitingLog(log: string, jails: readonly string[], trouble: string): LogState {
  const nothing = { behind: 0, lines: 0, skipped: 0, malformed: 0, position: 0, lastGrowth: null, live: false }
  return { log, pattern: log, jails, state: 'waiting', trouble, ...nothing }
}

/** What the scans of one log add up to. */
export class ScanCount {
  lines = 0
  skipped = 0
  malformed = 0
  lastGrowth: number | null = null

  add(result: { readonly lines: number; readonly skipped: number; readonly malformed: number }): void {
    this.lines += result.lines
    this.skipped += result.skipped
    this.malformed += result.malformed
  }
}
