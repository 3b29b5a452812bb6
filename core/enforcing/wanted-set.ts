import { randomInt } from 'node:crypto'
import { coveringPrefixes, prefixParts, type Prefix } from '../address.ts'
import { writePrefixKey } from '../address-words.ts'
import { listOfJail, type Ban, type BanReason, type UnbanReason } from '../events.ts'
import { BanColumns } from './ban-columns.ts'
import { EarliestFirst } from './earliest-first.ts'

/** Bans at most, beside those of named lists: about 80 MB. */
const maxBans = 1_000_000

/** A change of what is wanted: a ban that came (`before` null), was extended, or ended (`after` null). */
export interface WantedChange {
  readonly before: Ban | null
  readonly after: Ban | null
  readonly reason: BanReason | UnbanReason
}

/**
 * What should be enforced: at most one ban a prefix and jail. Everything that enforces, stores or
 * tells subscribes to its changes. Bans that are over leave it within a second. Bounded: of too many the
 * one that ends first ends at once; `crowdedOut` counts those. Bans of named lists neither count there
 * nor end by themselves: who loads a list bounds and ends it as a whole.
 *
 * Rows of numbers, found through an open-addressing index by 64 bits of a hash of the prefix with a
 * secret seed (two of a million prefixes share one with a chance of 1 to 30 million); the bans of one
 * prefix are chained. Ban records are made when they are asked for.
 */
export class WantedSet {
  readonly #bans = new BanColumns()
  readonly #ending = new EarliestFirst(this.#bans)
  readonly #listeners: ((change: WantedChange) => void)[] = []
  readonly #seed = randomInt(2 ** 32)
  readonly #key = new Uint32Array(4)
  /** What `hasKey` asked for last, with the bits, and what `#hash` made of it. */
  readonly #asked = new Uint32Array(5)
  #askedLow = 0
  #askedHigh = 0
  readonly #max: number
  readonly #perJail = new Map<string, number>()
  /** Row + 1 of the first ban of a prefix; 0 where a slot is free. */
  #index = new Int32Array(256)
  #prefixes = 0
  #size = 0
  #listed = 0
  #crowdedOut = 0
  #stamps = 0
  /** What the last `#hash` made. */
  #low = 0
  #high = 0

  constructor(max = maxBans) {
    this.#max = max
  }

  /** Number of bans. */
  get size(): number {
    return this.#size
  }

  /** How many of them are of named lists. */
  get listed(): number {
    return this.#listed
  }

  /** Bans that ended before their time, or were not taken, because there were too many. */
  get crowdedOut(): number {
    return this.#crowdedOut
  }

  /** How many bans each jail has; those without one are not in it. */
  get perJail(): ReadonlyMap<string, number> {
    return this.#perJail
  }

  /** Calls `listener` after every change, in the order of the changes. */
  onChange(listener: (change: WantedChange) => void): void {
    this.#listeners.push(listener)
  }

  /** Adds a ban, or extends the one of the same prefix and jail; one that would end sooner changes nothing. */
  add(ban: Ban, reason: BanReason): void {
    const known = this.#find(ban.prefix, ban.jail)
    if (known !== undefined) {
      const before = this.#bans.read(known)
      if (endOf(before) >= endOf(ban)) return
      this.#write(known, ban)
      return this.#tell({ before, after: ban, reason: 'extended' })
    }
    const isListed = listOfJail(ban.jail) !== null
    if (!isListed && this.#size - this.#listed >= this.#max && !this.#makeRoom(endOf(ban))) return
    this.#insert(ban)
    this.#tell({ before: null, after: ban, reason })
  }

  /** As `add`, but what the known ban says of begin and end gives way also to an earlier end. */
  put(ban: Ban, reason: BanReason): void {
    const known = this.#find(ban.prefix, ban.jail)
    if (known === undefined) return this.add(ban, reason)
    const before = this.#bans.read(known)
    this.#write(known, ban)
    if (endOf(before) !== endOf(ban)) this.#tell({ before, after: ban, reason: 'extended' })
  }

  /** Ends the bans of everything that has an address in common with `prefix`, and answers them. */
  removeTouching(prefix: Prefix): Ban[] {
    const wider = [...coveringPrefixes(prefix)].slice(1)
    const rows = [...this.#rowsInside(prefix), ...wider.flatMap((each) => this.#rowsOf(each))]
    return rows.map((row) => this.#end(row, 'unbanned'))
  }

  /** Ends the bans of everything inside `prefix`, of one jail, of (null) all, or of those that the function says, and answers them. */
  remove(prefix: Prefix, jail: string | null | ((jail: string) => boolean), reason: UnbanReason = 'unbanned'): Ban[] {
    const isMeant = typeof jail === 'function' ? jail : (each: string) => jail === null || each === jail
    const inside = this.#rowsInside(prefix).filter((row) => isMeant(this.#bans.jail(row)))
    return inside.map((row) => this.#end(row, reason))
  }

  /** Ends the bans whose time is over at `now` (unix ms). To be called about every second. */
  expire(now: number): void {
    for (
      let row = this.#ending.first;
      row !== undefined && (this.#bans.until[row] ?? 0) <= now;
      row = this.#ending.first
    )
      this.#end(row, 'expired')
  }

  /**
   * The clock was set by so many milliseconds: each ban, but for those spared, goes on for as long as it
   * would have, and so ends at another time. Answers those, but not those of lists; listeners are not told,
   * for nothing is to be done.
   */
  shift(ms: number, spares: (ban: Ban) => boolean): Ban[] {
    const shifted: Ban[] = []
    for (let row = 0; row < this.#bans.end; row++) {
      const until = this.#bans.until[row] ?? Infinity
      if (this.#bans.isFree(row) || until === Infinity || spares(this.#bans.read(row))) continue
      this.#bans.until[row] = until + ms
      if (listOfJail(this.#bans.jail(row)) !== null) continue
      this.#ending.put(row)
      shifted.push(this.#bans.read(row))
    }
    return shifted
  }

  has(prefix: Prefix, jail: string): boolean {
    return this.#find(prefix, jail) !== undefined
  }

  /** As `has`, of an address as `writeKey` writes it (128 bits), or of its network of 64 bits. */
  hasKey(words: Uint32Array, bits: 64 | 128, jail: string): boolean {
    if (this.#prefixes === 0) return false
    this.#ask(words, bits)
    return this.#findHashed(jail) !== undefined
  }

  /**
   * A number that stands for the bans there are of such a prefix: while it is the same, the same jails have one. 0: none
   * has.
   */
  stampOf(words: Uint32Array, bits: 64 | 128): number {
    if (this.#prefixes === 0) return 0
    this.#ask(words, bits)
    const first = this.#index[this.#slotOfHash()] ?? 0
    return first === 0 ? 0 : (this.#bans.stamp[first - 1] ?? 0)
  }

  #ask(words: Uint32Array, bits: 64 | 128): void {
    const key = this.#asked
    // No arrays that are taken apart: this is asked of every failure, and each would be garbage.
    const a = words[0] ?? 0
    const b = words[1] ?? 0
    const c = bits > 64 ? (words[2] ?? 0) : 0
    const d = bits > 64 ? (words[3] ?? 0) : 0
    // Many jails ask for the same address, one after the other.
    if (key[0] !== a || key[1] !== b || key[2] !== c || key[3] !== d || key[4] !== bits) {
      key[0] = a
      key[1] = b
      key[2] = c
      key[3] = d
      key[4] = bits
      this.#hashKey(key, bits)
      this.#askedLow = this.#low
      this.#askedHigh = this.#high
    }
    this.#low = this.#askedLow
    this.#high = this.#askedHigh
  }

  get(prefix: Prefix, jail: string): Ban | undefined {
    const row = this.#find(prefix, jail)
    return row === undefined ? undefined : this.#bans.read(row)
  }

  /** Whether exactly this prefix has one ban and no more. */
  isOnly(prefix: Prefix): boolean {
    const first = this.#index[this.#slot(prefix)] ?? 0
    return first !== 0 && this.#bans.next[first - 1] === 0
  }

  /** The bans of exactly this prefix. */
  of(prefix: Prefix): readonly Ban[] {
    return this.#rowsOf(prefix).map((row) => this.#bans.read(row))
  }

  /** The bans that have an address in common with `prefix`. */
  touching(prefix: Prefix): Ban[] {
    const wider = [...coveringPrefixes(prefix)].slice(1)
    const rows = [...wider.toReversed().flatMap((each) => this.#rowsOf(each)), ...this.#rowsInside(prefix)]
    return rows.map((row) => this.#bans.read(row))
  }

  /** Bans of this jail. The set may change while they are walked through; what comes meanwhile may be left out. */
  *ofJail(jail: string): Generator<Ban> {
    for (let row = 0; row < this.#bans.end; row++)
      if (!this.#bans.isFree(row) && this.#bans.jail(row) === jail) yield this.#bans.read(row)
  }

  /** As `ofJail`, of all the jails that the function says. It is asked once each. */
  *ofJails(isMeant: (jail: string) => boolean): Generator<Ban> {
    const known = new Map<string, boolean>()
    for (let row = 0; row < this.#bans.end; row++) {
      if (this.#bans.isFree(row)) continue
      const jail = this.#bans.jail(row)
      const meant = known.get(jail) ?? isMeant(jail)
      known.set(jail, meant)
      if (meant) yield this.#bans.read(row)
    }
  }

  *[Symbol.iterator](): Iterator<Ban> {
    for (let row = 0; row < this.#bans.end; row++) if (!this.#bans.isFree(row)) yield this.#bans.read(row)
  }

  #insert(ban: Ban): void {
    if ((this.#prefixes + 1) * 2 > this.#index.length) this.#growIndex()
    const row = this.#bans.take()
    const slot = this.#slot(ban.prefix)
    this.#bans.low[row] = this.#low
    this.#bans.high[row] = this.#high
    this.#bans.next[row] = this.#index[slot] ?? 0
    this.#bans.place[row] = 0
    if (this.#index[slot] === 0) this.#prefixes++
    this.#index[slot] = row + 1
    this.#stamp(row)
    this.#write(row, ban)
    this.#size++
    if (listOfJail(ban.jail) !== null) this.#listed++
    this.#perJail.set(ban.jail, (this.#perJail.get(ban.jail) ?? 0) + 1)
  }

  #write(row: number, ban: Ban): void {
    this.#bans.write(row, ban)
    if (ban.until === null || listOfJail(ban.jail) !== null) this.#ending.remove(row)
    else this.#ending.put(row)
  }

  #end(row: number, reason: UnbanReason): Ban {
    const ban = this.#bans.read(row)
    const slot = this.#slot(ban.prefix)
    const first = (this.#index[slot] ?? 0) - 1
    const after = this.#bans.next[row] ?? 0
    if (first === row) this.#index[slot] = after
    else {
      let before = first
      while (this.#bans.next[before] !== row + 1) before = (this.#bans.next[before] ?? 0) - 1
      this.#bans.next[before] = after
    }
    const left = this.#index[slot] ?? 0
    if (left === 0) this.#unlink(slot)
    else this.#stamp(left - 1)
    this.#ending.remove(row)
    this.#bans.clear(row)
    this.#size--
    if (listOfJail(ban.jail) !== null) this.#listed--
    const others = (this.#perJail.get(ban.jail) ?? 0) - 1
    if (others > 0) this.#perJail.set(ban.jail, others)
    else this.#perJail.delete(ban.jail)
    this.#tell({ before: ban, after: null, reason })
    return ban
  }

  /** The bans that begin with this row are others than before. 0 is the stamp of none. */
  #stamp(row: number): void {
    this.#stamps = (this.#stamps + 1) >>> 0 || 1
    this.#bans.stamp[row] = this.#stamps
  }

  /** Ends the ban that ends first; false where none ends before `until`. */
  #makeRoom(until: number): boolean {
    this.#crowdedOut++
    const first = this.#ending.first
    if (first === undefined || (this.#bans.until[first] ?? Infinity) >= until) return false
    this.#end(first, 'unbanned')
    return true
  }

  #rowsInside(prefix: Prefix): number[] {
    const parts = prefixParts(prefix)
    // Nothing but itself is inside a single address.
    if (parts.length === parts.bytes.length * 8) return this.#rowsOf(prefix)
    const rows: number[] = []
    for (let row = 0; row < this.#bans.end; row++) if (this.#bans.isInside(row, parts)) rows.push(row)
    return rows
  }

  #rowsOf(prefix: Prefix): number[] {
    const rows: number[] = []
    for (let next = this.#index[this.#slot(prefix)] ?? 0; next !== 0; next = this.#bans.next[next - 1] ?? 0)
      rows.push(next - 1)
    return rows
  }

  #find(prefix: Prefix, jail: string): number | undefined {
    this.#hash(prefix)
    return this.#findHashed(jail)
  }

  #findHashed(jail: string): number | undefined {
    for (let next = this.#index[this.#slotOfHash()] ?? 0; next !== 0; next = this.#bans.next[next - 1] ?? 0)
      if (this.#bans.jail(next - 1) === jail) return next - 1
    return undefined
  }

  /** The slot of a prefix, or the free one where it belongs. */
  #slot(prefix: Prefix): number {
    this.#hash(prefix)
    return this.#slotOfHash()
  }

  #slotOfHash(): number {
    const mask = this.#index.length - 1
    let slot = this.#low & mask
    for (let entry = this.#index[slot] ?? 0; entry !== 0; entry = this.#index[slot] ?? 0) {
      if (this.#bans.low[entry - 1] === this.#low && this.#bans.high[entry - 1] === this.#high) break
      slot = (slot + 1) & mask
    }
    return slot
  }

  #hash(prefix: Prefix): void {
    const bits = writePrefixKey(prefix, this.#key)
    this.#hashKey(this.#key, bits)
  }

  /** MurmurHash3's mixing of the words, and beside it another multiplication; and MurmurHash3's last steps. */
  #hashKey(key: Uint32Array, bits: number): void {
    let low = this.#seed | 0
    let high = ~this.#seed
    for (let at = 0; at <= 4; at++) {
      const word = at < 4 ? (key[at] ?? 0) : bits
      const mixed = Math.imul(word, 0xcc9e2d51)
      low ^= Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593)
      low = (Math.imul((low << 13) | (low >>> 19), 5) + 0xe6546b64) | 0
      high = Math.imul(high ^ word, 0x01000193)
      high = Math.imul(high ^ (high >>> 15), 0x2c1b3c6d)
    }
    low = Math.imul(low ^ (low >>> 16), 0x85ebca6b)
    high = Math.imul(high ^ (high >>> 13), 0xc2b2ae35)
    this.#low = (low ^ (low >>> 13)) >>> 0
    this.#high = (high ^ (high >>> 16)) >>> 0
  }

  /** Closes the gap at a slot by moving back those behind it that had to give way (Knuth 6.4, algorithm R). */
  #unlink(free: number): void {
    this.#prefixes--
    const mask = this.#index.length - 1
    let gap = free
    for (let slot = (gap + 1) & mask; this.#index[slot] !== 0; slot = (slot + 1) & mask) {
      const home = (this.#bans.low[(this.#index[slot] ?? 0) - 1] ?? 0) & mask
      if (((slot - home) & mask) < ((slot - gap) & mask)) continue
      this.#index[gap] = this.#index[slot] ?? 0
      gap = slot
    }
    this.#index[gap] = 0
  }

  #growIndex(): void {
    const old = this.#index
    this.#index = new Int32Array(old.length * 2)
    const mask = this.#index.length - 1
    for (const entry of old) {
      if (entry === 0) continue
      let slot = (this.#bans.low[entry - 1] ?? 0) & mask
      while (this.#index[slot] !== 0) slot = (slot + 1) & mask
      this.#index[slot] = entry
    }
  }

  #tell(change: WantedChange): void {
    for (const listener of this.#listeners) listener(change)
  }
}

/** When a ban ends as a number that can be compared; for ever is beyond all others. */
export function endOf(ban: Pick<Ban, 'until'>): number {
  return ban.until ?? Number.POSITIVE_INFINITY
}

/** What makes two bans the same entry of an action: prefix and ports. */
export function entryKey({ prefix, ports }: Pick<Ban, 'prefix' | 'ports'>): string {
  return `${prefix} ${ports.protocol} ${ports.ports.join(',')}`
}
