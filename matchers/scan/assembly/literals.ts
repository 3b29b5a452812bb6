/**
 * Finds lines that hold one of some literals, 16 bytes at a time: three bytes of every literal, its window, are
 * looked up in tables of their half bytes, one bit a bucket of literals: the method of Teddy, of Hyperscan (Wang et
 * al., NSDI 2019, section 4.3). Where all three seem to be those of one, a table of hashes says which literals have just
 * this window, and they are compared in full.
 */

/** Tables of the low and the high half bytes of the three bytes of a window, 16 bytes each: a bit for each bucket. */
const tables = memory.data(96)
/** By the hash of a window, the literals that have it: the number of the first in the list, from 1 on, 0: there is none; a u16 each. Behind them whether some literals have two bytes: their window is those. */
const slots = memory.data(8208)
/** Four words for each literal: where its bytes are, how many, where its window is in it, and the number of the next with its hash. */
let list: usize = 0
let short = false

export function literalTables(): usize {
  return tables
}

export function literalSlots(): usize {
  return slots
}

export function useLiterals(at: usize): void {
  list = at
  short = load<u16>(slots, 8192) != 0
}

/** The number of the slot of a window, of three bytes or of two. It is made alike when the tables are. */
export function literalSlot(window: u32): u32 {
  return (window * 0x9e3779b1) >>> 20
}

/** Where the first literal stands from `from` on, roughly: its window; `end` where there is none. */
export function nextLiteral(from: usize, end: usize): usize {
  const low0 = v128.load(tables, 0)
  const high0 = v128.load(tables, 16)
  const low1 = v128.load(tables, 32)
  const high1 = v128.load(tables, 48)
  const low2 = v128.load(tables, 64)
  const high2 = v128.load(tables, 80)
  // Each byte is looked up as each of the three of a window. Those of 16 bytes are needed with those of the 16 behind them.
  let text = v128.load(from)
  let first = bucketsOf(text, low0, high0)
  let second = bucketsOf(text, low1, high1)
  let third = bucketsOf(text, low2, high2)
  for (let at = from; at < end; at += 32) {
    text = v128.load(at, 16)
    const firstBehind = bucketsOf(text, low0, high0)
    const secondBehind = bucketsOf(text, low1, high1)
    const thirdBehind = bucketsOf(text, low2, high2)
    const found = windowsAt(first, second, secondBehind, third, thirdBehind)
    text = v128.load(at, 32)
    first = bucketsOf(text, low0, high0)
    second = bucketsOf(text, low1, high1)
    third = bucketsOf(text, low2, high2)
    const foundBehind = windowsAt(firstBehind, secondBehind, second, thirdBehind, third)
    if (v128.any_true(v128.or(found, foundBehind))) {
      let lanes = lanesOf(found) | (lanesOf(foundBehind) << 16)
      while (lanes != 0) {
        const window = at + ctz(lanes)
        lanes &= lanes - 1
        const bytes = load<u32>(window)
        if (window < end && isThere(window, from, end, bytes & 0xffffff)) return window
        if (short && window < end && isThere(window, from, end, bytes & 0xffff)) return window
      }
    }
  }
  return end
}

/** By lane, the buckets whose windows may have this byte where the tables are of. */
function bucketsOf(text: v128, low: v128, high: v128): v128 {
  return v128.and(i8x16.swizzle(low, v128.and(text, i8x16.splat(15))), i8x16.swizzle(high, i8x16.shr_u(text, 4)))
}

/** By lane, the buckets of which a window may begin there: its second byte stands one lane further, its third two. */
function windowsAt(first: v128, second: v128, secondBehind: v128, third: v128, thirdBehind: v128): v128 {
  return v128.and(
    first,
    v128.and(
      i8x16.shuffle(second, secondBehind, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16),
      i8x16.shuffle(third, thirdBehind, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17),
    ),
  )
}

/** A bit for each lane that is not 0. */
function lanesOf(bytes: v128): i32 {
  return ~i8x16.bitmask(i8x16.eq(bytes, i8x16.splat(0))) & 0xffff
}

/** Whether a literal of this window stands with it here, whole, between `from` and `end`. */
function isThere(window: usize, from: usize, end: usize, bytes: u32): bool {
  let number = <u32>load<u16>(slots + ((<usize>literalSlot(bytes)) << 1))
  while (number != 0) {
    const entry = list + ((<usize>number - 1) << 4)
    const before = <usize>load<u32>(entry, 8)
    const length = <usize>load<u32>(entry, 4)
    if (window >= from + before && window - before + length <= end && same(window - before, load<u32>(entry), length))
      return true
    number = load<u32>(entry, 12)
  }
  return false
}

function same(one: usize, other: usize, length: usize): bool {
  for (let index: usize = 0; index < length; index++) {
    if (load<u8>(one + index) != load<u8>(other + index)) return false
  }
  return true
}
