import type { LogChunk } from '../events.ts'

/** How the line of a failure arrived. */
export type Arrival = Pick<LogChunk, 'arrivedAt' | 'live' | 'undatedAt'>

/** A live line whose date is further than this from its arrival counts at its arrival. */
const trustedSkewMs = 60_000

/**
 * The time at which a failure counts: the log's own, never after its arrival. A live line that is
 * dated more than 60 s off counts when it arrived: its clock or zone is wrong, and it is known to be new.
 * Null: it does not count.
 */
export function countedAt(written: number | null, { arrivedAt, live, undatedAt }: Arrival): number | null {
  const time = written ?? undatedAt
  if (time === null) return null
  if (live && Math.abs(arrivedAt - time) > trustedSkewMs) return arrivedAt
  return Math.floor(Math.min(time, arrivedAt))
}

/** How far off a date is where that is more than is believed; null where it is not. */
export function skewOf(time: number, arrivedAt: number): number | null {
  return Math.abs(arrivedAt - time) > trustedSkewMs ? time - arrivedAt : null
}
