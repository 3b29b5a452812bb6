/** Blocks of addresses as the wire spells them: 8 or 32 lower-case hexadecimal digits, and a length. */

/** A block, and why it is listed. Bits beyond the length count as zero. */
export interface Block<Reason extends string> {
  /** 8 or 32 lower-case hexadecimal digits. */
  readonly address: string
  readonly length: number
  readonly reason: Reason
}

interface Range {
  readonly first: string
  last: string
}

/**
 * Tells whether a prefix has an address in common with a listed block. Digits of one length compare as
 * their numbers do, so the list is ranges of texts that do not touch, and a look-up a search among them:
 * a million look-ups take well under a second even where nothing is compiled.
 */
export class BlockList<Reason extends string> {
  readonly #blocks: readonly (Block<Reason> & Range)[]
  readonly #ranges4: readonly Range[]
  readonly #ranges6: readonly Range[]

  /** Of blocks that hold the same address the first one gives the reason. */
  constructor(blocks: Iterable<Block<Reason>>) {
    this.#blocks = Array.from(blocks, (block) => {
      const { address, length } = block
      return { ...block, first: firstAddress(address, length), last: lastAddress(address, length) }
    })
    const ofFamily = (digits: number) => merged(this.#blocks.filter(({ address }) => address.length === digits))
    this.#ranges4 = ofFamily(8)
    this.#ranges6 = ofFamily(32)
  }

  /** Why a prefix (host bits zero) has an address in common with the list; null where it has none. */
  touching(address: string, length: number): Reason | null {
    const ranges = address.length === 8 ? this.#ranges4 : this.#ranges6
    const last = length === address.length * 4 ? address : lastAddress(address, length)
    let [low, high] = [0, ranges.length]
    while (low < high) {
      const middle = (low + high) >> 1
      const range = ranges[middle]
      if (range === undefined) break
      if (range.last < address) low = middle + 1
      else if (range.first > last) high = middle
      else return this.#reason(address, last)
    }
    return null
  }

  #reason(first: string, last: string): Reason | null {
    const sameFamily = this.#blocks.filter(({ address }) => address.length === first.length)
    return sameFamily.find((block) => block.first <= last && block.last >= first)?.reason ?? null
  }
}

/** The address with every bit beyond the length set. */
export function lastAddress(address: string, length: number): string {
  return filled(address, length, 0xf, 'f')
}

/** The address with every bit beyond the length zero. */
export function firstAddress(address: string, length: number): string {
  return filled(address, length, 0, '0')
}

function filled(address: string, length: number, nibble: number, digit: string): string {
  const whole = length >> 2
  if (whole >= address.length) return address
  const outside = 0xf >> (length & 3)
  const mixed = (Number.parseInt(address.charAt(whole), 16) & ~outside) | (nibble & outside)
  return address.slice(0, whole) + mixed.toString(16) + digit.repeat(address.length - whole - 1)
}

/** Ranges in order, without overlap. */
function merged(ranges: readonly Range[]): Range[] {
  const result: Range[] = []
  for (const { first, last } of ranges.toSorted((one, other) => (one.first < other.first ? -1 : 1))) {
    const before = result.at(-1)
    if (before === undefined || before.last < first) result.push({ first, last })
    else if (before.last < last) before.last = last
  }
  return result
}
