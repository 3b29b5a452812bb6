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
    const key = keys.of(match.log, match.jail, address, 0, names.high, names.low)
    return withAttempts(match, known.attempts(key, match.time ?? now(), match.once, match.attempts))
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
    const key = keys.of(log, row.sessions, row.words, row.at, row.sessionHigh, row.sessionLow)
    return known.attempts(key, row.time ?? now(), row.once, row.attempts)
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
  attempts(key: number, time: number, once: boolean, attempts: number): number {
    const young = this.#young.slot(key)
    const generation = this.#young.holds(young, key) ? this.#young : this.#old
    const slot = generation === this.#young ? young : generation.slot(key)
    const since = generation.since[slot] ?? 0
    // Either way round: after a jump of the clock nothing is known.
    const isKnown = generation.holds(slot, key) && Math.abs(time - since) <= this.#lifetimeMs
    const repeats = isKnown && generation.repeats[slot] === 1
    this.#remember(key, isKnown ? since : time, once && (!isKnown || repeats))
    if (once) return isKnown ? 0 : 1
    return repeats ? attempts - 1 : attempts
  }

  #remember(key: number, since: number, repeats: boolean): void {
    if (this.#young.put(key, since, repeats)) return
    const emptied = this.#old.clear()
    this.#old = this.#young
    this.#young = emptied
    this.#young.put(key, since, repeats)
  }
}

/**
 * Some sessions by the hash of what names them, in arrays of numbers that are made once: a string and an
 * object for each would live just long enough to be moved to where garbage is collected last.
 */
class Generation {
  readonly since: Float64Array
  /** 1: an ordinary match will tell again of the failure that a `once` match counted for. */
  readonly repeats: Uint8Array
  readonly #capacity: number
  readonly #mask: number
  /** The hash; 0 where a slot is free. */
  readonly #keys: Float64Array
  #size = 0

  constructor(capacity: number) {
    this.#capacity = capacity
    const slots = 2 ** Math.ceil(Math.log2(Math.max(2, capacity * 2)))
    this.#mask = slots - 1
    this.#keys = new Float64Array(slots)
    this.since = new Float64Array(slots)
    this.repeats = new Uint8Array(slots)
  }

  /** The slot of a key, or the free one where it belongs. */
  slot(key: number): number {
    let slot = key & this.#mask
    while (this.#keys[slot] !== 0 && this.#keys[slot] !== key) slot = (slot + 1) & this.#mask
    return slot
  }

  holds(slot: number, key: number): boolean {
    return this.#keys[slot] === key
  }

  /** False where there is no room for one more. */
  put(key: number, since: number, repeats: boolean): boolean {
    const slot = this.slot(key)
    if (this.#keys[slot] !== key && this.#size++ >= this.#capacity) return false
    this.#keys[slot] = key
    this.since[slot] = since
    this.repeats[slot] = repeats ? 1 : 0
    return true
  }

  clear(): this {
    this.#keys.fill(0)
    this.#size = 0
    return this
  }
}

/**
 * 53 bits from log, owner (a jail, or what stands for some that see the same), address and session, never 0. The seed is
 * secret, so nobody can choose texts that look the same. What log and owner make is kept, for they are the same for many
 * lines.
 */
class SessionKeys {
  readonly #texts: SessionHash
  #log = ''
  /** Of the log, by owner. */
  readonly #begins = new Map<string, { readonly high: number; readonly low: number }>()

  constructor(seed: number) {
    this.#texts = new SessionHash(seed)
  }

  /** Of an address at `at` of the words, and of a session as `SessionHash` makes it. */
  of(log: string, owner: string, words: Uint32Array, at: number, high: number, low: number): number {
    const last = this.#begin(log, owner)
    let [a, b] = [last.low | 0, last.high | 0]
    const mix = (word: number) => {
      a = Math.imul(a ^ word, 0xcc9e2d51)
      a = (a << 15) | (a >>> 17)
      b = Math.imul(b ^ a ^ (b >>> 15), 0x85ebca6b)
    }
    for (let word = at; word < at + 4; word++) mix(words[word] ?? 0)
    mix(high)
    mix(low)
    return (b >>> 11) * 2 ** 32 + ((a ^ (a >>> 15)) >>> 0) || 1
  }

  #begin(log: string, owner: string): { readonly high: number; readonly low: number } {
    if (log !== this.#log) {
      this.#log = log
      this.#begins.clear()
    }
    const known = this.#begins.get(owner)
    if (known !== undefined) return known
    this.#texts.read(`${log}\0${owner}`)
    const { high, low } = this.#texts
    this.#begins.set(owner, { high, low })
    return { high, low }
  }
}

function withAttempts(match: Match, attempts: number): Match | null {
  if (attempts === match.attempts) return match
  return attempts < 1 ? null : { ...match, attempts }
}
