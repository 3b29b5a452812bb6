/** Who of two that watch the same logs banned whom. */
import { parsePrefix } from '../../address.ts'

/** The two that are compared. */
export type Side = 'fail2ban' | 'bailiff'

/** What one of them did. Times are unix milliseconds. */
export interface SeenBan {
  /** `held`: it is in force and was decided before. */
  readonly type: 'ban' | 'unban' | 'held'
  readonly jail: string
  readonly id: string
  readonly time: number
  /** When it ends by itself; null: when it is said, or never. */
  readonly until: number | null
}

/** A ban that only one of them made. */
export interface LoneBan {
  readonly by: Side
  readonly jail: string
  readonly id: string
  /** When it was made. */
  readonly time: number
}

/** How it stands. `waiting`: bans of one that the other may still make. */
export interface Tally {
  readonly same: number
  readonly onlyFail2ban: number
  readonly onlyBailiff: number
  readonly waiting: number
}

/** Bans that are remembered of each side, at most: beyond, the oldest are forgotten, and nobody is waited for. */
const mostHeld = 200_000

/**
 * Pairs the bans of both. A ban is the same where the other holds it too, or comes to hold it within the
 * tolerance; only then it is told, so a slow side is no difference. What is in force from before pairs as well.
 */
export class LiveComparison {
  readonly #toleranceMs: number
  readonly #held = { fail2ban: new Map<string, number | null>(), bailiff: new Map<string, number | null>() }
  /** Bans that the other side has not made yet, oldest first, with when it should have. */
  readonly #waiting = new Map<string, { readonly ban: LoneBan; readonly until: number }>()
  #same = 0
  readonly #lone = { fail2ban: 0, bailiff: 0 }

  constructor(toleranceMs: number) {
    this.#toleranceMs = toleranceMs
  }

  get tally(): Tally {
    const { fail2ban: onlyFail2ban, bailiff: onlyBailiff } = this.#lone
    return { same: this.#same, onlyFail2ban, onlyBailiff, waiting: this.#waiting.size }
  }

  /** Takes what one side did; `now` is when that was heard. */
  hear(by: Side, { type, jail, id, time, until }: SeenBan, now: number): void {
    const key = keyOf(jail, id)
    const held = this.#held[by]
    if (type === 'unban') return void held.delete(key)
    // The agent tells of a ban that goes on for longer as of a new one.
    const isNew = type === 'ban' && !(by === 'bailiff' && this.#holds(by, key, now))
    held.delete(key)
    held.set(key, until)
    if (held.size > mostHeld) held.delete(held.keys().next().value ?? '')
    const waits = `${other(by)} ${key}`
    if (this.#waiting.delete(waits)) this.#same++
    else if (isNew && this.#holds(other(by), key, now)) this.#same++
    else if (isNew) this.#waiting.set(`${by} ${key}`, { ban: { by, jail, id, time }, until: now + this.#toleranceMs })
  }

  /** The bans that the other side has not made in time, the oldest first. To be called again and again. */
  overdue(now: number): LoneBan[] {
    const lone: LoneBan[] = []
    for (const [key, { ban, until }] of this.#waiting) {
      if (until > now && this.#waiting.size <= mostHeld) break
      this.#waiting.delete(key)
      this.#lone[ban.by]++
      lone.push(ban)
    }
    return lone
  }

  #holds(by: Side, key: string, now: number): boolean {
    const until = this.#held[by].get(key)
    return until !== undefined && (until === null || until > now)
  }
}

function other(side: Side): Side {
  return side === 'fail2ban' ? 'bailiff' : 'fail2ban'
}

/** The same address may be written in several ways. */
function keyOf(jail: string, id: string): string {
  return `${jail} ${parsePrefix(id) ?? id}`
}
