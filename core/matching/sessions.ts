import { randomInt } from 'node:crypto'
import type { Match } from '../events.ts'

/** Joins the lines that tell of the same failure. */
export interface Sessions {
  /**
   * The matches that count, from matches in file order. A session is log, jail, address and the key
   * that the line itself names; a match without a key counts. A `once` match counts only as the first
   * of its session, and then the next ordinary match tells of the same failure and does not count;
   * one that stands for several failures stands for one less.
   */
  merge(matches: readonly Match[]): Match[]
}

/** What is known of a session that a match counted for. */
interface Session {
  /** Whether an ordinary match will tell again of the failure that a `once` match counted for. */
  repeats: boolean
  readonly since: number
}

export interface SessionLimits {
  /** Sessions remembered at most; at least the half of it that was seen last is. */
  readonly capacity?: number
  /**
   * A session that began longer ago is over: its process id or port may be another connection by now,
   * and a peer that keeps its port must not be one session for ever. sshd gives 120 s to log in.
   */
  readonly lifetimeMs?: number
  /** The clock for matches without a time of their own. */
  readonly now?: () => number
}

export function createSessions({
  capacity = 20_000,
  lifetimeMs = 120_000,
  now = Date.now,
}: SessionLimits = {}): Sessions {
  const hash = createHash(randomInt(2 ** 32))
  // Two generations: when the young one is full, it becomes the old one, and what that held is forgotten.
  let young = new Generation(Math.ceil(capacity / 2))
  let old = new Generation(Math.ceil(capacity / 2))

  const sessionOf = (key: number, time: number): Session | undefined => {
    const session = young.get(key) ?? old.get(key)
    // Either way round: after a jump of the clock nothing is known.
    return session && Math.abs(time - session.since) <= lifetimeMs ? session : undefined
  }

  const remember = (key: number, session: Session) => {
    if (young.put(key, session)) return
    const emptied = old.clear()
    old = young
    young = emptied
    young.put(key, session)
  }

  const counted = (match: Match): Match | null => {
    if (match.session === null) return match
    const key = hash(match.log, match.jail, match.address, match.session)
    const time = match.time ?? now()
    const session = sessionOf(key, time)
    const repeats = match.once && (session === undefined || session.repeats)
    remember(key, { repeats, since: session?.since ?? time })
    if (match.once) return session === undefined ? withAttempts(match, 1) : null
    return session?.repeats ? withAttempts(match, match.attempts - 1) : match
  }

  // A loop: `flatMap` takes as long as all the rest.
  const merge = (matches: readonly Match[]) => {
    const merged: Match[] = []
    for (const match of matches) {
      const one = counted(match)
      if (one !== null) merged.push(one)
    }
    return merged
  }
  return { merge }
}

/**
 * Some sessions by the hash of what names them, in arrays of numbers that are made once: a string and an
 * object for each would live just long enough to be moved to where garbage is collected last.
 */
class Generation {
  readonly #capacity: number
  readonly #mask: number
  /** The hash; 0 where a slot is free. */
  readonly #keys: Float64Array
  readonly #since: Float64Array
  readonly #repeats: Uint8Array
  #size = 0

  constructor(capacity: number) {
    this.#capacity = capacity
    const slots = 2 ** Math.ceil(Math.log2(Math.max(2, capacity * 2)))
    this.#mask = slots - 1
    this.#keys = new Float64Array(slots)
    this.#since = new Float64Array(slots)
    this.#repeats = new Uint8Array(slots)
  }

  get(key: number): Session | undefined {
    const slot = this.#slot(key)
    if (this.#keys[slot] !== key) return undefined
    return { since: this.#since[slot] ?? 0, repeats: this.#repeats[slot] === 1 }
  }

  /** False where there is no room for one more. */
  put(key: number, { since, repeats }: Session): boolean {
    const slot = this.#slot(key)
    if (this.#keys[slot] !== key && this.#size++ >= this.#capacity) return false
    this.#keys[slot] = key
    this.#since[slot] = since
    this.#repeats[slot] = repeats ? 1 : 0
    return true
  }

  clear(): this {
    this.#keys.fill(0)
    this.#size = 0
    return this
  }

  #slot(key: number): number {
    let slot = key & this.#mask
    while (this.#keys[slot] !== 0 && this.#keys[slot] !== key) slot = (slot + 1) & this.#mask
    return slot
  }
}

/**
 * 53 bits from four texts, never 0: two runs of FNV-1a, the second over what the first makes of each
 * character. The seed is secret, so nobody can choose texts that look the same. What the first two texts
 * make is kept, for they are the same for many lines.
 */
function createHash(seed: number): (log: string, jail: string, address: string, session: string) => number {
  let low = 0
  let high = 0
  const begin = () => {
    low = seed | 0
    high = ~seed
  }
  const add = (text: string) => {
    let [a, b] = [low, high]
    for (let at = 0; at < text.length; at++) {
      a = Math.imul(a ^ text.charCodeAt(at), 0x01000193)
      b = Math.imul(b ^ (a >>> 13), 0x85ebca6b)
    }
    // Not a character: texts that are cut elsewhere are others.
    low = Math.imul(a ^ 0x10000, 0x01000193)
    high = b
  }
  const last = { log: '', jail: '', low: 0, high: 0 }
  let known = false
  return (log, jail, address, session) => {
    if (known && log === last.log && jail === last.jail) {
      low = last.low
      high = last.high
    } else {
      begin()
      add(log)
      add(jail)
      Object.assign(last, { log, jail, low, high })
      known = true
    }
    add(address)
    add(session)
    return (high >>> 11) * 2 ** 32 + ((low ^ (low >>> 15)) >>> 0) || 1
  }
}

function withAttempts(match: Match, attempts: number): Match | null {
  if (attempts === match.attempts) return match
  return attempts < 1 ? null : { ...match, attempts }
}
