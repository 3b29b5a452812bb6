import { randomInt } from 'node:crypto'
import { writeKey } from '../address-words.ts'
import type { Match } from '../events.ts'
import type { RowCursor } from '../failure-rows.ts'
import { SessionHash } from './session-hash.ts'

/** Joins the lines that tell of the same failure. */
export interface Sessions {
  /**
   * The matches that count, from matches in file order. A session is log, jail, address and the key
   * that the line itself names; a match without a key counts. A `once` match counts only as the first
   * of its session, and then the next ordinary match tells of the same failure and does not count;
   * one that stands for several failures stands for one less.
   */
  merge(matches: readonly Match[]): Match[]
  /**
   * The same for a row, to be asked once for each of its lines: how many failures the line counts for, 0: none. Its jails
   * have seen the same of the session, so it is one for all of them.
   */
  attempts(row: RowCursor, log: string): number
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
  const known = new KnownSessions(Math.ceil(capacity / 2), lifetimeMs)
  const keys = new SessionKeys(randomInt(2 ** 32))
  const names = new SessionHash(randomInt(2 ** 32))
  const address = new Uint32Array(4)

  const counted = (match: Match): Match | null => {
    if (match.session === null) return match
    writeKey(match.address, address)
    names.read(match.session)
    keys.read(match.log, match.jail, address, 0, names.high, names.low)
    return withAttempts(match, known.attempts(keys, match.time ?? now(), match.once, match.attempts))
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

  const attempts = (row: RowCursor, log: string) => {
    if (!row.hasSession) return row.attempts
    keys.read(log, row.sessions, row.words, row.at, row.sessionHigh, row.sessionLow)
    return known.attempts(keys, row.time ?? now(), row.once, row.attempts)
  }
  return { merge, attempts }
}

/** The sessions seen last, by their keys: at least as many as one of two generations holds. */
class KnownSessions {
  readonly #lifetimeMs: number
  // When the young one is full, it becomes the old one, and what that held is forgotten.
  #young: Generation
  #old: Generation

  constructor(capacity: number, lifetimeMs: number) {
    this.#lifetimeMs = lifetimeMs
    this.#young = new Generation(capacity)
    this.#old = new Generation(capacity)
  }

  /** How many of the attempts count, of a line of that time, and takes the line in. */
  attempts({ high, low }: SessionKeys, time: number, once: boolean, attempts: number): number {
    const slot = this.#young.slot(high, low)
    const isYoung = this.#young.isTaken(slot)
    const generation = isYoung ? this.#young : this.#old
    const at = isYoung ? slot : generation.slot(high, low)
    const since = generation.isTaken(at) ? generation.since(at) : Number.NaN
    // Either way round: after a jump of the clock nothing is known.
    const isKnown = Math.abs(time - since) <= this.#lifetimeMs
    const repeats = isKnown && generation.repeats(at)
    if (!isYoung && this.#young.isFull) this.#forgetOld()
    this.#young.put(high, low, isKnown ? since : time, once && (!isKnown || repeats))
    if (once) return isKnown ? 0 : 1
    return repeats ? attempts - 1 : attempts
  }

  #forgetOld(): void {
    const emptied = this.#old.clear()
    this.#old = this.#young
    this.#young = emptied
  }
}

/** Set in the higher part: an ordinary match will tell again of the failure that a `once` match counted for. */
const repeatsBit = 0x8000_0000

/**
 * Some sessions by the hash of what names them, in memory that is made once: a string and an object for each would live
 * just long enough to be moved to where garbage is collected last. What is looked for lies by itself, close together, since
 * most sessions are new ones.
 */
class Generation {
  readonly #capacity: number
  readonly #mask: number
  /** The lower part of the key; 0 where a slot is free. */
  readonly #low: Uint32Array
  readonly #high: Uint32Array
  readonly #since: Float64Array
  #size = 0

  constructor(capacity: number) {
    this.#capacity = capacity
    const slots = 2 ** Math.ceil(Math.log2(Math.max(2, capacity * 2)))
    this.#mask = slots - 1
    this.#low = new Uint32Array(slots)
    this.#high = new Uint32Array(slots)
    this.#since = new Float64Array(slots)
  }

  /** The slot of a key, or the free one where it belongs. */
  slot(high: number, low: number): number {
    const lows = this.#low
    let slot = low & this.#mask
    while (lows[slot] !== 0) {
      if (lows[slot] === low && ((this.#high[slot] ?? 0) & ~repeatsBit) === high) break
      slot = (slot + 1) & this.#mask
    }
    return slot
  }

  isTaken(slot: number): boolean {
    return this.#low[slot] !== 0
  }

  /** When the session began, as its lines say. */
  since(slot: number): number {
    return this.#since[slot] ?? 0
  }

  repeats(slot: number): boolean {
    return (this.#high[slot] ?? 0) >= repeatsBit
  }

  /** Whether there is no room for one more. */
  get isFull(): boolean {
    return this.#size >= this.#capacity
  }

  put(high: number, low: number, since: number, repeats: boolean): void {
    const slot = this.slot(high, low)
    if (!this.isTaken(slot)) this.#size++
    this.#low[slot] = low
    this.#high[slot] = repeats ? high | repeatsBit : high
    this.#since[slot] = since
  }

  clear(): this {
    this.#low.fill(0)
    this.#size = 0
    return this
  }
}

/**
 * 53 bits from log, owner (a jail, or what stands for some that see the same), address and session. The seed is secret, so
 * nobody can choose texts that look the same. What log and owner make is kept, for they are the same for many lines.
 */
class SessionKeys {
  /** What `read` made: 21 bits, and 32 that are never 0. */
  high = 0
  low = 1
  readonly #texts: SessionHash
  #log = ''
  #owner = ''
  #last: Words | null = null
  /** Of the log, by owner. */
  readonly #begins = new Map<string, Words>()

  constructor(seed: number) {
    this.#texts = new SessionHash(seed)
  }

  /** Of an address at `at` of the words, and of a session as `SessionHash` makes it. */
  read(log: string, owner: string, words: Uint32Array, at: number, high: number, low: number): void {
    const last = log === this.#log && owner === this.#owner && this.#last ? this.#last : this.#begin(log, owner)
    let a = last.low | 0
    let b = last.high | 0
    for (let index = 0; index < 6; index++) {
      a = Math.imul(a ^ (index < 4 ? (words[at + index] ?? 0) : index === 4 ? high : low), 0xcc9e2d51)
      a = (a << 15) | (a >>> 17)
      b = Math.imul(b ^ a ^ (b >>> 15), 0x85ebca6b)
    }
    this.high = b >>> 11
    this.low = (a ^ (a >>> 15)) >>> 0 || 1
  }

  #begin(log: string, owner: string): Words {
    if (log !== this.#log) this.#begins.clear()
    this.#log = log
    this.#owner = owner
    const known = this.#begins.get(owner)
    if (known === undefined) this.#texts.read(`${log}\0${owner}`)
    const { high, low } = known ?? this.#texts
    this.#last = { high, low }
    this.#begins.set(owner, this.#last)
    return this.#last
  }
}

interface Words {
  readonly high: number
  readonly low: number
}

function withAttempts(match: Match, attempts: number): Match | null {
  if (attempts === match.attempts) return match
  return attempts < 1 ? null : { ...match, attempts }
}
