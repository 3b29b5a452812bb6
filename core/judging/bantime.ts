/** How long bans last. */
export interface Bantime {
  /** The length of a first ban; null: for ever. */
  readonly baseMs: number | null
  /** Whether later bans of the same address last longer. */
  readonly increment: boolean
  /** How many times longer each is than the one before. */
  readonly factor: number
  /** No ban lasts longer; null: no limit. */
  readonly maxMs: number | null
}

/** The length in ms of the `count`-th ban (from 1) of an address; null: for ever. */
export function banLength(bantime: Bantime, count: number): number | null {
  if (bantime.baseMs === null) return null
  const longer = bantime.increment ? bantime.baseMs * bantime.factor ** (count - 1) : bantime.baseMs
  return foreverIfLong(Math.round(Math.min(longer, bantime.maxMs ?? Number.POSITIVE_INFINITY)))
}

/** A length beyond ten years is for ever: timers of firewalls end somewhere. */
export function foreverIfLong(lengthMs: number | null): number | null {
  return lengthMs === null || lengthMs > tenYearsMs ? null : lengthMs
}

const tenYearsMs = 10 * 365 * 86_400_000
