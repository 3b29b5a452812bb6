import type { Address, Prefix } from '../address.ts'
import type { CountedFailures } from '../events.ts'
import { writeKey } from '../address-words.ts'

/**
 * What an entry says of its address, or of the network whose first address it is. As it is counted:
 * a failure counts for the address and, where the jail counts networks, for its network (`failed`), or
 * all failures of one of them are forgotten, since a ban was decided. When all is told anew: the first
 * failure of an address or of a network, in place of whatever was told of it before, and its others.
 */
export const entryKinds = {
  failed: 0,
  addressForgotten: 1,
  networkForgotten: 2,
  addressFirst: 3,
  addressNext: 4,
  networkFirst: 5,
  networkNext: 6,
} as const
export type EntryKind = (typeof entryKinds)[keyof typeof entryKinds]

/** Four words of address, two of time (low, high), jail and kind, attempts: 32 bytes, in the byte order of the machine. */
const entryWords = 8
const entryBytes = entryWords * 4
/** 8 MiB. More is not kept for a store that takes nothing: then it gets everything anew, which is bounded by the tables. */
const maxEntries = 262_144
const keptEntries = 16_384

/** One entry, as `readEntries` tells it. The words of the address are those from `at` on. */
export interface Entry {
  readonly kind: EntryKind
  /** All of them have counted it; the same list for all entries of one piece that name them. */
  readonly jails: readonly string[]
  readonly words: Uint32Array
  readonly at: number
  /** Unix milliseconds. */
  readonly time: number
  readonly attempts: number
}

/**
 * What was counted and forgotten since it was last taken, in order, for the store. Counting once more
 * what it says, in the same order, leads to the same counters.
 */
export class FailureLog {
  /** By list, its index. */
  readonly #jails = new Map<readonly string[], number>()
  #last = nobody
  #words = new Uint32Array(256 * entryWords)
  #entries = 0
  #overflowed = false

  /** Whether it could not keep all: what it holds is not all that was counted, and everything is to be stored anew. */
  get overflowed(): boolean {
    return this.#overflowed
  }

  /** The counters were changed in ways that entries do not tell: what was stored before is void. */
  void(): void {
    this.clear()
    this.#overflowed = true
  }

  add(kind: EntryKind, jails: readonly string[], prefix: Address | Prefix, time = 0, attempts = 0): void {
    if (!this.#makeRoom()) return
    writeKey(addressOf(prefix), this.#words, this.#entries * entryWords)
    this.#finish(kind, jails, time, attempts)
  }

  /** As `add`, for an address that is written already. */
  addKey(
    kind: EntryKind,
    jails: readonly string[],
    words: Uint32Array,
    at: number,
    time: number,
    attempts: number,
  ): void {
    if (!this.#makeRoom()) return
    const start = this.#entries * entryWords
    for (let word = 0; word < 4; word++) this.#words[start + word] = words[at + word] ?? 0
    this.#finish(kind, jails, time, attempts)
  }

  /** All entries, in memory of their own, and forgets them; null where there are none. */
  take(): CountedFailures | null {
    if (this.#entries === 0) return null
    const length = this.#entries * entryWords
    // What `clear` gives up anyway need not be copied.
    const words = this.#isLarge ? this.#words.subarray(0, length) : this.#words.slice(0, length)
    const entries = new Uint8Array(words.buffer, 0, words.byteLength)
    const jails = [...this.#jails.keys()]
    this.clear()
    return { jails, entries }
  }

  /** Forgets all entries: they are stored, or are not to be. */
  clear(): void {
    this.#entries = 0
    this.#jails.clear()
    this.#last = nobody
    this.#overflowed = false
    if (this.#isLarge) this.#words = new Uint32Array(keptEntries * entryWords)
  }

  get #isLarge(): boolean {
    return this.#words.length > keptEntries * entryWords
  }

  #finish(kind: EntryKind, jails: readonly string[], time: number, attempts: number): void {
    const at = this.#entries++ * entryWords + 4
    this.#words[at] = time >>> 0
    this.#words[at + 1] = Math.floor(time / 0x1_0000_0000)
    this.#words[at + 2] = (this.#indexOf(jails) << 3) | kind
    this.#words[at + 3] = Math.min(attempts, 0xffff_ffff)
  }

  #indexOf(jails: readonly string[]): number {
    if (jails === this.#last.jails) return this.#last.index
    const index = this.#jails.get(jails) ?? this.#jails.size
    this.#jails.set(jails, index)
    this.#last = { jails, index }
    return index
  }

  #makeRoom(): boolean {
    if (this.#overflowed) return false
    if (this.#entries >= maxEntries) {
      this.void()
      return false
    }
    if ((this.#entries + 1) * entryWords <= this.#words.length) return true
    const larger = new Uint32Array(this.#words.length * 2)
    larger.set(this.#words)
    this.#words = larger
    return true
  }
}

/** No list yet. */
const nobody: { readonly jails: readonly string[] | null; readonly index: number } = { jails: null, index: 0 }

/** Tells all entries in order. What is no entry (a damaged store) is left out. */
export function readEntries({ jails: lists, entries }: CountedFailures, found: (entry: Entry) => void): void {
  const length = Math.floor(entries.length / entryBytes) * entryBytes
  // A copy: bytes from the store need not begin where words may.
  const words = new Uint32Array(entries.slice(0, length).buffer)
  for (let at = 0; at < words.length; at += entryWords) {
    const time = (words[at + 5] ?? 0) * 0x1_0000_0000 + (words[at + 4] ?? 0)
    const jails = lists[(words[at + 6] ?? 0) >>> 3]
    const kind = kindOf((words[at + 6] ?? 0) & 7)
    if (jails === undefined || kind === undefined || !Number.isSafeInteger(time)) continue
    found({ kind, jails, words, at, time, attempts: words[at + 7] ?? 0 })
  }
}

const kinds = Object.values(entryKinds)

function kindOf(number: number): EntryKind | undefined {
  return kinds[number]
}

/** An address is itself, a network its first address. */
function addressOf(prefix: Prefix): Address {
  const slash = prefix.indexOf('/')
  return (slash < 0 ? prefix : prefix.slice(0, slash)) as Address
}
