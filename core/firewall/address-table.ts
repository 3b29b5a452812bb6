/**
 * Addresses of one length and when each ends, compactly: open addressing with linear probing over typed
 * arrays, 13 bytes a slot for IPv4 and 25 for IPv6, at least half of the slots free after growing. (A
 * `Map` by the digits took 90 and 120 bytes an address.) The hash is seeded, because attackers choose
 * among the addresses of their networks.
 *
 * An end that is past is as good as a deletion: the slot stays until the table is made anew, which
 * happens when seven tenths of the slots are used. So nothing has to look for what expired.
 */

/** An address as 8 or 32 hexadecimal digits, and its end in ms of `performance.now()`; null: never. */
export type AddressEnd = readonly [address: string, endsAt: number | null]

const fewestSlots = 16

export class AddressTable {
  readonly #words: 1 | 4
  readonly #seed: number
  /** The address that was asked for last, in words. */
  readonly #asked: Uint32Array
  #keys: Uint32Array
  /** NaN: the slot was never used. */
  #ends: Float64Array
  /** 1: seen, or put, since the round began. */
  #seen: Uint8Array
  /** 1: put since the replacing began; null: nothing is being replaced. */
  #stays: Uint8Array | null = null
  #used = 0
  #cursor = 0
  #replaceCursor = 0
  #replacedSome = false

  /** `seed` is any 32 bits that others do not know. */
  constructor(family: 4 | 6, seed: number) {
    this.#words = family === 4 ? 1 : 4
    this.#seed = seed
    this.#asked = new Uint32Array(this.#words)
    this.#keys = new Uint32Array(fewestSlots * this.#words)
    this.#ends = new Float64Array(fewestSlots).fill(Number.NaN)
    this.#seen = new Uint8Array(fewestSlots)
  }

  /** The addresses in it, and at times some that are over already. */
  get size(): number {
    return this.#used
  }

  /** Adds an address, or gives it its new end. */
  put(address: string, endsAt: number | null, now: number): void {
    this.#ask(address)
    let slot = this.#slot()
    if (Number.isNaN(this.#ends[slot])) {
      if (this.#used + 1 > this.#ends.length * 0.7) {
        this.rebuild(now)
        this.#ask(address)
        slot = this.#slot()
      }
      this.#keys.set(this.#asked, slot * this.#words)
      this.#used++
    }
    this.#ends[slot] = endsAt ?? Number.POSITIVE_INFINITY
    this.#seen[slot] = 1
    if (this.#stays !== null) this.#stays[slot] = 1
  }

  drop(address: string): void {
    this.#ask(address)
    const slot = this.#slot()
    if (!Number.isNaN(this.#ends[slot])) this.#ends[slot] = Number.NEGATIVE_INFINITY
  }

  /** When the address ends; undefined where it is not there or is over at `now`. */
  endOf(address: string, now: number): number | null | undefined {
    this.#ask(address)
    return this.#endAt(this.#slot(), now)
  }

  /** Begins a round: nothing has been seen. What is put from now on counts as seen. */
  startRound(): void {
    this.#seen.fill(0)
    this.#cursor = 0
  }

  /** As `endOf`, and the address counts as seen. */
  see(address: string, now: number): number | null | undefined {
    this.#ask(address)
    const slot = this.#slot()
    this.#seen[slot] = 1
    return this.#endAt(slot, now)
  }

  /** Up to `most` addresses that were not seen in this round; they now are. Empty when there are no more. */
  takeUnseen(most: number, now: number): AddressEnd[] {
    const taken: AddressEnd[] = []
    for (; this.#cursor < this.#ends.length && taken.length < most; this.#cursor++) {
      if (this.#seen[this.#cursor] === 1) continue
      this.#seen[this.#cursor] = 1
      const endsAt = this.#endAt(this.#cursor, now)
      if (endsAt !== undefined) taken.push([this.#addressAt(this.#cursor), endsAt])
    }
    return taken
  }

  /** Begins to put others in the place of what is there: only what is put from now on stays. */
  startReplacing(): void {
    this.#stays = new Uint8Array(this.#ends.length)
    this.#replaceCursor = 0
    this.#replacedSome = false
  }

  /** Drops up to `most` addresses that do not stay, and answers them. Empty when there are no more, which ends the replacing. */
  takeReplaced(most: number, now: number): AddressEnd[] {
    const taken: AddressEnd[] = []
    const stays = this.#stays
    if (stays === null) return taken
    for (; this.#replaceCursor < this.#ends.length && taken.length < most; this.#replaceCursor++) {
      if (stays[this.#replaceCursor] === 1) continue
      const endsAt = this.#endAt(this.#replaceCursor, now)
      if (endsAt === undefined) continue
      taken.push([this.#addressAt(this.#replaceCursor), endsAt])
      this.#ends[this.#replaceCursor] = Number.NEGATIVE_INFINITY
    }
    if (taken.length > 0) this.#replacedSome = true
    else {
      this.#stays = null
      if (this.#replacedSome) this.rebuild(now)
    }
    return taken
  }

  /**
   * Every address that is not over, in stretches out of `size` slots each. Between two of them addresses
   * may be put; they are given or not, and where the table is made anew for them, all are given again.
   */
  *stretches(size: number): Generator<AddressEnd[]> {
    let keys = this.#keys
    for (let from = 0; from < this.#ends.length || keys !== this.#keys; from += size) {
      if (keys !== this.#keys) {
        keys = this.#keys
        from = 0
      }
      yield this.#between(from, Math.min(from + size, this.#ends.length))
    }
  }

  /** Gives back the room of what is over at `now`. */
  rebuild(now: number): void {
    const [words, keys, ends, seen, stays] = [this.#words, this.#keys, this.#ends, this.#seen, this.#stays]
    let live = 0
    for (let slot = 0; slot < ends.length; slot++) if ((ends[slot] ?? 0) > now) live++
    let slots = fewestSlots
    while (slots < (live + 1) * 2) slots *= 2
    this.#keys = new Uint32Array(slots * words)
    this.#ends = new Float64Array(slots).fill(Number.NaN)
    this.#seen = new Uint8Array(slots)
    this.#stays = stays === null ? null : new Uint8Array(slots)
    this.#used = live
    this.#cursor = this.#replaceCursor = 0
    for (let slot = 0; slot < ends.length; slot++) {
      const end = ends[slot] ?? 0
      if (!(end > now)) continue
      for (let word = 0; word < words; word++) this.#asked[word] = keys[slot * words + word] ?? 0
      const place = this.#slot()
      this.#keys.set(this.#asked, place * words)
      this.#ends[place] = end
      this.#seen[place] = seen[slot] ?? 0
      if (this.#stays !== null) this.#stays[place] = stays?.[slot] ?? 0
    }
  }

  #ask(address: string): void {
    for (let word = 0; word < this.#words; word++) {
      this.#asked[word] = Number.parseInt(address.slice(word * 8, word * 8 + 8), 16)
    }
  }

  /** The slot of the address asked for, or the free one where it belongs. */
  #slot(): number {
    const asked = this.#asked
    const keys = this.#keys
    const ends = this.#ends
    const words = this.#words
    const mask = ends.length - 1
    let hash = this.#seed
    for (let word = 0; word < words; word++) {
      hash = Math.imul(hash ^ (asked[word] ?? 0), 0x9e3779b1)
      hash ^= hash >>> 15
    }
    let slot = (Math.imul(hash, 0x85ebca6b) >>> 7) & mask
    if (words === 1) {
      // Without a compiler the loop below takes twice as long, and a million are put at a start.
      const key = asked[0]
      while (keys[slot] !== key && !Number.isNaN(ends[slot])) slot = (slot + 1) & mask
      // An address whose words are zero looks like a free slot, which it then takes.
      return slot
    }
    while (!Number.isNaN(ends[slot])) {
      let word = 0
      while (word < words && keys[slot * words + word] === asked[word]) word++
      if (word === words) break
      slot = (slot + 1) & mask
    }
    return slot
  }

  #between(from: number, to: number): AddressEnd[] {
    const now = performance.now()
    const found: AddressEnd[] = []
    for (let slot = from; slot < to; slot++) {
      const endsAt = this.#endAt(slot, now)
      if (endsAt !== undefined) found.push([this.#addressAt(slot), endsAt])
    }
    return found
  }

  #endAt(slot: number, now: number): number | null | undefined {
    const end = this.#ends[slot] ?? Number.NaN
    if (!(end > now)) return undefined
    return end === Number.POSITIVE_INFINITY ? null : end
  }

  #addressAt(slot: number): string {
    let address = ''
    for (let word = 0; word < this.#words; word++) {
      address += (this.#keys[slot * this.#words + word] ?? 0).toString(16).padStart(8, '0')
    }
    return address
  }
}
