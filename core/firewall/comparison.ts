/** Compares what the kernel holds with what it should, and mends the difference. One file a way. */
import type { ForeignChange } from './backend.ts'
import type { RhythmOptions } from './rhythm.ts'
import type { Turns } from './turns.ts'
import type { Upkeep } from './upkeep.ts'

/** What a part of a comparison found, and when the next is due. */
export interface Compared {
  /** Entries that were put back; null where nothing was amiss. */
  readonly repaired: number | null
  readonly nextMs: number
  /** The milliseconds that count for `pace`. */
  readonly tookMs: number
}

/** A way to compare. One call of `part` at a time. */
export interface Comparison {
  /** How much of the time it may take. */
  readonly pace: Pick<RhythmOptions, 'share' | 'burstMs'>
  /** After how long a sign of damage is followed: others often make several changes, one after the other. */
  settlingMs(kind: Exclude<ForeignChange['kind'], 'removed'>): number
  /** From now on everything is in question; a part that is under way ends early where it can. */
  begin(): void
  part(): Promise<Compared>
}

/** What a comparison works with. */
export interface Workplace {
  readonly turns: Turns
  readonly upkeep: Upkeep
  /** The least pause after everything was compared. */
  readonly leastPauseMs: number
  /** A pause is so many times as long as the work before it. */
  readonly pauseTimes: number
}
